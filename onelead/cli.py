"""The `onelead` command line: its commands, and how every failure is told."""

import asyncio
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from onelead.commands import (
    accounts,
    assess,
    calendar,
    campaigns,
    crm,
    dead_letters,
    deliveries,
    demo,
    digests,
    explain,
    import_,
    imports,
    leads,
    migrate,
    notify,
    offices,
    rules,
    service,
    templates,
    tenants,
    topics,
    up,
    what_if,
)
from onelead.console import err
from onelead.lifecycle import InterruptedBySignalError
from shared.errors import UserError

EXIT_BUG = 70

TRY = "Try it"
WORK = "Work with it"
OPERATE = "Operate it"


@dataclass(frozen=True)
class Command:
    """A command and the group of the help page it stands in; what it runs is a function or a group."""

    name: str
    panel: str
    runs: Callable[..., Any] | typer.Typer


COMMANDS: tuple[Command, ...] = (
    Command("demo", TRY, demo.demo),
    Command("assess", TRY, assess.assess),
    Command("up", WORK, up.up),
    Command("import", WORK, import_.import_files),
    Command("accounts", WORK, accounts.app),
    Command("imports", WORK, imports.app),
    Command("explain", WORK, explain.explain),
    Command("leads", WORK, leads.app),
    Command("calendar", WORK, calendar.calendar),
    Command("notify", WORK, notify.app),
    Command("campaigns", WORK, campaigns.app),
    Command("deliveries", WORK, deliveries.app),
    Command("digests", WORK, digests.digests),
    Command("crm", WORK, crm.app),
    Command("rules", WORK, rules.app),
    Command("offices", WORK, offices.app),
    Command("what-if", WORK, what_if.what_if),
    Command("templates", WORK, templates.app),
    Command("tenants", WORK, tenants.app),
    Command("service", OPERATE, service.service),
    Command("topics", OPERATE, topics.app),
    Command("migrate", OPERATE, migrate.migrate),
    Command("dead-letters", OPERATE, dead_letters.app),
)

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


def build_app() -> typer.Typer:
    """The typer application with every command of COMMANDS."""
    app = typer.Typer(
        name="onelead",
        help=_HELP,
        rich_markup_mode="rich",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for command in COMMANDS:
        if isinstance(command.runs, typer.Typer):
            app.add_typer(command.runs, name=command.name, rich_help_panel=command.panel)
        else:
            app.command(command.name, rich_help_panel=command.panel)(command.runs)
    return app


def run_command_line(arguments: list[str] | None = None) -> int:
    """Runs one command and returns the exit code; nobody ever sees a traceback."""
    try:
        _refuse_unreadable(sys.argv[1:] if arguments is None else arguments)
        build_app()(arguments, prog_name="onelead")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except InterruptedBySignalError as interrupted:
        return interrupted.exit_code
    except UserError as error:
        _tell(error)
        return error.exit_code
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - the last resort
        _tell_bug(error)
        return EXIT_BUG
    return 0


def _refuse_unreadable(arguments: Sequence[str]) -> None:
    """Bytes that are no UTF-8 come as lone surrogates, which nothing behind can print, send or store."""
    for number, argument in enumerate(arguments, start=1):
        shown = argument.encode(errors="backslashreplace").decode()
        if shown != argument:
            raise UserError(f"argument {number} is not UTF-8 text: {shown}")


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
