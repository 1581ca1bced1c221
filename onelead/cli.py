"""The `onelead` command line: loads the command that is called, and tells every failure."""

import asyncio
import logging
import sys
import tempfile
import traceback
from collections.abc import Container, Sequence
from contextlib import suppress
from pathlib import Path

import typer

from onelead.command_list import COMMANDS
from onelead.console import err
from onelead.lifecycle import InterruptedBySignalError
from shared.errors import UserError

EXIT_BUG = 70
# What aiokafka logs of each attempt would stand on the terminal; a command says itself what came of them.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())

_HELP = """Tells the people who sell hardware and services which customer to call next, and why.

Rows of the installed base go in; scored and explained leads with services attached, and alerts
for the critical ones, come out. One machine is enough: Kafka and PostgreSQL are started for you.

[bold]Examples[/bold]

  onelead demo                          see it work on the sample workbooks

  onelead up                            run everything here, data in ./.onelead

  onelead import export.xlsx prices.xlsx     hand over workbooks, in another terminal

  onelead assess export.xlsx --as-of 2025-10-09     what leads would there be?

Settings are environment variables: ONELEAD_HOME, ONELEAD_KAFKA_BOOTSTRAP, ONELEAD_DATABASE_URL, …
"""


def build_app(called: Container[str] | None = None) -> typer.Typer:
    """The typer application with every command of COMMANDS.

    Loads the commands whose names are in `called`, or all; the others are there to be listed.
    """
    app = typer.Typer(
        name="onelead",
        help=_HELP,
        rich_markup_mode="rich",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for command in COMMANDS:
        name, panel = command.name, command.panel
        if called is not None and name not in called:
            app.command(name, help=command.summary, rich_help_panel=panel)(_not_called)
            continue
        runs = command.load()
        if isinstance(runs, typer.Typer):
            app.add_typer(runs, name=name, rich_help_panel=panel)
        else:
            app.command(name, rich_help_panel=panel)(runs)
    return app


def _not_called() -> None:
    """In the place of a command that is not among the arguments."""
    raise AssertionError


def run_command_line(arguments: list[str] | None = None) -> int:
    """Runs one command and returns the exit code; nobody ever sees a traceback."""
    try:
        given = sys.argv[1:] if arguments is None else arguments
        _refuse_unreadable(given)
        build_app(given)(given, prog_name="onelead")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except InterruptedBySignalError as interrupted:
        return interrupted.exit_code
    except UserError as error:
        _tell(error)
        return error.exit_code
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the last resort
        return _tell_unforeseen(error)
    return 0


def _refuse_unreadable(arguments: Sequence[str]) -> None:
    """Bytes that are no UTF-8 come as lone surrogates, which nothing behind can print, send or store."""
    for number, argument in enumerate(arguments, start=1):
        shown = argument.encode(errors="backslashreplace").decode()
        if shown != argument:
            raise UserError(f"argument {number} is not UTF-8 text: {shown}")


def _tell_unforeseen(error: BaseException) -> int:
    # What cannot be loaded may be the very error.
    with suppress(ImportError):
        from onelead.outage import outage  # noqa: PLC0415 - loads the clients of Kafka and PostgreSQL

        if away := outage(error):
            _tell(away)
            return away.exit_code
    _tell_bug(error)
    return EXIT_BUG


def _tell(error: UserError) -> None:
    err.print(f"Error: {error.message}", style="bold red", markup=False, soft_wrap=True)
    if error.hint:
        err.print(f"Hint: {error.hint}", markup=False, soft_wrap=True)


def _tell_bug(error: BaseException) -> None:
    with tempfile.NamedTemporaryFile(
        "w", prefix="onelead-error-", suffix=".log", delete=False
    ) as log:
        traceback.print_exception(error, file=log)
    reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    err.print(f"Error: {reason}", style="bold red", markup=False)
    err.print(f"This should not happen. Details: {Path(log.name)}", markup=False)
