"""The SQL of the recommender. Locks and writes go in key order, so that two batches cannot deadlock."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.recommender import tables as t
from shared.db import bulk
from shared.db.queries import load_queries
from shared.db.rules_store import RulesStore
from shared.events import CatalogueEntry, CatalogueFamilyChanged, LeadChanged, LeadScored
from shared.messaging.codec import Received

Key = tuple[str, str]
"""(tenant id, lead id) or (tenant id, family)."""


@dataclass(frozen=True)
class LeadInputs:
    """Everything that a lead's public form follows from."""

    tenant_id: str
    scored: LeadScored
    scored_event_id: str
    traceparent: str | None
    entries: tuple[CatalogueEntry, ...]
    family_event_id: str | None
    previous: LeadChanged | None
    previous_version: int | None


_SQL = load_queries(__file__)


class RecommenderRepository:
    """Reads and writes schema `recommender`; every method runs in the caller's transaction."""

    def __init__(self) -> None:
        self.rules = RulesStore(t.tenant_rules)

    async def lock_families(self, connection: AsyncConnection, families: Collection[Key]) -> None:
        """Makes sure that the families have a row, and locks them in key order."""
        wanted = sorted(families)
        rows = [{"tenant_id": tenant, "family": name, "version": 0} for tenant, name in wanted]
        await bulk.upsert(
            connection, t.families, rows, key=("tenant_id", "family"), guard="nothing"
        )
        key = tuple_(t.families.c.tenant_id, t.families.c.family)
        await connection.execute(
            select(t.families.c.family)
            .where(key.in_(wanted))
            .order_by(t.families.c.tenant_id, t.families.c.family)
            .with_for_update()
        )

    async def save_families(
        self, connection: AsyncConnection, messages: Mapping[Key, Received]
    ) -> list[Key]:
        """Stores families newer than those held. Returns those that changed."""
        rows = []
        for (tenant_id, family), message in sorted(messages.items()):
            event = message.event
            assert isinstance(event, CatalogueFamilyChanged)
            rows.append(
                {
                    "tenant_id": tenant_id,
                    "family": family,
                    "version": event.version,
                    "event_id": message.envelope.id,
                    "event": event.model_dump_json().encode(),
                }
            )
        written = await bulk.upsert(
            connection,
            t.families,
            rows,
            key=("tenant_id", "family"),
            guard="held.version < excluded.version",
            returning="tenant_id, family",
        )
        return [(row.tenant_id, row.family) for row in written]

    async def save_scored(
        self, connection: AsyncConnection, messages: Mapping[Key, Received]
    ) -> list[Key]:
        """Stores scores newer than those held. Returns the leads that changed."""
        rows = []
        for (tenant_id, lead_id), message in sorted(messages.items()):
            event = message.event
            assert isinstance(event, LeadScored)
            rows.append(
                {
                    "tenant_id": tenant_id,
                    "lead_id": lead_id,
                    "version": event.version,
                    "family": event.lead.catalogue_family,
                    "family_version": event.lead.catalogue_version or 0,
                    "event_id": message.envelope.id,
                    "traceparent": message.envelope.traceparent,
                    "event": event.model_dump_json().encode(),
                }
            )
        written = await bulk.upsert(
            connection,
            t.scored,
            rows,
            key=("tenant_id", "lead_id"),
            guard="held.version < excluded.version",
            returning="tenant_id, lead_id",
        )
        return [(row.tenant_id, row.lead_id) for row in written]

    async def leads_of_families(
        self, connection: AsyncConnection, families: Collection[Key]
    ) -> list[Key]:
        """All leads that are offered services of these families."""
        family = tuple_(t.scored.c.tenant_id, t.scored.c.family)
        statement = select(t.scored.c.tenant_id, t.scored.c.lead_id).where(
            family.in_(sorted(families))
        )
        return [(row.tenant_id, row.lead_id) for row in await connection.execute(statement)]

    async def families_of_leads(
        self, connection: AsyncConnection, leads: Collection[Key]
    ) -> list[Key]:
        """The families whose services these leads are offered."""
        lead = tuple_(t.scored.c.tenant_id, t.scored.c.lead_id)
        statement = (
            select(t.scored.c.tenant_id, t.scored.c.family)
            .where(lead.in_(sorted(leads)), t.scored.c.family.is_not(None))
            .distinct()
        )
        return [(row.tenant_id, row.family) for row in await connection.execute(statement)]

    async def inputs(self, connection: AsyncConnection, leads: Collection[Key]) -> list[LeadInputs]:
        """The inputs of those leads whose catalogue is there and new enough, in key order."""
        wanted = sorted(set(leads))
        parameters = {"tenants": [w[0] for w in wanted], "leads": [w[1] for w in wanted]}
        await connection.execute(_SQL["lock_leads"], parameters)
        result = await connection.execute(_SQL["inputs"], parameters)
        return [_inputs(row) for row in result.mappings()]

    async def save_published(
        self, connection: AsyncConnection, decided: Sequence[tuple[LeadInputs, LeadChanged]]
    ) -> None:
        """Stores what is published as the latest of its lead."""
        rows = [
            {
                "tenant_id": inputs.tenant_id,
                "lead_id": event.lead_id,
                # A withdrawal takes two numbers: its own and its tombstone's.
                "version": event.version + (event.state == "withdrawn"),
                "event": event.model_dump_json().encode(),
            }
            for inputs, event in decided
        ]
        await bulk.upsert(
            connection,
            t.published,
            rows,
            key=("tenant_id", "lead_id"),
            guard="held.version < excluded.version",
        )

    async def queue_all(self, connection: AsyncConnection, tenants: Collection[str]) -> None:
        """Queues every scored lead of these tenants."""
        await connection.execute(_SQL["queue_all"], {"tenants": sorted(tenants)})

    async def queue_families(
        self, connection: AsyncConnection, families: Collection[Key], *, above: int
    ) -> set[Key]:
        """Queues the leads offered services of these families if more than `above`. Returns them."""
        wanted = sorted(families)
        parameters = {"tenants": [w[0] for w in wanted], "families": [w[1] for w in wanted]}
        if (await connection.scalar(_SQL["count_of_families"], parameters) or 0) <= above:
            return set()
        queued = await connection.execute(_SQL["queue_families"], parameters)
        return {(row.tenant_id, row.lead_id) for row in queued}

    async def take_queued(
        self, connection: AsyncConnection, tenant_id: str, limit: int
    ) -> list[Key]:
        """Takes up to `limit` queued leads of a tenant."""
        picked = (
            select(t.queue.c.lead_id)
            .where(t.queue.c.tenant_id == tenant_id)
            .order_by(t.queue.c.lead_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("picked")  # picked once: a sub-select that locks may run again for every row
        )
        statement = (
            delete(t.queue)
            .where(t.queue.c.tenant_id == tenant_id, t.queue.c.lead_id.in_(select(picked)))
            .returning(t.queue.c.lead_id)
        )
        return [(tenant_id, row.lead_id) for row in await connection.execute(statement)]

    async def tenants_with_queue(self, connection: AsyncConnection) -> list[str]:
        """Tenants with queued leads; asked with the tick's role."""
        statement = select(t.queue.c.tenant_id).group_by(t.queue.c.tenant_id)
        return [row.tenant_id for row in await connection.execute(statement)]

    async def waiting_leads(self, connection: AsyncConnection) -> int:
        """Leads whose catalogue is not there yet; asked with the metrics' role."""
        return int(await connection.scalar(_SQL["waiting_leads"]) or 0)


def _inputs(row: Mapping[Any, Any]) -> LeadInputs:
    family = row["family"] and CatalogueFamilyChanged.model_validate(row["family"])
    return LeadInputs(
        tenant_id=row["tenant_id"],
        scored=LeadScored.model_validate(row["scored"]),
        scored_event_id=row["scored_event_id"],
        traceparent=row["traceparent"],
        entries=family.entries if family else (),
        family_event_id=row["family_event_id"],
        previous=None if row["previous"] is None else LeadChanged.model_validate(row["previous"]),
        previous_version=row["previous_version"],
    )
