"""A child process is stopped with all of its group, and never outlives its parent."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from onelead.edition.process import Child, ChildSpec
from tests.support.command import ROOT
from tests.support.waiting import wait_until

_SLEEPER = "import time; print('ready', flush=True); time.sleep(600)"
_STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + _SLEEPER
_WITH_CHILD = (
    "import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    " print('child', c.pid, flush=True); import time; time.sleep(600)"
)


def start(tmp_path: Path, code: str) -> Child:
    argv = [sys.executable, "-c", code]
    return Child(ChildSpec("sleeper", argv, dict(os.environ), tmp_path / "child.log"))


async def until_it_says(child: Child, text: str) -> str:
    await wait_until(lambda: text in child.log_tail(), f"the child to say {text}")
    return child.log_tail()


async def test_a_child_that_listens_ends_by_itself(tmp_path: Path) -> None:
    child = start(tmp_path, _SLEEPER)
    await until_it_says(child, "ready")
    assert await child.stop(5)
    assert child.exit_code == -signal.SIGTERM


async def test_a_child_that_does_not_listen_is_killed_after_its_time(tmp_path: Path) -> None:
    child = start(tmp_path, _STUBBORN)
    await until_it_says(child, "ready")
    assert not await child.stop(0.2)
    assert child.exit_code == -signal.SIGKILL


async def test_what_a_child_has_started_is_ended_with_it(tmp_path: Path) -> None:
    child = start(tmp_path, _WITH_CHILD)
    grandchild = int((await until_it_says(child, "child")).split()[1])
    await child.stop(5)
    await wait_until(lambda: ended(grandchild), "the grandchild to end")


async def test_a_log_that_has_grown_long_is_put_aside(tmp_path: Path) -> None:
    with (tmp_path / "child.log").open("wb") as log:
        log.truncate(20_000_001)
    child = start(tmp_path, "print('new')")
    assert await child.wait(10)
    assert child.log_tail() == "new"
    assert (tmp_path / "child.old.log").stat().st_size == 20_000_001


async def test_a_log_s_last_lines_are_told_without_stack_frames(tmp_path: Path) -> None:
    child = start(tmp_path, "def f():\n  raise ValueError('the reason')\nf()")
    assert await child.wait(10)
    assert child.log_tail() == "ValueError: the reason"


async def test_an_unknown_program_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Child(ChildSpec("none", ["/no/such/program"], {}, tmp_path / "log"))


async def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent, child = parent_with_a_child(tmp_path)
    assert not ended(child)
    parent.kill()
    parent.wait()
    await wait_until(lambda: ended(child), "the child to end with its parent")


def parent_with_a_child(tmp_path: Path) -> tuple[subprocess.Popen[str], int]:
    code = (
        "import os, sys, time; from pathlib import Path;"
        "from onelead.edition.process import Child, ChildSpec;"
        f"c = Child(ChildSpec('c', [sys.executable, '-c', {_SLEEPER!r}], dict(os.environ),"
        f" Path({str(tmp_path / 'child.log')!r})));"
        "print(c.pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


def ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
