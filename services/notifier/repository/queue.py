"""The SQL of the notifier's sending side: leases deliveries that are due, records what became of them.

A delivery is `sending` in a committed transaction before its sink is called, so that a crash leaves
a trace; whoever finds that trace after the lease has run out knows that it may have arrived.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier.domain.attempt import Dead, RetryAt, Sent, Step, Unknown, words
from services.notifier.domain.campaigns import THROUGH
from services.notifier.domain.contents import CONTENTS, Content
from services.notifier.domain.delivery import Delivery, Purpose, State
from services.notifier.domain.plan import Target
from services.notifier.domain.standing import CLOSED
from shared.db.queries import load_queries

_SQL = load_queries(__file__)
_PURPOSES = sorted(purpose.value for purpose in Purpose)
"""What we know of: a newer replica's deliveries are left to it."""


@dataclass(frozen=True)
class Wanted:
    """How many deliveries may be taken for a tenant's target. `alerts`: alerts only, or all others only;
    `per_account`: no alerts of accounts of which so many went out by themselves in a day.
    """

    tenant_id: str
    target: Target
    limit: int
    alerts: bool | None = None
    per_account: int | None = None


@dataclass(frozen=True)
class Unreadable:
    """A content that our code does not understand; `fields` says where."""

    fields: str


@dataclass(frozen=True)
class Leased:
    """A delivery in our hands as long as its token stands in the row.

    `in_doubt`: an earlier attempt may have arrived.
    """

    delivery: Delivery
    content: Content | Unreadable
    token: str
    event_id: str
    traceparent: str | None
    batch_id: str | None
    in_doubt: bool = False

    @property
    def target(self) -> tuple[str, str]:
        """(channel, address)."""
        return self.delivery.channel, self.delivery.target


@dataclass(frozen=True)
class Lease:
    """A claim on deliveries: whose it is, from when, for how long by the database's clock.

    `mine`: ids of deliveries that are under way here, which nobody here takes over.
    """

    token: str
    now: datetime
    lasts: timedelta
    mine: frozenset[str] = frozenset()


class DeliveryQueue:
    """Deliveries as work to do; every method runs in the caller's transaction."""

    async def tenants_with_work(self, connection: AsyncConnection, now: datetime) -> list[str]:
        """Tenants with something due or left behind; asked with the tick's role."""
        rows = await connection.execute(_SQL["tenants_with_work"], {"now": now})
        return sorted({row.tenant_id for row in rows})

    async def free_expired(self, connection: AsyncConnection, tenants: Collection[str]) -> None:
        """Puts back what an older version had leased and not begun when the lease ran out."""
        await connection.execute(_SQL["free_expired"], {"tenants": sorted(tenants)})

    async def lease(
        self, connection: AsyncConnection, wanted: Sequence[Wanted], lease: Lease
    ) -> list[Leased]:
        """Takes due deliveries, the best by score first, for each tenant's targets so many as wanted, and
        marks them as sending: once that is committed, they may be sent.
        """
        if not wanted:
            return []
        parameters = {
            "tenants": [each.tenant_id for each in wanted],
            "channels": [each.target.channel for each in wanted],
            "targets": [each.target.address for each in wanted],
            "limits": [each.limit for each in wanted],
            "alerts": [each.alerts for each in wanted],
            "per_account": [each.per_account for each in wanted],
            "keeps": [each.target.tells_withdrawals for each in wanted],
            "purposes": _PURPOSES,
            "token": lease.token,
            "now": lease.now,
            "lasts": lease.lasts,
        }
        rows = (await connection.execute(_SQL["lease"], parameters)).mappings()
        return [_leased(row) for row in rows]

    async def adopt(
        self,
        connection: AsyncConnection,
        tenants: Collection[str],
        targets: Sequence[Target],
        lease: Lease,
        *,
        limit: int,
    ) -> list[Leased]:
        """Takes over deliveries whose sender has not come back from `sending`: they may have arrived."""
        parameters = {
            "tenants": sorted(tenants),
            "channels": [target.channel for target in targets],
            "targets": [target.address for target in targets],
            "limit": limit,
            "purposes": _PURPOSES,
            "token": lease.token,
            "lasts": lease.lasts,
            "mine": sorted(lease.mine),
        }
        rows = (await connection.execute(_SQL["adopt"], parameters)).mappings()
        return [_leased(row) for row in rows]

    async def ended(
        self, connection: AsyncConnection, tenants: Collection[str], limit: int
    ) -> list[tuple[Leased, State, str]]:
        """Takes deliveries that ended unsent and of which nobody has been told: with state and note."""
        parameters = {"tenants": sorted(tenants), "limit": limit, "purposes": _PURPOSES}
        rows = (await connection.execute(_SQL["ended"], parameters)).mappings()
        return [(_leased(row), State(row["state"]), row["note"] or "") for row in rows]

    async def record(
        self, connection: AsyncConnection, steps: Sequence[tuple[Leased, Step]], now: datetime
    ) -> dict[str, State]:
        """Stores what became of sendings; returns the states by delivery id, of those still in our hands.

        What is to be tried again is cancelled instead when its lead was withdrawn or closed meanwhile, or
        its contact is not written to any more; the lock on the lead puts this decision before or after
        the news, never beside it.
        """
        items = [item for item, _ in steps]
        again = [item for item, step in steps if isinstance(step, RetryAt)]
        if again:
            await connection.execute(_SQL["lock_leads"], _keys(again))
        values = [_after(step, now) for _, step in steps]
        parameters = {
            **_keys(items),
            "states": [value["state"].value for value in values],
            "due": [value.get("due_at") for value in values],
            "failures": [value.get("failures") for value in values],
            "doubts": [value.get("in_doubt", False) for value in values],
            "receipts": [value.get("receipt") for value in values],
            "notes": [words(step) for _, step in steps],
            "closed": sorted(state.value for state in CLOSED),
            "through": THROUGH,
            "now": now,
        }
        rows = (await connection.execute(_SQL["record"], parameters)).all()
        return {row.delivery_id: State(row.state) for row in rows}


def _after(step: Step, now: datetime) -> dict[str, Any]:
    match step:
        case Sent(_, receipt):
            return {"state": State.SENT, "receipt": _json(receipt)}
        case Dead():
            return {"state": State.DEAD}
        case Unknown():
            return {"state": State.UNKNOWN}
        case RetryAt():
            return {
                "state": State.RETRY,
                "due_at": now + timedelta(seconds=step.after_s),
                "failures": step.failures,
                "in_doubt": step.in_doubt,
            }


def _json(receipt: Mapping[str, str] | None) -> str | None:
    return None if receipt is None else json.dumps(dict(receipt))


def _keys(items: Sequence[Leased]) -> dict[str, list[Any]]:
    return {
        "tenants": [item.delivery.tenant_id for item in items],
        "ids": [item.delivery.id for item in items],
        "tokens": [item.token for item in items],
    }


def _leased(row: Mapping[Any, Any]) -> Leased:
    purpose = Purpose(row["purpose"])
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
        number=row["number"],
        thread=row["thread"],
    )
    return Leased(
        delivery=delivery,
        content=_content(purpose, row["content"]),
        token=row["lease_token"] or "",
        event_id=row["event_id"],
        traceparent=row["traceparent"],
        batch_id=row["batch_id"],
        in_doubt=row["in_doubt"],
    )


def _content(purpose: Purpose, stored: Any) -> Content | Unreadable:
    try:
        return CONTENTS[purpose].model_validate(stored)
    except ValidationError as error:
        return Unreadable(", ".join(sorted({".".join(map(str, e["loc"])) for e in error.errors()})))
