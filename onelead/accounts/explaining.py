"""Why an account is what it is: every link with its stage, evidence and similarity, and all decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from onelead.accounts.finding import concerning
from onelead.accounts.registry import Registry
from onelead.accounts.review import Question, question_json, questions_about
from services.ingest.domain.accounts.decisions import Decision
from services.ingest.domain.accounts.directory import AccountEntry, NameLink, TerritoryLink
from services.ingest.domain.accounts.normalise import name_key
from services.ingest.repository.account_decisions import AccountFacts, Spelling


@dataclass(frozen=True)
class LinkShown:
    """A name or territory of the account, what links it, and what linked it before people decided."""

    subject: str
    kind: str
    link: NameLink | TerritoryLink
    base: NameLink | TerritoryLink
    since: datetime | None
    spellings: Sequence[Spelling] = ()

    @property
    def similarity(self) -> float | None:
        """How alike the name is to the one that it was linked to."""
        return self.base.similarity if isinstance(self.base, NameLink) else None

    @property
    def decided(self) -> bool:
        """Whether a person's decision brought it here."""
        return self.link != self.base


@dataclass(frozen=True)
class Explanation:
    """All there is to know about an account; `resolved_from` is an id that leads here."""

    entry: AccountEntry
    resolved_from: str | None
    facts: AccountFacts
    links: Sequence[LinkShown]
    merged: Sequence[AccountEntry]
    decisions: Sequence[Decision]
    questions: Sequence[Question]


async def explain(registry: Registry, account_id: str) -> Explanation:
    """The account that an id leads to."""
    accounts = registry.accounts.accounts
    standing = accounts[account_id].merged_into or account_id
    entry = accounts.get(standing, accounts[account_id])
    facts = await registry.facts_of([standing])
    return Explanation(
        entry=entry,
        resolved_from=account_id if entry.account_id != account_id else None,
        facts=facts[standing],
        links=[*await _territories(registry, standing), *await _names(registry, standing)],
        merged=[each for each in accounts.values() if each.merged_into == standing],
        decisions=concerning(registry, standing),
        questions=await questions_about(registry, standing),
    )


async def _territories(registry: Registry, account_id: str) -> list[LinkShown]:
    links = {
        key: link
        for key, link in registry.accounts.territories.items()
        if link.account_id == account_id
    }
    since = await registry.territories_since(links)
    return [
        LinkShown(key, "territory", link, registry.base.territories[key], since.get(key))
        for key, link in sorted(links.items())
    ]


async def _names(registry: Registry, account_id: str) -> list[LinkShown]:
    written: dict[str, list[Spelling]] = {}
    for each in await registry.spellings(account_id):
        written.setdefault(name_key(each.raw_name, registry.accounts.naming), []).append(each)
    return [
        LinkShown(
            key,
            "name",
            link,
            registry.base.names[key],
            min((each.since for each in written.get(key, ())), default=None),
            written.get(key, ()),
        )
        for key, link in sorted(registry.accounts.names.items())
        if link.account_id == account_id
    ]


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    """An explanation as JSON."""
    entry = explanation.entry
    return {
        "account_id": entry.account_id,
        "name": entry.name,
        "founded_by": entry.founded_by,
        "territory_ids": list(entry.territory_ids),
        "resolved_from": explanation.resolved_from,
        "boxes": explanation.facts.boxes,
        "open_leads": explanation.facts.leads,
        "links": [_link_json(each) for each in explanation.links],
        "merged": [{"account_id": e.account_id, "name": e.name} for e in explanation.merged],
        "decisions": [decision_json(each) for each in explanation.decisions],
        "candidates": [question_json(each) for each in explanation.questions],
    }


def _link_json(each: LinkShown) -> dict[str, Any]:
    return {
        each.kind: each.subject,
        "stage": each.link.stage.value,
        "evidence": each.link.evidence,
        "similarity": each.similarity,
        "since": None if each.since is None else each.since.isoformat(),
        "spellings": {s.raw_name: s.rows for s in each.spellings},
        "before_decisions": {
            "account_id": each.base.account_id,
            "stage": each.base.stage.value,
            "evidence": each.base.evidence,
        }
        if each.decided
        else None,
    }


def decision_json(decision: Decision) -> dict[str, Any]:
    """A decision as JSON, under the name that `onelead accounts undo` takes."""
    return {"decision": f"d{decision.number}", **decision.model_dump(mode="json")}
