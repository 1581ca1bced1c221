"""One tenant's lifecycle: public leads and commands go in, facts and refusals come out."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.lifecycle.domain.history import Difference, replay
from services.lifecycle.domain.status import Lead, Status
from services.lifecycle.handlers import LifecycleHandlers
from services.lifecycle.repository import LifecycleRepository
from services.lifecycle.settings import LifecycleSettings
from services.lifecycle.tables import SCHEMA, metadata
from services.lifecycle.tick import DueTick
from shared.events import Event, LeadChanged, LeadCommand
from shared.messaging.codec import Received, decode, tombstone
from shared.ops.composition import Base
from shared.settings import load_settings
from shared.topics import LEAD_COMMANDS, LEADS
from tests.support.kafka_record import FakeRecord
from tests.support.notifier_builders import public_lead
from tests.support.service_bench import Sent, connected, forget, query, received


def lead(version: int = 1, lead_id: str = "lead-1", **changes: Any) -> LeadChanged:
    """A public lead; `because` withdraws it."""
    because = changes.pop("because", None)
    values = {"version": version, "lead_id": lead_id, "account_id": "account-1", **changes}
    return public_lead(**values, state="withdrawn" if because else "open", reason=because)


@dataclass
class Life:
    """Each call is a Kafka batch in a transaction of its own, by a process that knows no other."""

    base: Base
    owner: AsyncEngine
    tenant: str
    settings: LifecycleSettings
    sent: Sent

    def handlers(self) -> LifecycleHandlers:
        return LifecycleHandlers(
            LifecycleRepository(), self.base.outbox, self.base.inbox("commands")
        )

    def tick(self) -> DueTick:
        return DueTick(self.base, LifecycleRepository(), self.handlers(), self.settings)

    def message(self, event: Event) -> Received:
        """An event as it arrives."""
        if isinstance(event, LeadCommand):
            return received(event, self.tenant, event.command_id, LEAD_COMMANDS)
        assert isinstance(event, LeadChanged)
        return received(event, self.tenant, event.lead_id, LEADS)

    async def take(self, connection: AsyncConnection, *events: Event) -> None:
        """Hands events to the handler of their topic, inside a transaction."""
        leads = [self.message(e) for e in events if isinstance(e, LeadChanged)]
        commands = [self.message(e) for e in events if isinstance(e, LeadCommand)]
        if leads:
            await self.handlers().on_leads(connection, leads)
        if commands:
            await self.handlers().on_commands(connection, commands)

    async def hear(self, *events: Event) -> list[Received]:
        """Hands events over, each topic's as one batch. Returns what is published."""
        async with self.base.database.transaction({self.tenant}) as connection:
            await self.take(connection, *events)
        return await self.sent.messages()

    async def hear_tombstone(self, lead_id: str, version: int) -> list[Received]:
        """A lead's key is removed from the public topic. Returns what is published."""
        gone = tombstone(
            LeadChanged,
            tenant_id=self.tenant,
            source="/test",
            subject=lead_id,
            topic=LEADS.name,
            key=lead_id,
            version=version,
        )
        async with self.base.database.transaction({self.tenant}) as connection:
            await self.handlers().on_leads(connection, [decode(FakeRecord.of(gone))])
        return await self.sent.messages()

    async def held(self, lead_id: str = "lead-1") -> Lead:
        """A lead as it is stored."""
        key = (self.tenant, lead_id)
        async with self.base.database.transaction({self.tenant}) as connection:
            return (await LifecycleRepository().locked_leads(connection, [key]))[key]

    async def history(self, lead_id: str = "lead-1") -> list[Any]:
        """The lead's history, the oldest first."""
        statement = (
            "SELECT * FROM lifecycle.history WHERE tenant_id = :tenant AND lead_id = :lead"
            " ORDER BY version, field"
        )
        return await query(self.owner, statement, tenant=self.tenant, lead=lead_id)

    async def replayed(self, lead_id: str = "lead-1") -> Status:
        """The status that the stored history leads to."""
        rows = await self.history(lead_id)
        return replay(Difference(row.field, row.before, row.after) for row in rows)


@asynccontextmanager
async def new_life(owner: AsyncEngine, database_url: str) -> AsyncIterator[Life]:
    """A tenant that no other test uses; it is gone afterwards."""
    tenant = f"l-{uuid.uuid4().hex[:12]}"
    settings = load_settings(
        LifecycleSettings,
        kafka_bootstrap="localhost:1",
        database_url=database_url,
        leads_per_step=2,
    )
    async with connected(SCHEMA, settings, metadata) as base:
        yield Life(base, owner, tenant, settings, Sent(owner, SCHEMA, tenant))
    await forget(owner, metadata, tenant)
