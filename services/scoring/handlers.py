"""The use cases of scoring: a profile, a lead, a day or the rules changed → the scores that follow."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.domain.causes import cause_of
from services.scoring.domain.changes import differs
from services.scoring.domain.episodes import EpisodeState, next_episode
from services.scoring.domain.outlook.assemble import with_outlook
from services.scoring.domain.score import score_lead
from services.scoring.inputs import ScoreInputs, belong_together
from services.scoring.markers import save_markers
from services.scoring.repository import Key, ScoringRepository
from services.scoring.rescoring import RescoringQueue
from shared.db.rules_store import RulesInForce
from shared.events import AccountDerived, AccountProfiled, DayDerived, LeadDetected, LeadScored
from shared.messaging.codec import OutboxMessage, Received, encode
from shared.messaging.outbox import Outbox
from shared.messaging.versions import next_version
from shared.ops.tracing import next_traceparent
from shared.rules.influence import OF_INGEST, Anew
from shared.rules.model import Rules
from shared.topics import LEADS_SCORED


class ScoringHandlers:
    """Each method is handed one batch inside one transaction and neither publishes nor commits."""

    def __init__(
        self, repository: ScoringRepository, outbox: Outbox, *, at_once: int = 2_000
    ) -> None:
        self._repository = repository
        self._queue = RescoringQueue()
        self._outbox = outbox
        self._at_once = at_once

    async def on_accounts(self, connection: AsyncConnection, batch: Sequence[Received]) -> None:
        """New profiles: rescores the leads of the accounts that changed, or queues them if too many."""
        newest = _newest(batch, AccountProfiled, lambda event: event.profile.account_id)
        await self._repository.rules.hold(connection, _tenants(batch))
        causes = dict.fromkeys(newest, "account")
        queued = await self._queue.add_accounts(connection, causes, above=self._at_once)
        await self._repository.lock_accounts(connection, newest)
        changed = await self._repository.save_profiles(connection, newest)
        # Leads that came while we waited for the locks are not in the queue.
        leads = await self._repository.leads_of_accounts(connection, changed)
        await self.score(connection, set(leads) - queued, trigger="account")

    async def on_detected(self, connection: AsyncConnection, batch: Sequence[Received]) -> None:
        """New lead facts and derived accounts: scores them. A derived day: queues the tenant's leads."""
        newest = _newest(batch, LeadDetected, lambda event: event.lead.lead_id)
        accounts = {
            (key[0], message.event.lead.account_id)
            for key, message in newest.items()
            if isinstance(message.event, LeadDetected)
        }
        markers = _markers(batch)
        # A day waits for whoever judges by the one before: it then queues their leads too.
        days = any(isinstance(message.event, DayDerived) for message in batch)
        await self._repository.rules.hold(connection, _tenants(batch), alone=days)
        # As a rescoring does: the queue first, then the accounts.
        await self._move_days(connection, batch)
        causes = {key: marker.cause for key, marker in markers.items()}
        queued = await self._queue.add_accounts(connection, causes, above=self._at_once)
        await self._repository.lock_accounts(connection, accounts | markers.keys())
        changed = await self._repository.save_leads(connection, newest)
        marked = await save_markers(connection, markers)
        await self.score(connection, changed, trigger="lead")
        for cause in sorted(marked):
            leads = await self._repository.leads_of_accounts(connection, marked[cause])
            await self.score(connection, set(leads) - queued - set(changed), trigger=cause)

    async def on_rules(self, connection: AsyncConnection, batch: Sequence[Received]) -> None:
        """New rules: queues the tenant's leads for rescoring, if scores follow from what changed.

        Those that ingest has told by the new rules already were left for them.
        """
        changes = await self._repository.rules.save(connection, batch)
        tenants = [tenant for tenant, change in changes.items() if Anew.SCORES in change.anew]
        await self._queue.add_tenants(connection, tenants, "rules")
        told = {
            tenant: change.after.derived_by
            for tenant, change in changes.items()
            if tenant not in tenants and change.anew & OF_INGEST
        }
        await self._queue.add_told(connection, told, "rules")

    async def queue_left(self, connection: AsyncConnection, tenant_id: str) -> None:
        """Queues leads that go with the rules in force by news that came after their last score.

        A release that read the rules otherwise took them as going with others.
        """
        await self._repository.rules.hold(connection, {tenant_id})
        in_force = await self._repository.rules.in_force(connection, {tenant_id})
        rules = {tenant_id: in_force[tenant_id].derived_by}
        await self._queue.add_told(connection, rules, "rules", unjudged=True)

    async def rescore_step(self, connection: AsyncConnection, tenant_id: str, limit: int) -> int:
        """Rescores up to `limit` queued leads of a tenant. Returns how many were taken."""
        await self._repository.rules.hold(connection, {tenant_id})
        queued = await self._queue.take(connection, tenant_id, limit)
        accounts = await self._repository.accounts_of_leads(connection, queued)
        await self._repository.lock_accounts(connection, accounts)
        for trigger in sorted(set(queued.values())):
            leads = [key for key, queued_for in queued.items() if queued_for == trigger]
            await self.score(connection, leads, trigger=trigger)
        return len(queued)

    async def score(
        self, connection: AsyncConnection, leads: Collection[Key], *, trigger: str
    ) -> None:
        """Scores leads whose inputs are complete; stores and emits what differs from the last score.

        What is missing of the others scores them when it comes: facts, a profile, rules or a marker.
        """
        if not leads:
            return
        inputs = await self._repository.inputs(connection, leads)
        rules = await self._repository.rules.in_force(connection, {i.tenant_id for i in inputs})
        scored = [
            (item, event, cause_of(trigger, item.previous, event))
            for item in inputs
            if (event := decide(item, rules[item.tenant_id])) is not None
        ]
        await self._repository.save_scores(connection, scored)
        await self._outbox.add(connection, [_message(item, event) for item, event, _ in scored])

    async def _move_days(self, connection: AsyncConnection, batch: Sequence[Received]) -> None:
        days: dict[str, tuple[date, int]] = {}
        for message in batch:
            if isinstance(message.event, DayDerived):
                days[message.envelope.tenant_id] = (message.event.as_of, message.event.version)
        moved = await self._repository.move_day(connection, days)
        await self._queue.add_tenants(connection, moved, "day")


def _tenants(batch: Sequence[Received]) -> set[str]:
    return {message.envelope.tenant_id for message in batch}


def _newest(
    batch: Sequence[Received],
    kind: type[AccountProfiled | LeadDetected | AccountDerived],
    subject: object,
) -> Mapping[Key, Received]:
    """Of each aggregate the message with the highest version; the order within a batch is no guarantee."""
    newest: dict[Key, Received] = {}
    for message in batch:
        if isinstance(message.event, kind):
            key = (message.envelope.tenant_id, subject(message.event))  # type: ignore[operator]
            held = newest.get(key)
            if held is None or held.envelope.version < message.envelope.version:
                newest[key] = message
    return newest


def _markers(batch: Sequence[Received]) -> dict[Key, AccountDerived]:
    """Of each account the newest marker."""
    newest = _newest(batch, AccountDerived, lambda event: event.account_id)
    return {key: m.event for key, m in newest.items() if isinstance(m.event, AccountDerived)}


def decide(inputs: ScoreInputs, in_force: RulesInForce) -> LeadScored | None:
    """The event that follows from the inputs; None when they do not belong together, or when nothing a
    reader cares about changed."""
    if not belong_together(inputs, in_force.derived_by):
        return None
    lead, previous = inputs.lead, inputs.previous
    withdrawn = lead.state == "withdrawn"
    if withdrawn and (previous is None or previous.state == "withdrawn"):
        return None
    as_of = _newest_day(inputs)
    rules = in_force.rules
    score = score_lead(
        lead.lead,
        inputs.profile,
        rules.scoring,
        products=rules.products,
        as_of=as_of,
        rules_version=in_force.version,
    )
    episode = next_episode(_episode(previous), score.priority, withdrawn=withdrawn, as_of=as_of)
    event = LeadScored(
        version=next_version(previous.version if previous else None),
        causes=(inputs.lead_event_id, inputs.account_event_id),
        actor=lead.actor,
        office_id=lead.office_id,
        lead=lead.lead,
        account=inputs.profile,
        score=score,
        episode=episode.episode,
        episode_open=episode.open,
        critical_since=episode.critical_since,
        state=lead.state,
        reason=lead.reason,
        batch_id=lead.batch_id,
    )
    if previous is not None and not differs(previous, event):
        return None
    return event if withdrawn else _with_outlook(event, rules)


def _with_outlook(event: LeadScored, rules: Rules) -> LeadScored:
    """The event with what would move its score; asked only of a score that goes out."""
    score = with_outlook(
        event.score, event.lead, event.account, rules.scoring, products=rules.products
    )
    return event.model_copy(update={"score": score})


def _newest_day(inputs: ScoreInputs) -> date:
    """The day of the newest input: a tenant's day may be set back, then the later date is the old one."""
    days = [
        (inputs.lead.version, inputs.lead.as_of),
        (inputs.account_version, inputs.account_as_of),
        (inputs.day_version, inputs.tenant_as_of or date.min),
    ]
    return max(days)[1]


def _episode(previous: LeadScored | None) -> EpisodeState | None:
    if previous is None:
        return None
    return EpisodeState(previous.episode, previous.episode_open, previous.critical_since)


def _message(inputs: ScoreInputs, event: LeadScored) -> OutboxMessage:
    return encode(
        event,
        tenant_id=inputs.tenant_id,
        source="/onelead/scoring",
        subject=event.lead.lead_id,
        topic=LEADS_SCORED.name,
        key=f"{inputs.tenant_id}|{event.lead.lead_id}",
        traceparent=next_traceparent(inputs.traceparent),
        batch_id=event.batch_id,
    )
