"""Reads a tenant's deliveries, attempts and sinks in the notifier's tables, as the tenant."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from onelead.deliveries.outlook import UNSETTLED
from onelead.explaining.finding import names_of
from onelead.service_database import service_connection
from onelead.settings import EditionSettings
from services.notifier import tables as t
from services.notifier.repository.ledger import Ledger
from shared.errors import UserError

_SHORTEST = 4
_SINKS = text(
    """
    SELECT coalesce(d.channel, s.channel) AS channel, coalesce(d.target, s.target) AS target,
           coalesce(d.sent, 0) AS sent, coalesce(d.waiting, 0) AS waiting,
           coalesce(d.dead, 0) AS dead, coalesce(d.unknown, 0) AS unknown, d.last_sent_at,
           s.paused_until, coalesce(s.failures, 0) AS failures, s.failing_since, s.open_until,
           s.disabled_at, s.reason
    FROM (
      SELECT channel, target, count(*) FILTER (WHERE state = 'sent') AS sent,
             count(*) FILTER (WHERE state = ANY(CAST(:unsettled AS text[]))) AS waiting,
             count(*) FILTER (WHERE state = 'dead') AS dead,
             count(*) FILTER (WHERE state = 'unknown') AS unknown,
             max(settled_at) FILTER (WHERE state = 'sent') AS last_sent_at
      FROM notifier.deliveries WHERE tenant_id = :tenant GROUP BY channel, target
    ) AS d
    FULL JOIN (SELECT * FROM notifier.sinks WHERE tenant_id = :tenant) AS s
      ON s.channel = d.channel AND s.target = d.target
    ORDER BY 1, 2
    """
)


@dataclass(frozen=True)
class Filters:
    """Which deliveries are meant; what is empty does not matter.

    `lead`: an id, the beginning of one, or a serial number. `not_to`: only what waits for other
    sinks than these, as (channel, target).
    """

    states: tuple[str, ...] = ()
    channel: str = ""
    target: str = ""
    purpose: str = ""
    lead: str = ""
    since: datetime | None = None
    not_to: frozenset[tuple[str, str]] | None = None
    limit: int = 100


@dataclass(frozen=True)
class Book:
    """A tenant's deliveries, in one transaction."""

    tenant_id: str
    connection: AsyncConnection

    async def listed(self, filters: Filters) -> Sequence[Row[Any]]:
        """The deliveries that are meant, the newest first."""
        table = t.deliveries
        statement = (
            select(table)
            .where(*self._meant(filters))
            .order_by(table.c.created_at.desc(), table.c.delivery_id)
            .limit(filters.limit)
        )
        return (await self.connection.execute(statement)).all()

    async def counted(self, filters: Filters) -> Mapping[str, int]:
        """How many are meant, whatever the limit, by state."""
        table = t.deliveries
        statement = (
            select(table.c.state, func.count().label("found"))
            .where(*self._meant(filters))
            .group_by(table.c.state)
            .order_by(table.c.state)
        )
        return {row.state: row.found for row in await self.connection.execute(statement)}

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
                hint="`onelead deliveries list` shows their ids; --tenant says whose",
            )
        if len(found) > 1:
            raise UserError(f"several deliveries begin with {name!r}", hint="give more of the id")
        return found[0]

    async def attempts(self, delivery_id: str) -> Sequence[Any]:
        """The attempts of a delivery, the first first."""
        return await Ledger().attempts(self.connection, self.tenant_id, delivery_id)

    async def sinks(self) -> Sequence[Row[Any]]:
        """Every sink that was ever told something: what became of it, and how the sink fares."""
        parameters = {"tenant": self.tenant_id, "unsettled": sorted(UNSETTLED)}
        return (await self.connection.execute(_SINKS, parameters)).all()

    async def sink_states(
        self, targets: Collection[tuple[str, str]]
    ) -> Mapping[tuple[str, str], Row[Any]]:
        """What is remembered of sinks, by (channel, target)."""
        table = t.sinks
        statement = select(table).where(
            table.c.tenant_id == self.tenant_id,
            tuple_(table.c.channel, table.c.target).in_(sorted(targets)),
        )
        rows = await self.connection.execute(statement)
        return {(row.channel, row.target): row for row in rows}

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
                f"{channel} {target} has never failed for tenant {self.tenant_id}",
                hint="`onelead deliveries sinks` shows them as they are to be typed",
            )

    def _meant(self, filters: Filters) -> list[ColumnElement[bool]]:
        columns = t.deliveries.c
        found = [columns.tenant_id == self.tenant_id]
        if filters.states:
            found.append(columns.state.in_(filters.states))
        for name in ("channel", "target", "purpose"):
            if wanted := getattr(filters, name):
                found.append(columns[name] == wanted)
        if filters.lead:
            found.append(self._about(filters.lead))
        if filters.since is not None:
            found.append(columns.created_at >= filters.since)
        if filters.not_to is not None:
            found.append(columns.state.in_(sorted(UNSETTLED)))
            found.append(tuple_(columns.channel, columns.target).not_in(sorted(filters.not_to)))
        return found

    def _about(self, name: str) -> ColumnElement[bool]:
        names, column = names_of(self.tenant_id, name), t.deliveries.c.lead_id
        exact = column.in_(names["ids"])
        beginning = column.startswith(name.strip().lower(), autoescape=True)
        return or_(exact, beginning)


@asynccontextmanager
async def book_of(settings: EditionSettings, tenant_id: str) -> AsyncIterator[Book]:
    """The tenant's book, with the notifier's own role; what is changed is committed at the end."""
    async with service_connection(settings, "notifier", tenant_id) as connection:
        yield Book(tenant_id, connection)
