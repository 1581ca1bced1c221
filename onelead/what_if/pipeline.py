"""Adds up one side: how many leads, and the open pipeline, by priority and by type."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from onelead.what_if.side import Judged
from shared.events import LeadType, Priority


@dataclass
class Pipeline:
    """Leads and their worth in the tenant's currency, added up account by account.

    The open pipeline holds each box's best play (highest max value, then score) once (rules.md §3);
    by priority and by type it is that play's, so that both sum to the whole.
    """

    leads: Counter[tuple[LeadType, Priority]] = field(default_factory=Counter)
    worth: dict[tuple[LeadType, Priority], Decimal] = field(
        default_factory=lambda: defaultdict(Decimal)
    )

    def add(self, judged: Iterable[Judged]) -> None:
        """Adds all leads of some accounts."""
        best: dict[str, Judged] = {}
        for each in judged:
            self.leads[_kind(each)] += 1
            box_id = each.lead.box_id
            if box_id not in best or _rank(each) > _rank(best[box_id]):
                best[box_id] = each
        for each in best.values():
            self.worth[_kind(each)] += each.lead.estimated_value_max

    def count(self, *, of: LeadType | Priority | None = None) -> int:
        """How many leads there are: all, or those of a type or priority."""
        return sum(count for kind, count in self.leads.items() if of is None or of in kind)

    def open(self, *, of: LeadType | Priority | None = None) -> Decimal:
        """The open pipeline: the whole, or the part of a type or priority."""
        parts = (worth for kind, worth in self.worth.items() if of is None or of in kind)
        return sum(parts, Decimal(0))


def _kind(judged: Judged) -> tuple[LeadType, Priority]:
    return judged.lead.lead_type, judged.score.priority


def _rank(judged: Judged) -> tuple[Decimal, float]:
    return judged.lead.estimated_value_max, judged.score.score
