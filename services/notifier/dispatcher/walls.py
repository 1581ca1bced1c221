"""The last wall between offices: reads whose lead each delivery is about now, cancels what its target may
not hear any more instead of sending it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier.domain.moves import outdated
from services.notifier.domain.plan import Plan, Target
from services.notifier.repository import Key, Leased
from services.notifier.repository.moves import call_off, whose


async def let_out(
    connection: AsyncConnection, plan: Plan, leased: Sequence[Leased], now: datetime
) -> list[Leased]:
    """Those that may be sent, of what was leased in this transaction; the others are cancelled.

    What a move cancels is no more here; this is for what was under way then, was put into the queue by
    hand since, or waits for a sink that was since told to hear of fewer offices.
    """
    if not leased:
        return []
    targets = {(target.channel, target.address): target for target in plan.targets}
    offices = await whose(connection, leased)
    kept: list[Leased] = []
    held: list[tuple[Leased, str]] = []
    for item in leased:
        why = _why_not(item, targets[item.target], plan, offices)
        if why is None:
            kept.append(item)
        else:
            held.append((item, why))
    await call_off(connection, held, now)
    return kept


def _why_not(
    item: Leased, target: Target, plan: Plan, offices: Mapping[Key, str | None]
) -> str | None:
    delivery = item.delivery
    key = (delivery.tenant_id, delivery.lead_id)
    if key not in offices:
        return None
    sees = plan.sees(target, delivery.tenant_id, offices[key])
    return outdated(item.content, delivery.purpose, sees=sees)
