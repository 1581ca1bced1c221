"""The SQL of campaigns: contacts enrolled, steps that are due, and addresses nobody writes to any more."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier import tables as t
from services.notifier.domain.campaigns import THROUGH, Enrolment
from services.notifier.repository.leads import Key
from shared.db import bulk
from shared.db.queries import load_queries
from shared.events import LeadState

UNSUBSCRIBED = "unsubscribed"
BOUNCED = "bounced"
_SQL = load_queries(__file__)


class PeopleRepository:
    """Reads and writes `enrolments` and `suppressed`; every method runs in the caller's transaction."""

    async def enrol(
        self, connection: AsyncConnection, enrolment: Enrolment, *, actor: str
    ) -> Enrolment | None:
        """Begins a campaign for a contact, again when an earlier one is over; None while one runs."""
        row = {**_row(enrolment), "next_at": enrolment.started_at, "ended": None, "actor": actor}
        statement = insert(t.enrolments).values(**row)
        again = {**row, "round": t.enrolments.c.round + 1}
        statement = statement.on_conflict_do_update(
            index_elements=["tenant_id", "lead_id", "contact"],
            set_={name: value for name, value in again.items() if name not in _KEY},
            where=t.enrolments.c.ended.is_not(None),
        )
        found = (await connection.execute(statement.returning(t.enrolments))).one_or_none()
        return None if found is None else _enrolment(found)

    async def tenants_with_steps(self, connection: AsyncConnection, now: datetime) -> list[str]:
        """Tenants with a step that is due; asked with the tick's role."""
        statement = (
            select(t.enrolments.c.tenant_id)
            .where(t.enrolments.c.ended.is_(None), t.enrolments.c.next_at <= now)
            .group_by(t.enrolments.c.tenant_id)
        )
        return [row.tenant_id for row in await connection.execute(statement)]

    async def due(
        self, connection: AsyncConnection, tenant_id: str, now: datetime, limit: int
    ) -> list[Enrolment]:
        """Locks enrolments of a tenant whose next step is due."""
        table = t.enrolments
        statement = (
            select(table)
            .where(table.c.tenant_id == tenant_id, table.c.ended.is_(None), table.c.next_at <= now)
            .order_by(table.c.lead_id, table.c.contact)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [_enrolment(row) for row in await connection.execute(statement)]

    async def advance(
        self, connection: AsyncConnection, enrolment: Enrolment, next_at: datetime | None
    ) -> None:
        """The step is done; without a next moment the campaign is through."""
        values = {
            "next_step": enrolment.next_step + 1,
            "next_at": next_at,
            "ended": None if next_at is not None else THROUGH,
        }
        await connection.execute(_of(enrolment).values(**values))

    async def end(self, connection: AsyncConnection, enrolment: Enrolment, reason: str) -> None:
        """The campaign is over for this contact."""
        await connection.execute(_of(enrolment).values(ended=reason, next_at=None))

    async def stop(
        self, connection: AsyncConnection, leads: Mapping[Key, str], now: datetime
    ) -> None:
        """Ends the campaigns about these leads, each for its reason, and cancels mails that wait."""
        everybody = [(*key, None, reason) for key, reason in sorted(leads.items())]
        await self._stop(connection, everybody, now)

    async def _stop(
        self,
        connection: AsyncConnection,
        whom: Sequence[tuple[str, str, str | None, str]],
        now: datetime,
    ) -> None:
        """`whom`: (tenant id, lead id, contact or None for all, reason).

        Two statements: the second sees the mail of a step that the first had to wait for.
        """
        if not whom:
            return
        rows = (await connection.execute(_SQL["stop_campaigns"], _columns(whom))).all()
        ended = [(r.tenant_id, r.lead_id, r.contact, r.reason) for r in rows]
        if ended:
            await connection.execute(_SQL["cancel_mails"], {**_columns(ended), "now": now})

    async def take_bounces(self, connection: AsyncConnection, now: datetime) -> None:
        """Contacts whose mail was refused for good are not written to any more."""
        for row in (await connection.execute(_SQL["bounced"])).all():
            await self.suppress(connection, row.tenant_id, row.contact, BOUNCED, now)

    async def unsubscribe(
        self, connection: AsyncConnection, tenant_id: str, address: str, now: datetime
    ) -> None:
        """An address asked not to be written to any more."""
        await self.suppress(connection, tenant_id, address, UNSUBSCRIBED, now)

    async def suppress(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        address: str,
        reason: str,
        now: datetime,
    ) -> None:
        """Nobody of the tenant writes to an address any more; what runs for it ends."""
        row = {"tenant_id": tenant_id, "address": address.lower(), "reason": reason, "since": now}
        await bulk.upsert(
            connection, t.suppressed, [row], key=("tenant_id", "address"), guard="nothing"
        )
        table = t.enrolments
        statement = select(table.c.lead_id).where(
            table.c.tenant_id == tenant_id,
            table.c.contact == address.lower(),
            table.c.ended.is_(None),
        )
        leads = sorted(await connection.scalars(statement))
        contact = address.lower()
        await self._stop(connection, [(tenant_id, lead, contact, reason) for lead in leads], now)

    async def allow_again(self, connection: AsyncConnection, tenant_id: str, address: str) -> bool:
        """An address may be written to again. Returns whether it was on the list."""
        table = t.suppressed
        statement = delete(table).where(
            table.c.tenant_id == tenant_id, table.c.address == address.lower()
        )
        return bool((await connection.execute(statement)).rowcount)

    async def suppressed(
        self, connection: AsyncConnection, addresses: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], str]:
        """Why addresses, as (tenant id, address), are not written to, for those that are not."""
        table = t.suppressed
        statement = select(table).where(
            tuple_(table.c.tenant_id, table.c.address).in_(sorted(addresses))
        )
        rows = await connection.execute(statement)
        return {(row.tenant_id, row.address): row.reason for row in rows}

    async def enrolments(
        self, connection: AsyncConnection, tenant_id: str, limit: int
    ) -> Sequence[Row[Any]]:
        """The campaigns of a tenant, the running ones first, for people to read."""
        table = t.enrolments
        statement = (
            select(table)
            .where(table.c.tenant_id == tenant_id)
            .order_by(table.c.ended.is_not(None), table.c.next_at, table.c.lead_id)
            .limit(limit)
        )
        return (await connection.execute(statement)).all()


_KEY = ("tenant_id", "lead_id", "contact")


def _columns(whom: Sequence[tuple[str, str, str | None, str]]) -> dict[str, list[str | None]]:
    names = ("tenants", "leads", "contacts", "reasons")
    return {name: [each[at] for each in whom] for at, name in enumerate(names)}


def _of(enrolment: Enrolment) -> Any:
    return update(t.enrolments).where(
        *(t.enrolments.c[name] == getattr(enrolment, name) for name in _KEY)
    )


def _row(enrolment: Enrolment) -> dict[str, Any]:
    return {
        "tenant_id": enrolment.tenant_id,
        "lead_id": enrolment.lead_id,
        "contact": enrolment.contact,
        "campaign": enrolment.campaign,
        "round": enrolment.round,
        "started_at": enrolment.started_at,
        "next_step": enrolment.next_step,
        "state_at_start": enrolment.state_at_start.value,
    }


def _enrolment(row: Row[Any]) -> Enrolment:
    return Enrolment(
        tenant_id=row.tenant_id,
        lead_id=row.lead_id,
        contact=row.contact,
        campaign=row.campaign,
        round=row.round,
        started_at=row.started_at,
        next_step=row.next_step,
        state_at_start=LeadState(row.state_at_start),
    )
