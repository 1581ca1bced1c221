"""The last wall between offices: reads whose lead each delivery is about now, cancels what its target may
not hear any more instead of sending it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier.domain.moves import outdated
from services.notifier.domain.plan import Plan
from services.notifier.repository import Leased
from services.notifier.repository.moves import call_off


async def let_out(
    connection: AsyncConnection, plan: Plan, leased: Sequence[Leased], now: datetime
) -> list[Leased]:
    """Those that may be sent, of what was leased in this transaction; the others are cancelled.

    What a move cancels is no more here; this is for what was under way then, was put into the queue by
    hand since, or waits for a sink that was since told to hear of fewer offices.
    """
    targets = {(target.channel, target.address): target for target in plan.targets}
    kept: list[Leased] = []
    held: list[tuple[Leased, str]] = []
    for item in leased:
        target, delivery = targets[item.target], item.delivery
        found = (
            outdated(
                item.content, delivery.purpose, sees=plan.sees(target, delivery.tenant_id, office)
            )
            for office in item.lead_office
        )
        if (why := next(found, None)) is None:
            kept.append(item)
        else:
            held.append((item, why))
    await call_off(connection, held, now)
    return kept
