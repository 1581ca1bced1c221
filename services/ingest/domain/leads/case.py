"""What a lead rule sees of a box, and what it answers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from services.ingest.domain.families import Product, product_of
from services.ingest.domain.records import Box
from services.ingest.domain.risk import risk_of
from services.ingest.domain.values import PriceList, ValueRange
from shared.events import LeadType, Risk
from shared.rules.model import Rules


@dataclass(frozen=True)
class BoxCase:
    """A box as of a day: what it is, how old, how risky; ages as in rules.md §3."""

    box: Box
    product: Product
    days_since_eol: int | None
    days_since_expiry: int | None
    risk: Risk
    prices: PriceList
    rules: Rules

    def status_contains(self, word: str) -> bool:
        """Whether the support status contains the word, whatever the case."""
        return word.casefold() in (self.box.support_status or "").casefold()

    @property
    def support_is_ours(self) -> bool:
        """Whether support may be offered for the box at all (rules.md §3, switches)."""
        competitor = self.product.competitor_brand is not None
        return not competitor or self.rules.leads.competitor_support_plays

    def support_value(self) -> ValueRange:
        """What a year of support for the box is worth."""
        return self.prices.support_value(self.product, self.rules.values)


@dataclass(frozen=True)
class Play:
    """A lead that fires: its words for people, and its worth."""

    title: str
    action: str
    value: ValueRange


@dataclass(frozen=True)
class LeadRule:
    """A lead type and the rule that fires it: a play, or None."""

    lead_type: LeadType
    play: Callable[[BoxCase], Play | None]


def box_case(box: Box, prices: PriceList, rules: Rules, as_of: date) -> BoxCase:
    """The case of a box as of a day."""
    since_eol = None if box.end_of_life is None else (as_of - box.end_of_life).days
    since_expiry = None if box.service_end is None else (as_of - box.service_end).days
    return BoxCase(
        box=box,
        product=product_of(box.product_name, box.platform, rules.products),
        days_since_eol=since_eol,
        days_since_expiry=since_expiry,
        risk=risk_of(since_eol, since_expiry, rules.leads.risk),
        prices=prices,
        rules=rules,
    )
