"""One tenant's scoring: profiles, lead facts, days and rules go in, what was emitted comes out."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.scoring.handlers import ScoringHandlers
from services.scoring.repository import ScoringRepository
from services.scoring.settings import ScoringSettings
from services.scoring.tables import SCHEMA, metadata
from services.scoring.tick import RescoringTick
from shared.events import (
    AccountDerived,
    AccountProfiled,
    DayDerived,
    Event,
    LeadDetected,
    LeadScored,
    Priority,
    RulesApplied,
)
from shared.messaging.codec import Received
from shared.ops.composition import Base
from shared.rules.influence import derived_by
from shared.rules.load import rules_version
from shared.rules.model import Rules
from shared.settings import load_settings
from shared.topics import ACCOUNTS, LEADS_DETECTED, RULES
from tests.support.scoring_builders import AS_OF, a_lead, a_profile, a_score, days_ago
from tests.support.service_bench import Sent, connected, forget, of_type, query, received

OLD_BOX: dict[str, Any] = {
    "end_of_life": days_ago(2_500),
    "service_end": days_ago(1_000),
    "estimated_value_min": 200_000,
    "estimated_value_max": 300_000,
}
"""A box whose score is CRITICAL with an active account."""
NEW_BOX: dict[str, Any] = {"end_of_life": days_ago(-900), "service_end": days_ago(-900)}
ACTIVE: dict[str, Any] = {
    "items": 60,
    "open_opportunities": 6,
    "won": 8,
    "lost": 2,
    "win_rate": 0.8,
    "last_project_date": days_ago(10),
}
"""An account that buys."""

assert a_score(a_lead(**OLD_BOX), a_profile(**ACTIVE)).priority is Priority.CRITICAL
assert a_score(a_lead(**NEW_BOX), a_profile()).priority in (Priority.MEDIUM, Priority.LOW)


def profiled(version: int, account: str = "account-1", **changes: Any) -> AccountProfiled:
    """A profile as ingest tells of it; `as_of` may be changed too."""
    as_of = changes.pop("as_of", AS_OF)
    profile = a_profile(account_id=account, **changes)
    return AccountProfiled(version=version, profile=profile, as_of=as_of)


def detected(
    version: int,
    account_version: int = 1,
    lead_id: str = "lead-1",
    *,
    as_of: date = AS_OF,
    because: str | None = None,
    by: Rules | None = None,
    **changes: Any,
) -> LeadDetected:
    """Lead facts as ingest tells of them, derived by rules; with `because` a withdrawal."""
    return LeadDetected(
        version=version,
        lead=a_lead(lead_id=lead_id, **changes),
        account_version=account_version,
        derived_by=derived_by(by) if by else None,
        as_of=as_of,
        state="withdrawn" if because else "open",
        reason=because,
    )


def marker(
    version: int, by: Rules, profile: int = 1, account: str = "account-1", cause: str = "rules"
) -> AccountDerived:
    """Ingest has derived an account by rules, and told all that is new of its leads."""
    return AccountDerived(
        version=version,
        account_id=account,
        account_version=profile,
        derived_by=derived_by(by),
        cause=cause,
    )


@dataclass
class Scoring:
    """Each call is a Kafka batch in a transaction of its own, by a process that knows no other."""

    base: Base
    owner: AsyncEngine
    tenant: str
    settings: ScoringSettings
    sent: Sent

    def handlers(self, repository: ScoringRepository | None = None) -> ScoringHandlers:
        return ScoringHandlers(repository or ScoringRepository(), self.base.outbox)

    def messages(self, *events: Event) -> list[Received]:
        """Events as they arrive from Kafka."""
        return [self._message(event) for event in events]

    def _message(self, event: Event) -> Received:
        if isinstance(event, AccountProfiled):
            return received(event, self.tenant, event.profile.account_id, ACCOUNTS)
        if isinstance(event, LeadDetected):
            return received(event, self.tenant, event.lead.lead_id, LEADS_DETECTED)
        if isinstance(event, AccountDerived):
            return received(event, self.tenant, event.account_id, LEADS_DETECTED)
        return received(event, self.tenant, self.tenant, LEADS_DETECTED)

    async def take(self, connection: AsyncConnection, *events: Event) -> None:
        """Hands events to the handler of their topic, inside a transaction."""
        profiles = [e for e in events if isinstance(e, AccountProfiled)]
        rest = [e for e in events if not isinstance(e, AccountProfiled)]
        if profiles:
            await self.handlers().on_accounts(connection, self.messages(*profiles))
        if rest:
            await self.handlers().on_detected(connection, self.messages(*rest))

    async def hear(self, *events: Event) -> list[LeadScored]:
        """Hands events over, each topic's as one batch. Returns what is emitted."""
        async with self.base.database.transaction({self.tenant}) as connection:
            await self.take(connection, *events)
        return await self.emitted()

    async def emitted(self) -> list[LeadScored]:
        """What was emitted since the last look."""
        return of_type(await self.sent.messages(), LeadScored)

    async def apply_rules(self, rules: Rules, version: int) -> None:
        """New rules arrive."""
        event = RulesApplied(
            version=version,
            rules_version=rules_version(rules),
            rules=rules.model_dump(mode="json"),
        )
        async with self.base.database.transaction({self.tenant}) as connection:
            message = received(event, self.tenant, self.tenant, RULES)
            await self.handlers().on_rules(connection, [message])

    async def day(self, as_of: date, version: int) -> list[LeadScored]:
        """Ingest has derived a new day."""
        return await self.hear(DayDerived(version=version, as_of=as_of))

    def tick(self, handlers: ScoringHandlers | None = None) -> RescoringTick:
        return RescoringTick(self.base, handlers or self.handlers(), self.settings)

    async def rescore(self) -> list[LeadScored]:
        """Works the queue off, each step in a new process. Returns what is emitted."""
        while await self.tick().step():
            pass
        return await self.emitted()

    async def latest(self) -> dict[str, LeadScored]:
        """The score emitted last of each lead; the versions of each lead only rise."""
        found: dict[str, LeadScored] = {}
        for event in of_type(await Sent(self.owner, SCHEMA, self.tenant).messages(), LeadScored):
            held = found.get(event.lead.lead_id)
            assert held is None or held.version < event.version
            found[event.lead.lead_id] = event
        return found

    async def rows(self, statement: str) -> list[Any]:
        """Rows of a query as the owner; `:tenant` is ours."""
        return await query(self.owner, statement, tenant=self.tenant)


def known(events: Sequence[LeadScored]) -> list[dict[str, Any]]:
    """What a reader learns from scores: not how they are numbered, nor which messages caused them."""
    return [event.model_dump(exclude={"version", "causes"}) for event in events]


@asynccontextmanager
async def new_scoring(owner: AsyncEngine, database_url: str) -> AsyncIterator[Scoring]:
    """A tenant that no other test uses; it is gone afterwards."""
    tenant = f"s-{uuid.uuid4().hex[:12]}"
    settings = load_settings(
        ScoringSettings,
        kafka_bootstrap="localhost:1",
        database_url=database_url,
        leads_per_step=2,
    )
    async with connected(SCHEMA, settings, metadata) as base:
        yield Scoring(base, owner, tenant, settings, Sent(owner, SCHEMA, tenant))
    await forget(owner, metadata, tenant)
