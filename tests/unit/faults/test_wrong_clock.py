"""The clock of one process can be set from outside; its durations stay right."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from onelead.edition.service import ROOT
from tests.faults.wrong_clock import set_wrong

_DAY_S = 86_400
_CHILD = """
import sys, time
from pathlib import Path
right_s = time.time()
from tests.faults.wrong_clock import install
install(Path(sys.argv[1]))
from shared import clock
began_s = clock.monotonic_s()
print(round(clock.now().timestamp() - right_s), round(clock.now_us() / 1e6 - right_s))
assert clock.monotonic_s() - began_s < 60
"""


def child(clock_file: Path) -> list[int]:
    """By how many seconds a process's clock is wrong: as it says, and as it numbers versions."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", _CHILD, str(clock_file)]
    found = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=True)
    return [int(each) for each in found.stdout.split()]


@pytest.mark.parametrize("by_s", [_DAY_S, -_DAY_S, 0])
def test_a_process_takes_its_clock_from_the_file(tmp_path: Path, by_s: int) -> None:
    set_wrong(tmp_path / "scoring-0.clock", by_s)
    assert all(abs(each - by_s) < 60 for each in child(tmp_path / "scoring-0.clock"))


def test_without_the_file_the_clock_is_right(tmp_path: Path) -> None:
    assert all(abs(each) < 60 for each in child(tmp_path / "none"))
