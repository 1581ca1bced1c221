"""Decides which leads of derived accounts are news: appeared, changed, or withdrawn with the reason."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from services.ingest.domain.records import Box
from services.ingest.domain.withdrawal import withdrawal_reason
from shared.events import LeadFacts


@dataclass(frozen=True)
class HeldLead:
    """A lead as it was last told: its version, state, facts and office."""

    version: int
    state: str
    facts: LeadFacts
    office_id: str | None = None


@dataclass(frozen=True)
class LeadNews:
    """A lead to tell about; with a reason it is withdrawn."""

    facts: LeadFacts
    previous_version: int | None
    withdrawn_because: str | None = None
    office_id: str | None = None


def lead_news(
    firing: Mapping[str, LeadFacts],
    held: Mapping[str, HeldLead],
    boxes: Mapping[str, Box],
    boxes_elsewhere: Collection[str],
    as_of: date,
    *,
    offices: Mapping[str, str | None] | None = None,
) -> list[LeadNews]:
    """What to tell about the leads of some accounts, by lead id.

    `held` are the leads last told of these accounts and of the boxes they have now; a box in
    `boxes_elsewhere` moved to another account and keeps its leads until that one's turn. `offices` has
    the office of each box.
    """
    news = []
    for lead_id, facts in sorted(firing.items()):
        known = held.get(lead_id)
        office_id = (offices or {}).get(facts.box_id)
        if known is None or known.office_id != office_id or _differs(known, facts):
            version = known.version if known else None
            news.append(LeadNews(facts, version, office_id=office_id))
    for lead_id, known in sorted(held.items()):
        gone = lead_id not in firing and known.state == "open"
        if gone and known.facts.box_id not in boxes_elsewhere:
            reason = withdrawal_reason(known.facts, boxes.get(known.facts.box_id), as_of)
            news.append(LeadNews(known.facts, known.version, reason, known.office_id))
    return news


def _differs(known: HeldLead, facts: LeadFacts) -> bool:
    """Whether facts are news; a newer catalogue with the same prices is not."""
    if known.state != "open":
        return True
    same_catalogue = {"catalogue_version": facts.catalogue_version}
    return known.facts.model_copy(update=same_catalogue) != facts
