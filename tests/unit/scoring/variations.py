"""Leads and accounts with one input changed, and the grids of values that are tried one by one."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from shared.events import AccountProfile, LeadFacts, Segment
from shared.rules.load import default_rules
from shared.rules.model import Rules
from tests.support.scoring_builders import AS_OF, a_score, territory_average

PRODUCTS = default_rules().products
_OF_LEAD = {"end_of_life", "service_end", "generation", "competitor_brand", "estimated_value_max"}
NEAR_DAYS = 365
COUNTS = {
    "items": range(120),
    "open_opportunities": range(20),
    "closed_projects": range(40),
    "won": range(80),
    "generation": range(1, 12),
}


def score_with(
    lead: LeadFacts, profile: AccountProfile, name: str, value: Any, rules: Rules
) -> float:
    """The score when one input has another value."""
    if name == "product_family":
        changes = {"product_family": value, "product_family_parent": PRODUCTS.parents.get(value)}
        return a_score(lead.model_copy(update=changes), profile, rules=rules).score
    if name in _OF_LEAD:
        return a_score(lead.model_copy(update={name: value}), profile, rules=rules).score
    return a_score(
        lead, profile.model_copy(update=_of_profile(profile, name, value)), rules=rules
    ).score


def _of_profile(profile: AccountProfile, name: str, value: Any) -> dict[str, Any]:
    if name == "won":
        closed = value + profile.lost
        return {"won": value, "win_rate": value / closed if closed else None}
    if name == "territory_average":
        return {"territory_averages": territory_average(value)}
    if name == "trend":
        newest, rest = Decimal(repr(value)), Decimal(1)
        return {"recent_closed_amounts": (newest, newest, rest, rest, rest)}
    if name == "segment":
        return {"segment": Segment(value)}
    return {name: value}


def parsed(name: str, needed: Any) -> Any:
    """A value of an event as the fields of a lead or a profile have it."""
    if name in ("end_of_life", "service_end", "last_project_date"):
        return date.fromisoformat(needed)
    if name in ("estimated_value_max", "average_closed_amount", "territory_average"):
        return Decimal(needed)
    return needed


def is_critical(score: float, rules: Rules) -> bool:
    return score >= rules.scoring.priorities.critical


def nearest_day(lead: LeadFacts, profile: AccountProfile, name: str, rules: Rules) -> date | None:
    """The nearest date within NEAR_DAYS that makes the lead CRITICAL, trying one after the other."""
    now = getattr(profile if name == "last_project_date" else lead, name) or AS_OF
    for distance in range(NEAR_DAYS + 1):
        for day in (now - timedelta(days=distance), now + timedelta(days=distance)):
            if is_critical(score_with(lead, profile, name, day, rules), rules):
                return day
    return None


def money_around(amounts: Iterable[Decimal]) -> list[Decimal]:
    """Each amount to the cent, and the cents beside it."""
    cent = Decimal("0.01")
    whole = {amount.quantize(cent) for amount in amounts}
    return sorted({each + step * cent for each in whole for step in (-1, 0, 1)})
