"""The SQL of leads that went to another office: what those who may hear of them no more were to hear."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier.domain.plan import Target
from services.notifier.repository.leads import Key
from shared.db.queries import load_queries

_SQL = load_queries(__file__)


async def lead_offices(
    connection: AsyncConnection, leads: Collection[Key]
) -> dict[Key, str | None]:
    """The offices of those of these leads that hold."""
    tenants, ids = _columns(leads, 2)
    rows = await connection.execute(_SQL["lead_offices"], {"tenants": tenants, "leads": ids})
    return {(row.tenant_id, row.lead_id): row.office_id for row in rows}


async def cut_off(
    connection: AsyncConnection, hearing: Mapping[Key, Collection[Target]], note: str, now: datetime
) -> None:
    """Cancels what waits for targets that may hear of these leads no more; what was so cancelled for
    those that may again waits again."""
    pairs = [(*key, t.channel, t.address) for key, found in hearing.items() for t in found]
    of = dict(
        zip(("of_tenants", "of_leads", "channels", "targets"), _columns(pairs, 4), strict=True)
    )
    moved = dict(zip(("tenants", "leads"), _columns(hearing, 2), strict=True))
    if hearing:
        await connection.execute(_SQL["cut_off"], {**moved, **of, "note": note, "now": now})
        await connection.execute(_SQL["bring_back"], {**of, "note": note, "now": now})


def _columns(rows: Collection[tuple[str, ...]], width: int) -> list[list[str]]:
    return [[row[column] for row in rows] for column in range(width)]
