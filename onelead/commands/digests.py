"""`onelead digests KIND`: what a digest would say if it went out now; nothing is sent or remembered."""

from typing import Annotated, Literal

import orjson
import typer
from rich.table import Table

from onelead import lifecycle
from onelead.console import err, out
from onelead.edition.edition import DEFAULT_TENANT
from onelead.service_database import service_connection
from onelead.settings import EditionSettings
from onelead.whose import checked_tenant
from services.notifier.digests import Window, look
from services.notifier.domain.contents import Digest
from services.notifier.domain.digests import DigestTimes, digest_of
from services.notifier.domain.message import amount_text
from shared import clock
from shared.settings import load_settings


def digests(
    kind: Annotated[
        Literal["daily", "weekly", "ageing"], typer.Argument(help="which digest")
    ] = "daily",
    *,
    tenant: Annotated[str, typer.Option(help="whose leads")] = DEFAULT_TENANT,
    office: Annotated[str, typer.Option(help="of one office only")] = "",
    json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Show what a digest would say now: new leads, critical ones, the pipeline, the best to call."""
    checked = checked_tenant(tenant)
    digest = lifecycle.run(_digest(checked, kind, office))
    if digest is None:
        err.print("Nothing to tell")
    elif json:
        shown = orjson.dumps(orjson.loads(digest.model_dump_json()), option=orjson.OPT_INDENT_2)
        out.out(shown.decode(), highlight=False)
    else:
        _print(digest)


async def _digest(
    tenant_id: str, kind: Literal["daily", "weekly", "ageing"], office: str
) -> Digest | None:
    times, now = DigestTimes(), clock.now()
    window = Window(tenant_id, kind, now, now)
    settings = load_settings(EditionSettings)
    async with service_connection(settings, "notifier", tenant_id) as connection:
        found = await look(connection, window, times, "")
    sums = [row for row in found.sums if not office or row.office_id == office]
    lines = [line for line in found.lines if not office or line.office_id == office]
    return digest_of(found.frame, sums, lines)


def _print(digest: Digest) -> None:
    pipeline = amount_text(digest.pipeline, digest.currency)
    out.print(f"{digest.title}; {digest.critical:,} CRITICAL; pipeline {pipeline}", markup=False)
    if digest.territories:
        territories = Table("Territory", "Leads", "Critical", "Pipeline")
        for each in digest.territories:
            amount = amount_text(each.pipeline, digest.currency)
            territories.add_row(each.territory, f"{each.leads:,}", f"{each.critical:,}", amount)
        out.print(territories)
    lines = Table("Score", "Priority", "Lead", "Account", "Value", "Note")
    for line in digest.lines:
        amount = amount_text(line.value_max, digest.currency)
        lines.add_row(
            f"{line.score}", str(line.priority), line.title, line.account, amount, line.note
        )
    if digest.lines:
        out.print(lines)
