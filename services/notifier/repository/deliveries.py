"""The SQL of what is to be told: deliveries added, put off and cancelled, and who was told of a lead."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier import tables as t
from services.notifier.domain.contents import Content, office_of
from services.notifier.domain.delivery import Delivery, State
from services.notifier.domain.message import Alert
from services.notifier.domain.moves import ELSEWHERE
from services.notifier.domain.plan import Target
from services.notifier.domain.routing import Withdraw
from services.notifier.repository.leads import Key
from shared.db import bulk
from shared.db.queries import load_queries

_SQL = load_queries(__file__)
_KEY = ("tenant_id", "lead_id", "episode", "purpose", "number", "channel", "target")
_TO_BE_TOLD = (
    "held.purpose = 'alert' AND (held.state = 'pending' AND held.tries = 0"
    f" OR held.state = 'cancelled' AND held.note = '{ELSEWHERE}')"
)


@dataclass(frozen=True)
class NewDelivery:
    """A delivery to make, with what it says, from when on, and what caused it."""

    delivery: Delivery
    content: Content
    due_at: datetime
    event_id: str
    traceparent: str | None = None
    batch_id: str | None = None


@dataclass(frozen=True)
class Told:
    """A sink that an alert was, or may have been, sent to; `alert` is what it said."""

    key: Key
    episode: int
    target: Target
    alert: Alert


class NotifierRepository:
    """Writes `deliveries`; every method runs in the caller's transaction."""

    async def add(self, connection: AsyncConnection, new: Sequence[NewDelivery]) -> None:
        """Adds deliveries that do not exist: the same news goes to the same sink once.

        An alert that waits and whose sending has not begun says what its lead says now: nobody who was
        not told yet is sent an update. One that was cancelled because its lead was elsewhere waits again.
        """
        newest = {tuple(row[name] for name in _KEY): row for row in map(_delivery_row, new)}
        await bulk.upsert(
            connection, t.deliveries, list(newest.values()), key=_KEY, guard=_TO_BE_TOLD
        )

    async def cancel(
        self, connection: AsyncConnection, ended: Mapping[Key, Withdraw], now: datetime
    ) -> None:
        """Cancels what was to be told of leads and whose sending has not begun."""
        if ended:
            items = sorted(ended.items(), key=lambda pair: pair[0])
            parameters = {
                **_keys([key for key, _ in items]),
                "through": [withdraw.through for _, withdraw in items],
                "reasons": [withdraw.reason for _, withdraw in items],
                "alerts_only": [withdraw.alerts_only for _, withdraw in items],
                "now": now,
            }
            await connection.execute(_SQL["cancel"], parameters)

    async def told(
        self, connection: AsyncConnection, leads: Collection[Key], keepers: Collection[Target]
    ) -> list[Told]:
        """Where alerts of these leads went or may have gone; `keepers` are the targets that keep records."""
        if not leads:
            return []
        keeping = {(target.channel, target.address): target for target in keepers}
        rows = await connection.execute(_SQL["told"], _keys(sorted(leads)))
        return [
            Told(
                (row.tenant_id, row.lead_id),
                row.episode,
                keeping.get((row.channel, row.target), Target(row.channel, row.target)),
                Alert.model_validate(row.content),
            )
            for row in rows
        ]

    async def supersede(
        self, connection: AsyncConnection, new: Sequence[NewDelivery], now: datetime
    ) -> None:
        """Cancels older updates that still wait where a newer one now stands."""
        if new:
            found = sorted({_sink(item) for item in new})
            parameters = {
                **_keys([(tenant, lead) for tenant, lead, _, _ in found]),
                "channels": [channel for _, _, channel, _ in found],
                "targets": [target for _, _, _, target in found],
                "now": now,
            }
            await connection.execute(_SQL["supersede"], parameters)

    async def waiting_alerts(
        self, connection: AsyncConnection, leads: Collection[Key]
    ) -> list[tuple[Key, int, str, str]]:
        """Locks the alerts of these leads that were not begun: (lead, episode, channel, target)."""
        if not leads:
            return []
        rows = await connection.execute(_SQL["alerts_not_begun"], _keys(sorted(leads)))
        return [((r.tenant_id, r.lead_id), r.episode, r.channel, r.target) for r in rows]

    async def put_off(
        self, connection: AsyncConnection, alerts: Mapping[tuple[Key, int, str, str], datetime]
    ) -> None:
        """Sets from when on waiting alerts may go out."""
        if alerts:
            items = sorted(alerts.items())
            parameters = {
                **_keys([key for (key, _, _, _), _ in items]),
                "episodes": [episode for (_, episode, _, _), _ in items],
                "channels": [channel for (_, _, channel, _), _ in items],
                "targets": [target for (_, _, _, target), _ in items],
                "due": [due for _, due in items],
            }
            await connection.execute(_SQL["put_off"], parameters)

    async def waiting(self, connection: AsyncConnection) -> dict[str, int]:
        """Deliveries without a final state by channel; asked with the metrics' role."""
        return {row.channel: row.waiting for row in await connection.execute(_SQL["waiting"])}


def _delivery_row(new: NewDelivery) -> dict[str, Any]:
    delivery = new.delivery
    about = new.content if isinstance(new.content, Alert) else None
    return {
        "tenant_id": delivery.tenant_id,
        "lead_id": delivery.lead_id,
        "episode": delivery.episode,
        "purpose": delivery.purpose.value,
        "number": delivery.number,
        "channel": delivery.channel,
        "target": delivery.target,
        "delivery_id": delivery.id,
        "account_id": about.account_id if about else None,
        "office_id": office_of(new.content),
        "score": about.score if about else None,
        "state": State.PENDING.value,
        "announced": False,
        "settled_at": None,
        "note": None,
        "content": new.content.model_dump_json().encode(),
        "created_at": delivery.created_at,
        "due_at": new.due_at,
        "event_id": new.event_id,
        "traceparent": new.traceparent,
        "batch_id": new.batch_id,
    }


def _sink(new: NewDelivery) -> tuple[str, str, str, str]:
    delivery = new.delivery
    return delivery.tenant_id, delivery.lead_id, delivery.channel, delivery.target


def _keys(leads: Sequence[Key]) -> dict[str, list[str]]:
    return {"tenants": [tenant for tenant, _ in leads], "leads": [lead for _, lead in leads]}
