"""What the factors see: every input of a score as one flat value, its dates as ages of one day."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from shared.events import AccountProfile, LeadFacts, Segment
from shared.rules.model import Products


class Case(NamedTuple):
    """A lead and its account as of a day. A missing input is None.

    Ages are in days and negative before the date. `average_closed_amount` and `territory_average`
    are None too when they cannot be compared with the lead: in another currency, or not above 0.
    """

    days_since_eol: int | None
    days_since_expiry: int | None
    days_since_project: int | None
    product_family: str
    product_family_parent: str | None
    generation: int | None
    competitor_brand: str | None
    lead_type: str
    estimated_value_max: Decimal
    currency: str
    average_closed_amount: Decimal | None
    territory_average: Decimal | None
    items: int
    open_opportunities: int
    won: int
    lost: int
    win_rate: float | None
    closed_projects: int
    recent_closed_amounts: tuple[Decimal, ...]
    segment: Segment
    latest_generation: int
    generation_families: tuple[str, ...]

    @classmethod
    def of(
        cls, lead: LeadFacts, profile: AccountProfile, products: Products, as_of: date
    ) -> "Case":
        """The case of a lead as of a day."""
        last = profile.last_project_date
        account, territory = _averages(lead, profile)
        return cls(
            days_since_eol=lead.days_since_eol(as_of),
            days_since_expiry=lead.days_since_expiry(as_of),
            days_since_project=None if last is None else (as_of - last).days,
            product_family=lead.product_family,
            product_family_parent=lead.product_family_parent,
            generation=lead.generation,
            competitor_brand=lead.competitor_brand,
            lead_type=lead.lead_type.value,
            estimated_value_max=lead.estimated_value_max,
            currency=lead.currency,
            average_closed_amount=account,
            territory_average=territory,
            items=profile.items,
            open_opportunities=profile.open_opportunities,
            won=profile.won,
            lost=profile.lost,
            win_rate=profile.win_rate,
            closed_projects=profile.closed_projects,
            recent_closed_amounts=profile.recent_closed_amounts,
            segment=profile.segment,
            latest_generation=products.latest_generation,
            generation_families=products.generation_families,
        )

    def later(self, days: int) -> "Case":
        """The same `days` later: only the ages differ."""
        eol, expiry, project, *others = self
        return Case._make((_older(eol, days), _older(expiry, days), _older(project, days), *others))

    def changed(self, field: str, value: object) -> "Case":
        """The same with another value of one input."""
        values: list[object] = list(self)
        values[_PLACES[field]] = value
        return Case._make(values)

    def is_of_family(self, families: tuple[str, ...]) -> bool:
        """Whether the box's family, or its parent, is among `families` (rules.md §1)."""
        return self.product_family in families or self.product_family_parent in families


_PLACES = {field: place for place, field in enumerate(Case._fields)}


def _averages(lead: LeadFacts, profile: AccountProfile) -> tuple[Decimal | None, Decimal | None]:
    if profile.currency != lead.currency:
        return None, None
    return (
        _positive(profile.average_closed_amount),
        _positive(profile.territory_average(lead.territory_id)),
    )


def _positive(average: Decimal | None) -> Decimal | None:
    return average if average is not None and average > 0 else None


def _older(age: int | None, days: int) -> int | None:
    return None if age is None else age + days
