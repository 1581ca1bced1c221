"""The SQL of the notifier's sending side: leases deliveries that are due, records what became of them.

A delivery is `sending` in a committed transaction before its sink is called, so that a crash leaves
a trace; whoever finds that trace after the lease has run out knows that it may have arrived.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier import tables as t
from services.notifier.domain.attempt import Dead, RetryAt, Sent, Step, Unknown
from services.notifier.domain.delivery import Delivery, Purpose, State
from services.notifier.domain.message import Alert, Content, Withdrawal
from services.notifier.domain.routing import Target
from shared.db import bulk

_KEY = ("tenant_id", "lead_id", "episode", "purpose", "channel", "target")

_TENANTS_WITH_WORK = text(
    """
    SELECT DISTINCT tenant_id FROM notifier.deliveries
    WHERE (state IN ('pending', 'retry') AND due_at <= :now)
       OR (state IN ('leased', 'sending') AND leased_until < :now)
    """
)
_LEASE = text(
    """
    WITH picked AS MATERIALIZED (  -- picked once: joined, a sub-select that locks may run again
      SELECT c.tenant_id, c.lead_id, c.episode, c.purpose, c.channel, c.target
      FROM notifier.deliveries c
      WHERE c.tenant_id = ANY(CAST(:tenants AS text[])) AND c.channel = :channel
        AND c.target = :target AND c.state IN ('pending', 'retry') AND c.due_at <= :now
        AND NOT EXISTS (  -- what is told of one lead goes out in its order
          SELECT FROM notifier.deliveries e
          WHERE e.tenant_id = c.tenant_id AND e.lead_id = c.lead_id AND e.channel = c.channel
            AND e.target = c.target AND (e.episode, e.purpose) < (c.episode, c.purpose)
            AND e.state IN ('pending', 'retry', 'leased', 'sending'))
        AND NOT EXISTS (
          SELECT FROM notifier.pauses p
          WHERE p.tenant_id = c.tenant_id AND p.channel = c.channel AND p.target = c.target
            AND p.paused_until > :now)
      ORDER BY c.due_at, c.tenant_id, c.lead_id
      LIMIT :limit
      FOR UPDATE OF c SKIP LOCKED
    )
    UPDATE notifier.deliveries d
    SET state = 'leased', lease_token = :token, leased_until = :until
    FROM picked
    WHERE d.tenant_id = picked.tenant_id AND d.lead_id = picked.lead_id
      AND d.episode = picked.episode AND d.purpose = picked.purpose
      AND d.channel = picked.channel AND d.target = picked.target
    RETURNING d.*
    """
)
_ABANDONED = text(
    """
    SELECT * FROM notifier.deliveries
    WHERE tenant_id = ANY(CAST(:tenants AS text[])) AND channel = :channel AND target = :target
      AND state = 'sending' AND leased_until < :now
    ORDER BY tenant_id, lead_id, episode, purpose
    FOR UPDATE SKIP LOCKED
    """
)
_FREE_EXPIRED = text(
    """
    UPDATE notifier.deliveries
    SET state = CASE WHEN tries > 0 THEN 'retry' ELSE 'pending' END, lease_token = NULL
    WHERE tenant_id = ANY(CAST(:tenants AS text[])) AND state = 'leased' AND leased_until < :now
    """
)


@dataclass(frozen=True)
class Leased:
    """A delivery in our hands as long as its token stands in the row."""

    delivery: Delivery
    content: Content
    token: str
    event_id: str
    traceparent: str | None
    batch_id: str | None


class DeliveryQueue:
    """Deliveries as work to do; every method runs in the caller's transaction."""

    async def tenants_with_work(self, connection: AsyncConnection, now: datetime) -> list[str]:
        """Tenants with something due or left behind; asked with the tick's role."""
        rows = await connection.execute(_TENANTS_WITH_WORK, {"now": now})
        return sorted(row.tenant_id for row in rows)

    async def lease(
        self,
        connection: AsyncConnection,
        tenants: Collection[str],
        target: Target,
        *,
        token: str,
        now: datetime,
        until: datetime,
        limit: int,
    ) -> list[Leased]:
        """Takes up to `limit` due deliveries to one sink that does not rest."""
        parameters = {
            **_sink(tenants, target),
            "token": token,
            "now": now,
            "until": until,
            "limit": limit,
        }
        return [_leased(row) for row in (await connection.execute(_LEASE, parameters)).mappings()]

    async def begin(
        self, connection: AsyncConnection, leased: Leased, until: datetime
    ) -> Leased | None:
        """Marks it as sending; None when it was cancelled or taken away in the meantime."""
        statement = (
            update(t.deliveries)
            .where(*_held(leased), t.deliveries.c.state == State.LEASED.value)
            .values(state=State.SENDING.value, leased_until=until, tries=t.deliveries.c.tries + 1)
            .returning(t.deliveries.c.tries)
        )
        tries = await connection.scalar(statement)
        if tries is None:
            return None
        return replace(leased, delivery=replace(leased.delivery, tries=tries))

    async def abandoned(
        self,
        connection: AsyncConnection,
        tenants: Collection[str],
        target: Target,
        now: datetime,
    ) -> list[Leased]:
        """Locks the deliveries whose sender has not come back from `sending`."""
        parameters = {**_sink(tenants, target), "now": now}
        rows = (await connection.execute(_ABANDONED, parameters)).mappings()
        return [_leased(row) for row in rows]

    async def free_expired(
        self, connection: AsyncConnection, tenants: Collection[str], now: datetime
    ) -> None:
        """Puts back what was leased and not begun when the lease ran out: nothing was sent."""
        await connection.execute(_FREE_EXPIRED, {"tenants": sorted(tenants), "now": now})

    async def record(
        self, connection: AsyncConnection, leased: Leased, step: Step, now: datetime
    ) -> State | None:
        """Stores what became of a sending; None when somebody else has settled it.

        An alert to be tried again is cancelled instead when its lead was withdrawn meanwhile; the
        lock on the lead puts this decision before or after the withdrawal, never beside it.
        """
        delivery = leased.delivery
        through = await connection.scalar(
            select(t.leads.c.withdrawn_through)
            .where(t.leads.c.tenant_id == delivery.tenant_id, t.leads.c.lead_id == delivery.lead_id)
            .with_for_update(read=True)
        )
        values = _after(step, now)
        obsolete = delivery.purpose is Purpose.ALERT and (through or 0) >= delivery.episode
        if isinstance(step, RetryAt) and obsolete:
            values |= {"state": State.CANCELLED.value, "settled_at": now}
        statement = (
            update(t.deliveries)
            .where(*_held(leased), t.deliveries.c.state == State.SENDING.value)
            .values(lease_token=None, **values)
            .returning(t.deliveries.c.state)
        )
        state = await connection.scalar(statement)
        return None if state is None else State(state)

    async def pause(self, connection: AsyncConnection, delivery: Delivery, until: datetime) -> None:
        """Lets the sink of a delivery rest until then, for every process."""
        row = {
            "tenant_id": delivery.tenant_id,
            "channel": delivery.channel,
            "target": delivery.target,
            "paused_until": until,
        }
        await bulk.upsert(
            connection,
            t.pauses,
            [row],
            key=("tenant_id", "channel", "target"),
            guard="held.paused_until < excluded.paused_until",
        )


def _sink(tenants: Collection[str], target: Target) -> dict[str, Any]:
    return {"tenants": sorted(tenants), "channel": target.channel, "target": target.address}


def _held(leased: Leased) -> list[Any]:
    """The row of a delivery, as long as it is ours."""
    key = [t.deliveries.c[name] == getattr(leased.delivery, name) for name in _KEY]
    return [*key, t.deliveries.c.lease_token == leased.token]


def _after(step: Step, now: datetime) -> dict[str, Any]:
    match step:
        case Sent(note):
            return {"state": State.SENT.value, "settled_at": now, "note": note}
        case Dead(reason):
            return {"state": State.DEAD.value, "settled_at": now, "note": reason}
        case Unknown(reason):
            return {"state": State.UNKNOWN.value, "settled_at": now, "note": reason}
        case RetryAt():
            due_at = now + timedelta(seconds=step.after_s)
            return {
                "state": State.RETRY.value,
                "due_at": due_at,
                "failures": step.failures,
                "note": step.reason,
            }


def _leased(row: Mapping[Any, Any]) -> Leased:
    purpose = Purpose(row["purpose"])
    kind = Alert if purpose is Purpose.ALERT else Withdrawal
    delivery = Delivery(
        tenant_id=row["tenant_id"],
        lead_id=row["lead_id"],
        episode=row["episode"],
        purpose=purpose,
        channel=row["channel"],
        target=row["target"],
        created_at=row["created_at"],
        failures=row["failures"],
        tries=row["tries"],
    )
    return Leased(
        delivery=delivery,
        content=kind.model_validate(row["content"]),
        token=row["lease_token"],
        event_id=row["event_id"],
        traceparent=row["traceparent"],
        batch_id=row["batch_id"],
    )
