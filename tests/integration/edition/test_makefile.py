"""The Makefile: helps, asks for a newer Python in plain words, and builds again only for a new lock."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.command import ROOT

_TOOLS = ("make", "sh", "cksum", "cut", "sed", "awk", "cat", "ls", "rm", "test", "touch", "echo")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the Makefile and its locks, where nothing can be broken."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    return tmp_path


def make(
    checkout: Path, *arguments: str, path: str | None = None
) -> subprocess.CompletedProcess[str]:
    env = {"PATH": path or os.environ["PATH"], "HOME": str(checkout)}
    return subprocess.run(
        ["make", *arguments], cwd=checkout, env=env, capture_output=True, text=True, check=False
    )


def test_help_is_what_make_says_by_itself(checkout: Path) -> None:
    said = make(checkout).stdout
    for target in ("demo", "test", "slow", "lock", "clean", "help"):
        assert f"make {target}" in said


def test_an_old_python_is_told_in_plain_words(checkout: Path) -> None:
    tools = checkout / "bin"
    tools.mkdir()
    for tool in _TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (tools / tool).symlink_to(found)
    old = tools / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2"\nexit 1\n')
    old.chmod(0o755)
    result = make(checkout, "demo", path=str(tools))
    assert result.returncode != 0
    assert "OneLead needs Python 3.11 or newer; found: Python 3.9.2" in result.stderr
    assert not (checkout / ".venv").exists()


def test_what_is_built_is_built_again_only_for_another_lock(checkout: Path) -> None:
    assert "-m venv .venv" in make(checkout, "-n", "test").stdout
    stamp = make(checkout, "-n", "test").stdout.strip().splitlines()
    [touched] = [line.split()[1] for line in stamp if line.startswith("touch .venv/dev-")]
    (checkout / touched).parent.mkdir()
    (checkout / touched).touch()
    assert "-m venv .venv" not in make(checkout, "-n", "test").stdout
    assert "-m venv .venv" not in make(checkout, "-n", "demo").stdout
    with (checkout / "requirements/dev.txt").open("a") as lock:
        lock.write("# changed\n")
    assert "-m venv .venv" in make(checkout, "-n", "test").stdout


def test_the_demo_s_options_are_passed_on(checkout: Path) -> None:
    said = make(checkout, "-n", "demo", "ONCE=1", "JSON=1").stdout
    assert "onelead demo --once --json" in said


def test_tests_run_after_every_check_and_pytest_has_the_last_word(checkout: Path) -> None:
    said = make(checkout, "-n", "test").stdout
    order = ["ruff check", "ruff format --check", "bin/mypy", "bin/lint-imports", "-m pytest"]
    places = [said.index(step) for step in order]
    assert places == sorted(places)
    assert "pytest" in said.strip().splitlines()[-1]
