"""Looks at a running edition as its neighbours do: offsets of topics, open leads, what sinks received."""

from collections.abc import Iterable
from typing import Any

import httpx

from onelead.assess.assessment import Assessment
from onelead.broker import create_missing_topics, existing_topics
from onelead.demo.results import open_leads
from onelead.edition.edition import Edition
from onelead.messages import partitions_of, read_from_beginning, reader
from services.recommender.domain.public import to_public
from services.scoring.domain.outlook.assemble import with_outlook
from shared.events import AccountProfile, LeadChanged, LeadFacts, LeadScored, Score
from shared.rules.load import default_rules
from shared.rules.model import Rules
from shared.topics import LEADS

# What differs because one is published and the other is not: numbers, ids, who caused it.
_OF_PUBLICATION = {"version", "causes", "actor", "batch_id", "lead_id", "account_id"}
_OF_EPISODES = {"episode", "episode_open", "critical_since"}


async def end_offsets(edition: Edition) -> dict[str, int]:
    """How many messages each topic has ever had."""
    topics = sorted(t for t in await existing_topics(edition.bootstrap) if t.startswith("onelead."))
    async with reader(edition.bootstrap) as consumer:
        partitions = await partitions_of(consumer, *topics)
        ends = await consumer.end_offsets(partitions)
    totals = dict.fromkeys(topics, 0)
    for partition, end in ends.items():
        totals[partition.topic] += end
    return totals


async def add_tenant(edition: Edition, tenant: str) -> None:
    """The topics of a new tenant."""
    await create_missing_topics(edition.bootstrap, [tenant])


async def leads_of(edition: Edition, tenant: str) -> dict[str, LeadChanged]:
    """The open leads of a tenant by `serial number/type`."""
    topic = LEADS.for_tenant(tenant)
    leads = open_leads(await read_from_beginning(edition.bootstrap, topic))
    return {f"{lead.box_id}/{lead.lead_type.value}": lead for lead in leads}


def facts(leads: Iterable[LeadChanged]) -> dict[str, dict[str, Any]]:
    """All of the leads that is not about their publication, by `box/type`."""
    left_out = _OF_PUBLICATION | _OF_EPISODES
    return {
        f"{lead.box_id}/{lead.lead_type.value}": lead.model_dump(exclude=left_out) for lead in leads
    }


def assessed_facts(assessment: Assessment, rules: Rules | None = None) -> dict[str, dict[str, Any]]:
    """The same of an assessment, by the default rules, in the form in which its leads would be published."""
    used = rules or default_rules()
    profiles = {profile.account_id: profile for profile in assessment.accounts}
    return facts(
        to_public(
            _scored(each.lead, profiles[each.lead.account_id], each.score, used),
            each.recommendation,
            version=1,
        )
        for each in assessment.leads
    )


def _scored(lead: LeadFacts, profile: AccountProfile, score: Score, rules: Rules) -> LeadScored:
    full = with_outlook(score, lead, profile, rules.scoring, products=rules.products)
    return LeadScored(lead=lead, account=profile, score=full)


class Sinks:
    """What the stand-ins of an edition received."""

    def __init__(self, edition: Edition) -> None:
        assert edition.standins is not None
        self._url = str(edition.standins.addresses["page_url"])

    async def summary(self) -> dict[str, Any]:
        """Accepted, repeated and rejected messages by channel."""
        found: dict[str, Any] = await self._get("/api/summary")
        return found

    async def messages(self, channel: str) -> list[dict[str, Any]]:
        """All messages of a channel, as they were received."""
        found: Any = await self._get("/api/messages", channel=channel, limit=1_000)
        messages: list[dict[str, Any]] = found["messages"]
        return messages

    async def _get(self, path: str, **query: object) -> Any:
        async with httpx.AsyncClient() as client:
            answer = await client.get(
                f"{self._url}{path}", params={k: str(v) for k, v in query.items()}
            )
            answer.raise_for_status()
            return answer.json()
