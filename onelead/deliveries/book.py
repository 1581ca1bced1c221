"""Reads and changes a tenant's deliveries, attempts and sinks in the notifier's tables, as the tenant."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from onelead.service_database import service_connection
from onelead.settings import EditionSettings
from services.notifier import tables as t
from services.notifier.domain.delivery import State
from services.notifier.repository.ledger import Ledger
from shared import clock
from shared.errors import UserError

_SHORTEST = 4
_WITHDRAWN = text(
    """
    SELECT l.withdrawn_through >= :episode FROM notifier.leads l
    WHERE l.tenant_id = :tenant AND l.lead_id = :lead
    """
)


@dataclass(frozen=True)
class Filters:
    """Which deliveries are meant; what is empty does not matter. `lead`: the beginning of an id."""

    state: str = ""
    channel: str = ""
    lead: str = ""
    since: datetime | None = None
    limit: int = 100


@dataclass(frozen=True)
class Book:
    """A tenant's deliveries, in one transaction."""

    tenant_id: str
    connection: AsyncConnection

    async def listed(self, filters: Filters) -> Sequence[Row[Any]]:
        """The deliveries that are meant, the newest first."""
        table = t.deliveries
        conditions = [table.c.tenant_id == self.tenant_id]
        if filters.state:
            conditions.append(table.c.state == filters.state)
        if filters.channel:
            conditions.append(table.c.channel == filters.channel)
        if filters.lead:
            conditions.append(table.c.lead_id.startswith(filters.lead, autoescape=True))
        if filters.since is not None:
            conditions.append(table.c.created_at >= filters.since)
        statement = (
            select(table)
            .where(*conditions)
            .order_by(table.c.created_at.desc(), table.c.delivery_id)
            .limit(filters.limit)
        )
        return (await self.connection.execute(statement)).all()

    async def called(self, name: str) -> Row[Any]:
        """The delivery with that id or beginning of it. Raises UserError for none or several."""
        table = t.deliveries
        if len(name) < _SHORTEST:
            raise UserError(f"{name!r}: give {_SHORTEST} characters of a delivery's id or more")
        statement = (
            select(table)
            .where(
                table.c.tenant_id == self.tenant_id,
                table.c.delivery_id.startswith(name.lower(), autoescape=True),
            )
            .limit(2)
        )
        found = (await self.connection.execute(statement)).all()
        if not found:
            raise UserError(
                f"tenant {self.tenant_id} has no delivery {name!r}",
                hint="onelead deliveries list shows their ids",
            )
        if len(found) > 1:
            raise UserError(f"several deliveries begin with {name!r}", hint="give more of the id")
        return found[0]

    async def attempts(self, delivery_id: str) -> Sequence[Any]:
        """The attempts of a delivery, the first first."""
        return await Ledger().attempts(self.connection, self.tenant_id, delivery_id)

    async def retry(self, row: Row[Any], *, even_if_unsure: bool) -> None:
        """Sends a dead or doubtful delivery again. Raises UserError where that makes no sense."""
        if row.state not in {State.DEAD.value, State.UNKNOWN.value}:
            raise UserError(
                f"{row.delivery_id} is {row.state}; only dead and unknown ones can be sent again"
            )
        parameters = {"tenant": self.tenant_id, "lead": row.lead_id, "episode": row.episode}
        if row.purpose == "alert" and await self.connection.scalar(_WITHDRAWN, parameters):
            raise UserError(f"{row.delivery_id}: its lead was withdrawn; nobody should be told now")
        if row.state == State.UNKNOWN.value and not even_if_unsure:
            raise UserError(
                f"{row.delivery_id} may have arrived; sending it again may tell somebody twice",
                hint="look there first; --yes sends it all the same",
            )
        await self._change(
            row,
            state=State.PENDING.value,
            failures=0,
            due_at=clock.now(),
            settled_at=None,
            in_doubt=row.state == State.UNKNOWN.value,
        )

    async def cancel(self, row: Row[Any], why: str) -> None:
        """Cancels a delivery that waits. Raises UserError when it does not."""
        if row.state not in {State.PENDING.value, State.RETRY.value}:
            raise UserError(f"{row.delivery_id} is {row.state}; only what waits can be cancelled")
        await self._change(row, state=State.CANCELLED.value, settled_at=clock.now(), note=why)

    async def sinks(self) -> Sequence[Row[Any]]:
        """How the sinks fare, those of which something is remembered."""
        statement = (
            select(t.sinks)
            .where(t.sinks.c.tenant_id == self.tenant_id)
            .order_by(t.sinks.c.channel, t.sinks.c.target)
        )
        return (await self.connection.execute(statement)).all()

    async def enable(self, channel: str, target: str) -> None:
        """Forgets that a sink failed: it is sent to again. Raises UserError for an unknown one."""
        statement = (
            update(t.sinks)
            .where(
                t.sinks.c.tenant_id == self.tenant_id,
                t.sinks.c.channel == channel,
                t.sinks.c.target == target,
            )
            .values(
                failures=0,
                failing_since=None,
                open_until=None,
                paused_until=None,
                disabled_at=None,
                reason=None,
            )
        )
        if not (await self.connection.execute(statement)).rowcount:
            raise UserError(
                f"of {channel} {target} nothing is remembered",
                hint="onelead deliveries sinks shows those that failed",
            )

    async def _change(self, row: Row[Any], **values: Any) -> None:
        statement = (
            update(t.deliveries)
            .where(
                t.deliveries.c.tenant_id == self.tenant_id,
                t.deliveries.c.delivery_id == row.delivery_id,
                t.deliveries.c.state == row.state,
            )
            .values(**values)
        )
        if not (await self.connection.execute(statement)).rowcount:
            raise UserError(f"{row.delivery_id} has just changed; look at it again")


@asynccontextmanager
async def book_of(settings: EditionSettings, tenant_id: str) -> AsyncIterator[Book]:
    """The tenant's book, with the notifier's own role; what is changed is committed at the end."""
    async with service_connection(settings, "notifier", tenant_id) as connection:
        yield Book(tenant_id, connection)
