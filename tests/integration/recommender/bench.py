"""One tenant's recommender: scores, catalogue and rules go in, the public leads come out."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.recommender.handlers import RecommenderHandlers
from services.recommender.repository import RecommenderRepository
from services.recommender.settings import RecommenderSettings
from services.recommender.tables import SCHEMA, metadata
from services.recommender.tick import RecommendingTick
from shared.events import (
    CatalogueEntry,
    CatalogueFamilyChanged,
    Event,
    LeadScored,
    RulesApplied,
)
from shared.messaging.codec import Received
from shared.ops.composition import Base
from shared.rules.load import rules_version
from shared.rules.model import Rules
from shared.settings import load_settings
from shared.topics import CATALOGUE, LEADS_SCORED, RULES
from tests.support.scoring_builders import a_lead, a_scored_lead, an_entry
from tests.support.service_bench import Sent, connected, forget, received


def scored(version: int, lead_id: str = "lead-1", **changes: Any) -> LeadScored:
    """A score as scoring emits it; `because` withdraws, the rest are facts of the lead."""
    because = changes.pop("because", None)
    return a_scored_lead(
        a_lead(lead_id=lead_id, **changes),
        version=version,
        state="withdrawn" if because else "open",
        reason=because,
    )


def family(version: int, *entries: CatalogueEntry, name: str = "PRIMERA") -> CatalogueFamilyChanged:
    """The services of a family as ingest tells of them."""
    return CatalogueFamilyChanged(version=version, family=name, entries=entries)


HEALTH_CHECK, UPGRADE = an_entry("Health Check"), an_entry("OS Upgrade", position=1)


@dataclass
class Recommending:
    """Each call is a Kafka batch in a transaction of its own, by a process that knows no other."""

    base: Base
    tenant: str
    settings: RecommenderSettings
    sent: Sent

    def handlers(self) -> RecommenderHandlers:
        return RecommenderHandlers(RecommenderRepository(), self.base.outbox)

    async def take(self, connection: AsyncConnection, *events: Event) -> None:
        """Hands events to the handler of their topic, inside a transaction."""
        scores = [
            received(e, self.tenant, e.lead.lead_id, LEADS_SCORED)
            for e in events
            if isinstance(e, LeadScored)
        ]
        families = [
            received(e, self.tenant, e.family, CATALOGUE)
            for e in events
            if isinstance(e, CatalogueFamilyChanged)
        ]
        if families:
            await self.handlers().on_catalogue(connection, families)
        if scores:
            await self.handlers().on_scored(connection, scores)

    async def hear(self, *events: Event) -> list[Received]:
        """Hands events over, each topic's as one batch. Returns what is published."""
        async with self.base.database.transaction({self.tenant}) as connection:
            await self.take(connection, *events)
        return await self.sent.messages()

    async def apply_rules(self, rules: Rules, version: int) -> list[Received]:
        """New rules arrive. Returns what is published at once."""
        event = RulesApplied(
            version=version,
            rules_version=rules_version(rules),
            rules=rules.model_dump(mode="json"),
        )
        async with self.base.database.transaction({self.tenant}) as connection:
            message = received(event, self.tenant, self.tenant, RULES)
            await self.handlers().on_rules(connection, [message])
        return await self.sent.messages()

    def tick(self) -> RecommendingTick:
        return RecommendingTick(self.base, RecommenderRepository(), self.handlers(), self.settings)


@asynccontextmanager
async def new_recommending(owner: AsyncEngine, database_url: str) -> AsyncIterator[Recommending]:
    """A tenant that no other test uses; it is gone afterwards."""
    tenant = f"r-{uuid.uuid4().hex[:12]}"
    settings = load_settings(
        RecommenderSettings,
        kafka_bootstrap="localhost:1",
        database_url=database_url,
        leads_per_step=2,
    )
    async with connected(SCHEMA, settings, metadata) as base:
        yield Recommending(base, tenant, settings, Sent(owner, SCHEMA, tenant))
    await forget(owner, metadata, tenant)
