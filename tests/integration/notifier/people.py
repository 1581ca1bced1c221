"""The notifier's handlers and its tables, as tests of digests, campaigns and statuses use them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from services.notifier.domain.delivery import Purpose
from services.notifier.domain.plan import Limits, Plan, Sink, Target
from services.notifier.handlers import NotifierHandlers
from services.notifier.repository import NotifierRepository
from shared import clock
from shared.events import LeadChange, LeadChanged, LeadState, LeadStatusChanged
from shared.messaging.codec import Received, decode, encode
from shared.ops.composition import Base
from shared.topics import LEAD_STATUS, LEADS
from tests.support.kafka_record import FakeRecord
from tests.support.notifier_builders import CONSOLE, public_lead

LEAD = public_lead().lead_id
MAIL = Target("email", "rep@example.com")
BOT = Target("slack_bot", "C1")
CRM = Target("salesforce", "crm", tells_withdrawals=True)


def plan_for(tenant: str, *, offices: dict[Target, str] | None = None) -> Plan:
    """Mail, a bot and a CRM that are told everything about one tenant."""

    def sink(target: Target) -> Sink:
        office = (offices or {}).get(target)
        return Sink(
            name=target.channel,
            targets=(target,),
            tenants=frozenset({tenant}),
            sends=frozenset(Purpose),
            limits=Limits(),
            concurrency=1,
            offices=frozenset({office} if office else ()),
        )

    return Plan(tuple(map(sink, (MAIL, BOT, CRM))))


class People:
    """One notifier's consuming side, and a look into its tables."""

    def __init__(self, base: Base, tenant: str, plan: Plan, since: date | None = None) -> None:
        self.base, self.tenant, self.plan = base, tenant, plan
        self.handlers = NotifierHandlers(
            NotifierRepository(), plan, since=since, console_url=CONSOLE
        )

    async def hear(self, *events: LeadChanged) -> None:
        """One batch of public leads."""
        batch = [self._received(event, LEADS.for_tenant(self.tenant)) for event in events]
        async with self.base.database.transaction({self.tenant}) as connection:
            await self.handlers.on_leads(connection, batch)

    async def stand(self, *events: LeadStatusChanged) -> None:
        """One batch of lifecycle's facts."""
        batch = [self._received(event, LEAD_STATUS.name) for event in events]
        async with self.base.database.transaction({self.tenant}) as connection:
            await self.handlers.on_statuses(connection, batch)

    async def rows(self, purpose: Purpose | None = None) -> Sequence[Any]:
        """The deliveries of the tenant, or those of one purpose."""
        statement = text(
            "SELECT * FROM notifier.deliveries WHERE CAST(:purpose AS text) IN ('', purpose)"
            " ORDER BY lead_id, episode, purpose, number, channel"
        )
        async with self.base.database.transaction({self.tenant}) as connection:
            found = await connection.execute(statement, {"purpose": purpose or ""})
            return found.all()

    async def execute(self, statement: str, **parameters: Any) -> None:
        """Changes the tenant's rows, as time or an accident would."""
        async with self.base.database.transaction({self.tenant}) as connection:
            await connection.execute(text(statement), parameters)

    async def sent(self) -> None:
        """Everything that waits was sent."""
        await self.execute(
            "UPDATE notifier.deliveries SET state = 'sent', tries = 1 WHERE state = 'pending'"
        )

    def _received(self, event: LeadChanged | LeadStatusChanged, topic: str) -> Received:
        message = encode(
            event,
            tenant_id=self.tenant,
            source="/test",
            subject=event.lead_id,
            topic=topic,
            key=f"{self.tenant}|{event.lead_id}",
        )
        return decode(FakeRecord.of(message), self.tenant)


def status(version: int = 1, **changes: Any) -> LeadStatusChanged:
    """A fact of lifecycle about the lead."""
    values: dict[str, Any] = {
        "version": version,
        "lead_id": LEAD,
        "account_id": "account-1",
        "change": LeadChange.MOVED,
        "state": LeadState.NEW,
        "changed_at": clock.now(),
    }
    return LeadStatusChanged(**(values | changes))


def states(rows: Sequence[Any]) -> dict[str, str]:
    """State by channel."""
    return {row.channel: row.state for row in rows}


def due(rows: Sequence[Any]) -> dict[str, datetime]:
    """From when on, by channel."""
    return {row.channel: row.due_at for row in rows}


def lead(number: int, **changes: Any) -> LeadChanged:
    """The first version of one of several leads."""
    return public_lead(lead_id=f"lead-{number}", version=1, **changes)
