"""`onelead assess`: what leads would these files give? Needs no Kafka, no database, keeps nothing."""

import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from onelead.assess.as_json import assessment_json, lead_json
from onelead.assess.assessment import assess as assess_tables
from onelead.assess.assessment import prepare
from onelead.assess.collection import rare_collection
from onelead.assess.findings import Findings
from onelead.assess.report import report, row_notes
from onelead.assess.rows import RowsOnce
from onelead.assess.spill import Spill
from onelead.console import err, out
from services.ingest.sources.files import read_files
from services.ingest.sources.tables import SourceTable
from shared.errors import UserError
from shared.events import RecordKind
from shared.rules.load import load_rules
from shared.rules.model import Rules


def assess(
    files: Annotated[
        list[Path], typer.Argument(help="workbooks (.xlsx) and CSV files", show_default=False)
    ],
    *,
    as_of: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%d"], envvar="ONELEAD_AS_OF", help="the day all ages are counted to"
        ),
    ],
    catalogue: Annotated[
        Path | None, typer.Option(help="the service catalogue, if it is a file of its own")
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(help="a rules file; what it leaves out stays the default")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    as_json_lines: Annotated[
        bool,
        typer.Option(
            "--json-lines",
            help="one JSON object for each lead, a line each, by account, for files of any size",
        ),
    ] = False,
) -> None:
    """Show the leads that files would give, without importing them.

    The same code as in the running system; review decisions are not applied.
    """
    if as_json and as_json_lines:
        raise UserError("--json and --json-lines exclude each other", hint="give one of them")
    used_rules = load_rules(rules)
    paths = [*files, *([catalogue] if catalogue else [])]
    kinds = {catalogue: RecordKind.CATALOGUE} if catalogue else {}
    tables = read_files(paths, used_rules, kinds, collect=RowsOnce)
    if as_json_lines:
        _print_lines(tables, used_rules, as_of.date())
    else:
        _print_whole(tables, used_rules, as_of.date(), as_json=as_json)


def _print_whole(
    tables: Sequence[SourceTable], rules: Rules, as_of: date, *, as_json: bool
) -> None:
    with err.status("Reading and assessing"):
        found = assess_tables(tables, rules, as_of, keep_findings=as_json)
    if as_json:
        out.out(assessment_json(found).decode(), highlight=False)
    else:
        for part in report(found):
            out.print(part)


def _print_lines(tables: Sequence[SourceTable], rules: Rules, as_of: date) -> None:
    """Writes each lead as soon as its account is assessed; the report on the rows goes to stderr."""
    findings = Findings(keep_all=False)
    with Spill() as kept, rare_collection():
        with err.status("Reading"):
            ground = prepare(tables, rules, as_of, kept, findings)
        for note in row_notes(ground.rows, ground.notes, findings.groups()):
            err.print(note, markup=False, soft_wrap=True)
        lines = sys.stdout.buffer
        for account in ground.accounts():
            lines.writelines(lead_json(lead, as_of) + b"\n" for lead in account.leads)
        lines.flush()
