"""`onelead calendar`: which leads will fire, cross a threshold or end by themselves, by week."""

from datetime import date
from pathlib import Path
from typing import Annotated

import orjson
import typer

from onelead import lifecycle
from onelead.addresses import database_address, database_password
from onelead.calendar.forecast import Expected
from onelead.calendar.present import as_csv, as_json, tables
from onelead.calendar.read import foretell
from onelead.calendar.weeks import by_week
from onelead.console import err, out
from onelead.edition.edition import DEFAULT_TENANT
from onelead.output import check_output, deliver
from onelead.settings import EditionSettings
from onelead.what_if.snapshot import snapshot_of
from onelead.whose import checked_tenant
from shared.settings import load_settings


def calendar(
    *,
    days: Annotated[int, typer.Option(min=1, max=1095, help="how far ahead to look")] = 90,
    tenant: Annotated[str, typer.Option(help="whose leads")] = DEFAULT_TENANT,
    limit: Annotated[int, typer.Option(min=0, help="so many leads in the table")] = 25,
    json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="a line for each lead that changes")] = False,
    output: Annotated[
        Path | None, typer.Option("--out", help="write JSON or CSV here, by --json or --csv")
    ] = None,
) -> None:
    """Show which leads will fire, cross a threshold or end if nothing but time passes.

    From the tenant's day on, by the rules in force. Changes and tells nothing.
    """
    check_output(json=json, csv=csv, output=output)
    with err.status("Looking ahead"):
        as_of, currency, expected = lifecycle.run(
            _foretell(load_settings(EditionSettings), checked_tenant(tenant), days)
        )
    weeks = by_week(expected, as_of, days)
    if csv:
        deliver(as_csv(expected), output)
    elif json:
        deliver(orjson.dumps(as_json(weeks, expected, as_of, days)).decode() + "\n", output)
    else:
        err.print(f"From {as_of} on, {days} days")
        for part in tables(weeks, expected, currency, limit):
            out.print(part)


async def _foretell(
    settings: EditionSettings, tenant: str, days: int
) -> tuple[date, str, list[Expected]]:
    password = database_password(settings)
    async with snapshot_of(database_address(settings), password, tenant) as snapshot:
        return await foretell(snapshot, days)
