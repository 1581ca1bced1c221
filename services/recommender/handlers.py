"""The use cases of the recommender: a score, the catalogue or the rules changed → the public leads."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.recommender.domain.public import differs, to_public
from services.recommender.domain.recommend import recommend
from services.recommender.repository import Key, LeadInputs, RecommenderRepository
from shared.db.rules_store import RulesInForce
from shared.events import CatalogueFamilyChanged, LeadChanged, LeadScored
from shared.messaging.codec import OutboxMessage, Received, encode, tombstone
from shared.messaging.outbox import Outbox
from shared.messaging.versions import next_version
from shared.ops.tracing import next_traceparent
from shared.rules.influence import Anew
from shared.topics import LEADS

_SOURCE = "/onelead/recommender"


class RecommenderHandlers:
    """Each method is handed one batch inside one transaction and neither publishes nor commits."""

    def __init__(
        self, repository: RecommenderRepository, outbox: Outbox, *, at_once: int = 2_000
    ) -> None:
        self._repository = repository
        self._outbox = outbox
        self._at_once = at_once

    async def on_scored(self, connection: AsyncConnection, batch: Sequence[Received]) -> None:
        """New scores: recommends and publishes those leads."""
        newest: dict[Key, Received] = {}
        for message in batch:
            if isinstance(message.event, LeadScored):
                key = (message.envelope.tenant_id, message.event.lead.lead_id)
                _keep_newest(newest, key, message)
        await self._repository.rules.hold(connection, {tenant_id for tenant_id, _ in newest})
        await self._repository.lock_families(connection, _families_of(newest))
        changed = await self._repository.save_scored(connection, newest)
        await self.publish(connection, changed)

    async def on_catalogue(self, connection: AsyncConnection, batch: Sequence[Received]) -> None:
        """A changed family: recommends its leads anew, or queues them if too many."""
        newest: dict[Key, Received] = {}
        for message in batch:
            if isinstance(message.event, CatalogueFamilyChanged):
                key = (message.envelope.tenant_id, message.event.family)
                _keep_newest(newest, key, message)
        await self._repository.rules.hold(connection, {tenant_id for tenant_id, _ in newest})
        # As a step of the queue does: the queue first, then the families.
        queued = await self._repository.queue_families(connection, newest, above=self._at_once)
        await self._repository.lock_families(connection, newest)
        changed = await self._repository.save_families(connection, newest)
        # Leads that came while we waited for the locks are not in the queue.
        leads = await self._repository.leads_of_families(connection, changed)
        await self.publish(connection, set(leads) - queued)

    async def on_rules(self, connection: AsyncConnection, batch: Sequence[Received]) -> None:
        """New rules: queues the tenant's leads, if recommendations follow from what changed."""
        changes = await self._repository.rules.save(connection, batch)
        anew = Anew.RECOMMENDATIONS
        tenants = [tenant for tenant, change in changes.items() if anew in change.anew]
        await self._repository.queue_all(connection, tenants)

    async def queue_step(self, connection: AsyncConnection, tenant_id: str, limit: int) -> None:
        """Recommends up to `limit` queued leads of a tenant."""
        await self._repository.rules.hold(connection, {tenant_id})
        leads = await self._repository.take_queued(connection, tenant_id, limit)
        families = await self._repository.families_of_leads(connection, leads)
        await self._repository.lock_families(connection, families)
        await self.publish(connection, leads)

    async def publish(self, connection: AsyncConnection, leads: Collection[Key]) -> None:
        """Publishes those leads whose catalogue is there and whose public form changed."""
        if not leads:
            return
        inputs = await self._repository.inputs(connection, leads)
        rules = await self._repository.rules.in_force(connection, {i.tenant_id for i in inputs})
        decided = [
            (item, event)
            for item in inputs
            if (event := decide(item, rules[item.tenant_id])) is not None
        ]
        await self._repository.save_published(connection, decided)
        messages = [message for item, event in decided for message in _messages(item, event)]
        await self._outbox.add(connection, messages)


def _keep_newest(newest: dict[Key, Received], key: Key, message: Received) -> None:
    held = newest.get(key)
    if held is None or held.envelope.version < message.envelope.version:
        newest[key] = message


def _families_of(messages: Mapping[Key, Received]) -> set[Key]:
    return {
        (tenant_id, message.event.lead.catalogue_family)
        for (tenant_id, _), message in messages.items()
        if isinstance(message.event, LeadScored) and message.event.lead.catalogue_family
    }


def decide(inputs: LeadInputs, in_force: RulesInForce) -> LeadChanged | None:
    """The public event that follows, or None when nothing a subscriber cares about changed."""
    scored, previous = inputs.scored, inputs.previous
    if scored.state == "withdrawn" and (previous is None or previous.state == "withdrawn"):
        return None
    recommendation = recommend(scored.lead, inputs.entries, in_force.rules.recommendation)
    event = to_public(
        scored,
        recommendation,
        version=next_version(inputs.previous_version),
        causes=tuple(cause for cause in (inputs.scored_event_id, inputs.family_event_id) if cause),
    )
    return event if previous is None or differs(previous, event) else None


def _messages(inputs: LeadInputs, event: LeadChanged) -> list[OutboxMessage]:
    """The lead itself; a withdrawn one is followed by the tombstone that frees its key."""
    topic, key = LEADS.for_tenant(inputs.tenant_id), f"{inputs.tenant_id}|{event.lead_id}"
    change = encode(
        event,
        tenant_id=inputs.tenant_id,
        source=_SOURCE,
        subject=event.lead_id,
        topic=topic,
        key=key,
        traceparent=next_traceparent(inputs.traceparent),
        batch_id=event.batch_id,
    )
    if event.state == "open":
        return [change]
    removal = tombstone(
        LeadChanged,
        tenant_id=inputs.tenant_id,
        source=_SOURCE,
        subject=event.lead_id,
        topic=topic,
        key=key,
        version=event.version + 1,
    )
    return [change, removal]
