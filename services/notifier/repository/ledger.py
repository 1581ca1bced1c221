"""The SQL of the ledger: every attempt a row, and how each sink fares for each tenant."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier import tables as t
from services.notifier.domain.attempt import Delivered, Outcome, Rejected, Retryable, Unsure
from services.notifier.domain.circuit import SinkState
from shared.db import bulk

SinkKey = tuple[str, str, str]
"""(tenant id, channel, target)."""

_OUTCOMES = {
    Delivered: "delivered",
    Retryable: "retryable",
    Rejected: "rejected",
    Unsure: "unsure",
}


@dataclass(frozen=True)
class Attempt:
    """One call of a sink. `request_hash` is None when nothing was rendered or sent."""

    tenant_id: str
    delivery_id: str
    number: int
    started_at: datetime
    latency_ms: int | None
    request_hash: str | None
    outcome: Outcome


class Ledger:
    """Reads and writes `attempts` and `sinks`; every method runs in the caller's transaction."""

    async def add_attempts(self, connection: AsyncConnection, new: Sequence[Attempt]) -> None:
        """Keeps attempts; one that is told twice is kept once."""
        key = ("tenant_id", "delivery_id", "number")
        rows = [_attempt_row(attempt) for attempt in new]
        await bulk.upsert(connection, t.attempts, rows, key=key, guard="nothing")

    async def attempts(
        self, connection: AsyncConnection, tenant_id: str, delivery_id: str
    ) -> Sequence[Any]:
        """The attempts of a delivery, the first first."""
        statement = (
            select(t.attempts)
            .where(t.attempts.c.tenant_id == tenant_id, t.attempts.c.delivery_id == delivery_id)
            .order_by(t.attempts.c.number)
        )
        return (await connection.execute(statement)).all()

    async def forget(self, connection: AsyncConnection, tenant_id: str, before: datetime) -> None:
        """Removes a tenant's attempts from before a moment."""
        statement = delete(t.attempts).where(
            t.attempts.c.tenant_id == tenant_id, t.attempts.c.started_at < before
        )
        await connection.execute(statement)

    async def states(
        self, connection: AsyncConnection, tenants: Collection[str]
    ) -> dict[SinkKey, SinkState]:
        """How the sinks of these tenants fare, those of which something is remembered."""
        statement = select(t.sinks).where(t.sinks.c.tenant_id.in_(sorted(tenants)))
        return {_key(row): _state(row) for row in await connection.execute(statement)}

    async def lock_states(
        self, connection: AsyncConnection, keys: Collection[SinkKey]
    ) -> dict[SinkKey, SinkState]:
        """Makes sure that sinks have a row, locks them in key order, returns what is remembered."""
        wanted = sorted(keys)
        rows = [_sink_row(key, SinkState()) for key in wanted]
        await bulk.upsert(connection, t.sinks, rows, key=_SINK_KEY, guard="nothing")
        statement = (
            select(t.sinks)
            .where(tuple_(*(t.sinks.c[name] for name in _SINK_KEY)).in_(wanted))
            .order_by(*(t.sinks.c[name] for name in _SINK_KEY))
            .with_for_update()
        )
        return {_key(row): _state(row) for row in await connection.execute(statement)}

    async def save_states(
        self, connection: AsyncConnection, states: Mapping[SinkKey, SinkState]
    ) -> None:
        """Remembers how sinks fare."""
        rows = [_sink_row(key, state) for key, state in sorted(states.items())]
        await bulk.upsert(connection, t.sinks, rows, key=_SINK_KEY)


_SINK_KEY = ("tenant_id", "channel", "target")


def _key(row: Any) -> SinkKey:
    return row.tenant_id, row.channel, row.target


def _state(row: Any) -> SinkState:
    return SinkState(
        paused_until=row.paused_until,
        failures=row.failures,
        failing_since=row.failing_since,
        failed_at=row.failed_at,
        open_until=row.open_until,
        disabled_at=row.disabled_at,
        reason=row.reason,
    )


def _sink_row(key: SinkKey, state: SinkState) -> dict[str, Any]:
    return {**dict(zip(_SINK_KEY, key, strict=True)), **vars(state)}


def _attempt_row(attempt: Attempt) -> dict[str, Any]:
    outcome = attempt.outcome
    return {
        "tenant_id": attempt.tenant_id,
        "delivery_id": attempt.delivery_id,
        "number": attempt.number,
        "started_at": attempt.started_at,
        "latency_ms": attempt.latency_ms,
        "request_hash": attempt.request_hash,
        "status": outcome.status,
        "error": outcome.error,
        "outcome": _OUTCOMES[type(outcome)],
        "note": outcome.note if isinstance(outcome, Delivered) else outcome.reason,
    }
