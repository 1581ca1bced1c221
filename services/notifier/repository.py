"""The SQL of the notifier's consuming side: leads as last heard of, deliveries made and cancelled."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier import tables as t
from services.notifier.domain.delivery import Delivery, State
from services.notifier.domain.message import Content
from services.notifier.domain.routing import Known, Withdraw
from shared.db import bulk

Key = tuple[str, str]
"""(tenant id, lead id)."""

_WITHDRAWN = """unnest(CAST(:tenants AS text[]), CAST(:leads AS text[]), CAST(:through AS int[]),
                  CAST(:reasons AS text[])) AS w(tenant_id, lead_id, through, reason)"""

_CANCEL = text(
    f"""
    UPDATE notifier.deliveries d
    SET state = 'cancelled', settled_at = :now, lease_token = NULL, note = 'withdrawn: ' || w.reason
    FROM {_WITHDRAWN}
    WHERE d.tenant_id = w.tenant_id AND d.lead_id = w.lead_id AND d.episode <= w.through
      AND d.purpose = 'alert' AND d.state IN ('pending', 'retry', 'leased')
    """
)
_ADD_WITHDRAWALS = text(
    f"""
    INSERT INTO notifier.deliveries (tenant_id, lead_id, episode, purpose, channel, target, state,
                                     content, created_at, due_at, event_id, traceparent, batch_id)
    SELECT DISTINCT ON (d.tenant_id, d.lead_id, d.channel, d.target)
           d.tenant_id, d.lead_id, d.episode, 'withdrawal', d.channel, d.target, 'pending',
           jsonb_build_object('alert', d.content, 'reason', w.reason),
           :now, :now, d.event_id, d.traceparent, d.batch_id
    FROM notifier.deliveries d
    JOIN {_WITHDRAWN}
      ON d.tenant_id = w.tenant_id AND d.lead_id = w.lead_id AND d.episode <= w.through
    WHERE d.purpose = 'alert' AND d.tries > 0 AND d.channel = ANY(CAST(:channels AS text[]))
    ORDER BY d.tenant_id, d.lead_id, d.channel, d.target, d.episode DESC
    ON CONFLICT (tenant_id, lead_id, episode, purpose, channel, target) DO NOTHING
    """
)

_WAITING = text(
    """
    SELECT channel, count(*) AS waiting FROM notifier.deliveries
    WHERE state IN ('pending', 'retry', 'leased', 'sending') GROUP BY channel
    """
)


@dataclass(frozen=True)
class NewDelivery:
    """A delivery to make, with what it says and what caused it."""

    delivery: Delivery
    content: Content
    event_id: str
    traceparent: str | None
    batch_id: str | None


class NotifierRepository:
    """Reads and writes schema `notifier`; every method runs in the caller's transaction."""

    async def lock_leads(
        self, connection: AsyncConnection, leads: Collection[Key]
    ) -> dict[Key, Known]:
        """Makes sure that the leads have a row, locks them in key order, returns what is held."""
        wanted = sorted(leads)
        rows = [_lead_row(key, Known()) for key in wanted]
        await bulk.upsert(connection, t.leads, rows, key=("tenant_id", "lead_id"), guard="nothing")
        statement = (
            select(t.leads)
            .where(tuple_(t.leads.c.tenant_id, t.leads.c.lead_id).in_(wanted))
            .order_by(t.leads.c.tenant_id, t.leads.c.lead_id)
            .with_for_update()
        )
        return {
            (row.tenant_id, row.lead_id): Known(
                row.version, row.withdrawn, row.episode, row.withdrawn_through
            )
            for row in await connection.execute(statement)
        }

    async def save_leads(self, connection: AsyncConnection, leads: Mapping[Key, Known]) -> None:
        """Stores what is now held of leads, where it is newer."""
        await bulk.upsert(
            connection,
            t.leads,
            [_lead_row(key, known) for key, known in sorted(leads.items())],
            key=("tenant_id", "lead_id"),
            guard="held.version < excluded.version",
        )

    async def add(self, connection: AsyncConnection, new: Sequence[NewDelivery]) -> None:
        """Adds deliveries that do not exist: the same news goes to the same sink once."""
        await bulk.upsert(
            connection,
            t.deliveries,
            [_delivery_row(item) for item in new],
            key=("tenant_id", "lead_id", "episode", "purpose", "channel", "target"),
            guard="nothing",
        )

    async def cancel(
        self, connection: AsyncConnection, withdrawn: Mapping[Key, Withdraw], now: datetime
    ) -> None:
        """Cancels the alerts of withdrawn leads whose sending has not begun."""
        if withdrawn:
            await connection.execute(_CANCEL, {**_arrays(withdrawn), "now": now})

    async def add_withdrawals(
        self,
        connection: AsyncConnection,
        withdrawn: Mapping[Key, Withdraw],
        channels: Collection[str],
        now: datetime,
    ) -> None:
        """Adds a withdrawal for each sink on `channels` that an alert was or may have been sent to."""
        if withdrawn and channels:
            parameters = {**_arrays(withdrawn), "channels": sorted(channels), "now": now}
            await connection.execute(_ADD_WITHDRAWALS, parameters)

    async def waiting(self, connection: AsyncConnection) -> dict[str, int]:
        """Deliveries without a final state by channel; asked with the metrics' role."""
        return {row.channel: row.waiting for row in await connection.execute(_WAITING)}


def _lead_row(key: Key, known: Known) -> dict[str, Any]:
    return {
        "tenant_id": key[0],
        "lead_id": key[1],
        "version": known.version,
        "withdrawn": known.withdrawn,
        "episode": known.episode,
        "withdrawn_through": known.withdrawn_through,
    }


def _delivery_row(new: NewDelivery) -> dict[str, Any]:
    delivery = new.delivery
    return {
        "tenant_id": delivery.tenant_id,
        "lead_id": delivery.lead_id,
        "episode": delivery.episode,
        "purpose": delivery.purpose.value,
        "channel": delivery.channel,
        "target": delivery.target,
        "state": State.PENDING.value,
        "content": new.content.model_dump_json().encode(),
        "created_at": delivery.created_at,
        "due_at": delivery.created_at,
        "event_id": new.event_id,
        "traceparent": new.traceparent,
        "batch_id": new.batch_id,
    }


def _arrays(withdrawn: Mapping[Key, Withdraw]) -> dict[str, list[Any]]:
    items = sorted(withdrawn.items(), key=lambda pair: pair[0])
    return {
        "tenants": [key[0] for key, _ in items],
        "leads": [key[1] for key, _ in items],
        "through": [withdraw.through for _, withdraw in items],
        "reasons": [withdraw.reason for _, withdraw in items],
    }
