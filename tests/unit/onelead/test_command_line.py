"""The command line: a help worth reading, every failure told without a traceback, exit codes."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    UnknownTopicOrPartitionError,
)
from sqlalchemy.exc import DBAPIError

from onelead import cli
from onelead.cli import EXIT_BUG, build_app, run_command_line
from onelead.command_list import COMMANDS, Command
from onelead.lifecycle import InterruptedBySignalError
from shared.errors import UserError

Captured = pytest.CaptureFixture[str]


def run_failing(patch: pytest.MonkeyPatch, error: BaseException) -> int:
    def fail() -> None:
        """Fail."""
        raise error

    failing = ModuleType("failing")
    failing.fail = fail  # type: ignore[attr-defined]
    patch.setitem(sys.modules, "onelead.commands.failing", failing)
    called = Command("fail", "Test", "failing:fail", "Fail.")
    patch.setattr(cli, "COMMANDS", (called, Command("other", "Test", "failing:other", "Other.")))
    return run_command_line(["fail"])


def refused(state: str) -> DBAPIError:
    """What SQLAlchemy raises of a statement that PostgreSQL answered with this SQLSTATE."""
    answer = OSError("it goes\nDETAIL: for good")
    answer.sqlstate = state  # type: ignore[attr-defined]
    return DBAPIError("SELECT 1", {}, answer)


def test_the_help_names_every_command_and_shows_examples(capsys: Captured) -> None:
    assert run_command_line(["--help"]) == 0
    said = capsys.readouterr().out
    for command in COMMANDS:
        assert command.name in said
    assert "onelead demo" in said
    assert "ONELEAD_HOME" in said


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_every_command_explains_itself(command: str, capsys: Captured) -> None:
    assert run_command_line([command, "--help"]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 5


def test_what_the_help_page_says_of_a_command_is_how_its_own_begins() -> None:
    loaded: Any = typer.main.get_command(build_app())
    for command in COMMANDS:
        assert loaded.commands[command.name].help.split("\n\n")[0] == command.summary


def test_the_help_page_loads_no_command() -> None:
    loaded = "{m for m in sys.modules if m.startswith(('onelead.commands.', 'services.'))}"
    program = (
        f"import sys; from onelead import cli; cli.run_command_line(['--help']); print({loaded})"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert ran.stdout.splitlines()[-1] == b"set()"


def test_a_users_error_is_told_with_its_hint_and_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    error = UserError("port 9 is [in] use", hint="set X", exit_code=3)
    assert run_failing(monkeypatch, error) == 3
    said = capsys.readouterr().err
    assert "Error: port 9 is [in] use" in said
    assert "Hint: set X" in said
    assert "Traceback" not in said


def test_a_bug_is_told_in_a_line_with_the_place_of_its_details(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run_failing(monkeypatch, ValueError("odd\nthing")) == EXIT_BUG
    said = capsys.readouterr().err
    assert "Error: ValueError: odd thing" in said
    assert "Traceback" not in said
    [log] = tmp_path.glob("onelead-error-*.log")
    assert log.name in said.replace("\n", "")
    assert "Traceback" in log.read_text()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KafkaConnectionError("no broker says it"), "Kafka stopped answering: no broker says it\n"),
        (KafkaTimeoutError(), "Kafka stopped answering: KafkaTimeoutError\n"),
        (refused("57P01"), "PostgreSQL stopped answering: it goes\n"),
        (refused("08006"), "PostgreSQL stopped answering: it goes\n"),
    ],
)
def test_a_part_that_goes_away_under_a_command_is_told_by_its_name(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured, error: Exception, said: str
) -> None:
    assert run_failing(monkeypatch, error) == 1
    told = capsys.readouterr().err
    assert f"Error: {said}" in told
    assert "run it again when" in told


@pytest.mark.parametrize(
    "error",
    [KafkaError("odd"), UnknownTopicOrPartitionError(), refused("23505"), refused("40P01")],
)
def test_what_a_part_says_of_our_own_mistake_stays_a_bug(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    assert run_failing(monkeypatch, error) == EXIT_BUG


def test_a_database_without_our_tables_is_told_with_what_makes_them(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    assert run_failing(monkeypatch, refused("42P01")) == 1
    told = capsys.readouterr().err
    assert "Error: the database is not up to date: it goes\n" in told
    assert "onelead migrate" in told


def test_an_error_is_told_even_when_what_would_explain_it_cannot_be_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setitem(sys.modules, "onelead.outage", None)
    assert run_failing(monkeypatch, KafkaTimeoutError()) == EXIT_BUG
    assert "Error: KafkaTimeoutError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["explain", "\udcff"], "argument 2 is not UTF-8 text: \\udcff"),
        (["accounts", "undo", "d1", "--why", "bad \udcff"], "argument 5 is not UTF-8 text"),
        (["explain", ""], "a name is missing"),
        (["calendar", "--tenant", "No_Such"], "tenant 'No_Such': use 1 to 40"),
        (["assess", "", "--as-of", "2025-10-09"], "no file is named"),
    ],
)
def test_an_argument_that_says_nothing_is_refused_by_its_name(
    arguments: list[str], said: str, capsys: Captured
) -> None:
    assert run_command_line(arguments) == 2
    assert f"Error: {said}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InterruptedBySignalError(2), 130),
        (InterruptedBySignalError(15), 143),
        (KeyboardInterrupt(), 130),
    ],
)
def test_an_interruption_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured, error: BaseException, code: int
) -> None:
    assert run_failing(monkeypatch, error) == code
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("arguments", [["nonsense"], ["import"], ["demo", "--nonsense"]])
def test_a_wrong_command_line_is_told_with_exit_code_2(
    arguments: list[str], capsys: Captured
) -> None:
    assert run_command_line(arguments) == 2
    assert "Usage: onelead" in capsys.readouterr().err
