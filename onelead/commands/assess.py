"""`onelead assess`: what leads would these files give? Needs no Kafka, no database, keeps nothing."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer

from onelead.assess.as_json import assessment_json, lead_json
from onelead.assess.assessment import Assessment
from onelead.assess.assessment import assess as assess_tables
from onelead.assess.report import report
from onelead.console import err, out
from services.ingest.sources.files import read_files
from shared.errors import UserError
from shared.events import RecordKind
from shared.rules.load import load_rules


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
        bool, typer.Option("--json-lines", help="one JSON object for each lead, a line each")
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
    with err.status("Reading and assessing"):
        tables = read_files(paths, used_rules, kinds)
        assessment = assess_tables(tables, used_rules, as_of.date())
    if as_json or as_json_lines:
        _print_json(assessment, lines=as_json_lines)
    else:
        for part in report(assessment):
            out.print(part)


def _print_json(assessment: Assessment, *, lines: bool) -> None:
    if not lines:
        out.out(orjson.dumps(assessment_json(assessment)).decode(), highlight=False)
        return
    for lead in assessment.leads:
        out.out(orjson.dumps(lead_json(lead, assessment.as_of)).decode(), highlight=False)
