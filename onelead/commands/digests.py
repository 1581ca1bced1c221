"""`onelead digests KIND`: what a digest would say if it went out now; nothing is sent or remembered."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import orjson
import typer
from rich.table import Table
from rich.text import Text

from onelead import lifecycle
from onelead.console import err, out
from onelead.edition.edition import DEFAULT_TENANT
from onelead.service_database import service_connection
from onelead.settings import EditionSettings
from onelead.whose import checked_tenant
from services.notifier.digests import Window, look
from services.notifier.domain.contents import Digest
from services.notifier.domain.digests import DigestTimes, Kind, digest_of
from services.notifier.domain.message import amount_text
from services.notifier.settings import NotifierSettings
from shared import clock
from shared.access import NO_DATABASE
from shared.settings import load_settings

_NOTHING: dict[Kind, str] = {
    "daily": "no lead is new since yesterday",
    "weekly": "no lead is open",
    "ageing": "no CRITICAL or HIGH lead was left alone for so long",
}


def digests(
    kind: Annotated[Kind, typer.Argument(help="which digest")] = "daily",
    *,
    tenant: Annotated[str, typer.Option(help="whose leads")] = DEFAULT_TENANT,
    office: Annotated[str, typer.Option(help="of one office only")] = "",
    file: Annotated[
        Path | None,
        typer.Option("--file", help="a notify file, for its hours; unset: ONELEAD_NOTIFY_FILE"),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="one JSON object; null: nothing to tell")
    ] = False,
) -> None:
    """Show what a digest would say now: new leads, critical ones, the pipeline, the best to call.

    They go out by themselves; `onelead deliveries list --purpose daily_digest` shows to whom.
    """
    checked = checked_tenant(tenant)
    digest = lifecycle.run(_digest(checked, kind, office, _times(file)))
    if json:
        shown = None if digest is None else orjson.loads(digest.model_dump_json())
        out.out(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode(), highlight=False)
    elif digest is None:
        err.print(f"Nothing to tell: {_NOTHING[kind]}")
    else:
        _print(digest)


def _times(file: Path | None) -> DigestTimes:
    """The hours and days that the notifier would use."""
    settings = load_settings(NotifierSettings, kafka_bootstrap="", database_url=NO_DATABASE)
    wanted = settings.notifications(file).file
    return wanted.digests.times(ZoneInfo(wanted.time_zone))


async def _digest(tenant_id: str, kind: Kind, office: str, times: DigestTimes) -> Digest | None:
    now = clock.now()
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
            territories.add_row(
                Text(each.territory), f"{each.leads:,}", f"{each.critical:,}", amount
            )
        out.print(territories)
    lines = Table("Score", "Priority", "Lead", "Account", "Value", "Note")
    for line in digest.lines:
        amount = amount_text(line.value_max, digest.currency)
        lines.add_row(
            f"{line.score}",
            str(line.priority),
            Text(line.title),
            Text(line.account),
            amount,
            Text(line.note),
        )
    if digest.lines:
        out.print(lines)
