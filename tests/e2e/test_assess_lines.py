"""`assess --json-lines`: the same leads as the whole assessment, streamed, and nothing left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.generate import write_export
from onelead.assess.as_json import assessment_json
from onelead.assess.assessment import NO_CATALOGUE, assess
from services.ingest.sources.files import read_files
from shared import clock
from shared.rules.load import default_rules
from tests.support.builders import AS_OF
from tests.support.command import ROOT, environment, run_onelead
from tests.support.workbooks import CATALOGUE, EXPORT

RULES = default_rules()
DAY = ("--as-of", AS_OF.isoformat())


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_export(tmp_path_factory.mktemp("export"), boxes=2_500, accounts=60)


def test_the_lines_are_the_leads_of_the_whole_assessment(
    tmp_path: Path, export: list[Path]
) -> None:
    run = run_onelead("assess", *export, CATALOGUE, *DAY, "--json-lines", home=tmp_path)
    assert run.returncode == 0, run.stderr
    whole = json.loads(
        assessment_json(assess(read_files([*export, CATALOGUE], RULES), RULES, AS_OF))
    )
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(lines) > 2_000
    assert {line["lead_id"]: line for line in lines} == {x["lead_id"]: x for x in whole["leads"]}
    accounts = [line["account_id"] for line in lines]
    assert accounts == sorted(accounts)


def test_the_report_on_the_rows_stands_beside_the_lines(tmp_path: Path, export: list[Path]) -> None:
    run = run_onelead("assess", *export, *DAY, "--json-lines", home=tmp_path)
    assert "install base: 2,500 read" in run.stderr
    assert "repeats a box; its row with the latest service end is kept" in run.stderr
    assert NO_CATALOGUE in run.stderr
    with_catalogue = run_onelead("assess", EXPORT, CATALOGUE, *DAY, "--json-lines", home=tmp_path)
    assert NO_CATALOGUE not in with_catalogue.stderr


def test_a_reader_that_has_enough_ends_it_in_silence(tmp_path: Path, export: list[Path]) -> None:
    command = [sys.executable, "-m", "onelead", "assess", *map(str, export), *DAY, "--json-lines"]
    with subprocess.Popen(
        command,
        env=environment(tmp_path),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        assert run.stdout.readline().startswith(b"{")
        run.stdout.close()
        said = run.stderr.read().decode()
    assert "Traceback" not in said
    assert "roken" not in said


def test_ctrl_c_leaves_no_temporary_file(tmp_path: Path, export: list[Path]) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    many = tmp_path / "many.csv"
    lines = export[0].read_text().splitlines(keepends=True)
    many.write_text(lines[0] + "".join(f"{line.rstrip()}\n" for line in lines[1:] * 40))
    settings = {"TMPDIR": scratch, "SQLITE_TMPDIR": scratch}
    command = [sys.executable, "-m", "onelead", "assess", str(many), *DAY, "--json-lines"]
    with subprocess.Popen(
        command,
        env=environment(tmp_path, settings),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as run:
        files = Path(f"/proc/{run.pid}/fd")
        began_s = clock.monotonic_s()
        while str(many) not in _targets(files):
            assert clock.monotonic_s() < began_s + 60
            assert run.poll() is None
            time.sleep(0.01)
        run.send_signal(signal.SIGINT)
        assert run.wait(timeout=20) == 130
        assert run.stderr is not None
        assert b"Traceback" not in run.stderr.read()
    assert list(scratch.iterdir()) == []


def _targets(folder: Path) -> list[str]:
    """The open files of a process."""
    try:
        return [os.readlink(each) for each in folder.iterdir()]
    except OSError:
        return []
