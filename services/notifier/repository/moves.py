"""The SQL of leads that went to another office: what must not be told any more is cancelled."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier.domain.moves import BACK, ELSEWHERE
from services.notifier.domain.plan import Plan
from services.notifier.repository.leads import Key
from services.notifier.repository.queue import Leased
from shared.db.queries import load_queries

_SQL = load_queries(__file__)

Hearer = tuple[str, str, str, str]
"""A target, and of which lead: (tenant id, lead id, channel, address)."""


async def follow(
    connection: AsyncConnection, plan: Plan, offices: Mapping[Key, str | None], now: datetime
) -> set[Hearer]:
    """Cancels what waits about leads for targets that may not hear of their office, and what was to tell
    those that may that the lead is gone.

    Returns who so never learns that it was gone. Targets that are not configured here are left alone.
    """
    if not offices:
        return set()
    deaf: list[Hearer] = []
    seeing: list[Hearer] = []
    for key, office in offices.items():
        for target in plan.targets:
            found = seeing if plan.sees(target, key[0], office) else deaf
            found.append((*key, target.channel, target.address))
    await connection.execute(_SQL["cut_off"], {**_columns(deaf), "note": ELSEWHERE, "now": now})
    parameters = {**_columns(seeing), "reason": ELSEWHERE, "note": BACK, "now": now}
    rows = await connection.execute(_SQL["take_back"], parameters)
    return {(r.tenant_id, r.lead_id, r.channel, r.target) for r in rows if not r.in_doubt}


async def whose(connection: AsyncConnection, leased: Sequence[Leased]) -> dict[Key, str | None]:
    """The offices of leads that hold; as their deliveries are locked by now, no move is missed."""
    keys = [(item.delivery.tenant_id, item.delivery.lead_id) for item in leased]
    parameters = {"tenants": [each for each, _ in keys], "leads": [each for _, each in keys]}
    rows = await connection.execute(_SQL["lead_offices"], parameters)
    return {(row.tenant_id, row.lead_id): row.office_id for row in rows}


async def call_off(
    connection: AsyncConnection, leased: Sequence[tuple[Leased, str]], now: datetime
) -> None:
    """Cancels, for these reasons, what was leased in this transaction and is not to be sent."""
    if leased:
        parameters = {
            "tenants": [item.delivery.tenant_id for item, _ in leased],
            "ids": [item.delivery.id for item, _ in leased],
            "notes": [note for _, note in leased],
            "now": now,
        }
        await connection.execute(_SQL["call_off"], parameters)


def _columns(rows: Collection[Hearer]) -> dict[str, list[str]]:
    names = ("tenants", "leads", "channels", "targets")
    return {name: [row[column] for row in rows] for column, name in enumerate(names)}
