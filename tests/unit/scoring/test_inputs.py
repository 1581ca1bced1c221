"""The values at which the points of an input rise are the first that do, the nearest first."""

from decimal import Decimal
from typing import Any

import pytest

from services.scoring.domain.outlook.inputs import INPUTS, Input
from shared.events import AccountProfile, LeadFacts, Segment
from shared.rules.load import default_rules
from shared.rules.model import Scoring
from tests.support.scoring_builders import a_case, a_lead, a_profile, a_server, territory_average

RULES = default_rules()


def needed(
    name: str,
    lead: LeadFacts | None = None,
    profile: AccountProfile | None = None,
    rules: Scoring = RULES.scoring,
    of: str = "default",
) -> list[Any]:
    given: Input = next(each for each in INPUTS[of] if each.name == name)
    variations = given.variations(a_case(lead, profile), rules, RULES.products)
    return [each.needed for each in variations]


def with_win_rates(*rates: float) -> Scoring:
    scoring = RULES.scoring
    first = scoring.propensity.win_rate.steps[0]
    steps = tuple(first.model_copy(update={"at": rate}) for rate in rates)
    win_rate = scoring.propensity.win_rate.model_copy(update={"steps": steps})
    propensity = scoring.propensity.model_copy(update={"win_rate": win_rate})
    return scoring.model_copy(update={"propensity": propensity})


@pytest.mark.parametrize("lost", [0, 1, 2, 3, 7, 30, 49, 100])
def test_as_many_are_won_as_the_rate_needs(lost: int) -> None:
    steps = (0.3, 0.5, 0.7)
    first = [next(won for won in range(1, 999) if won / (won + lost) >= step) for step in steps]
    assert needed("won", None, a_profile(lost=lost)) == first
    assert needed("won", None, a_profile(lost=lost, won=first[1])) == [
        each for each in first if each > first[1]
    ]


def test_no_number_won_makes_up_for_one_that_was_lost() -> None:
    assert needed("won", None, a_profile(lost=1), with_win_rates(1.0)) == []
    assert needed("won", None, a_profile(lost=0), with_win_rates(1.0)) == [1]
    assert needed("won", None, a_profile(lost=0), with_win_rates(1.5)) == []


@pytest.mark.parametrize(
    ("name", "now", "expected", "of"),
    [
        ("items", 0, [6, 21, 51], "default"),
        ("items", 6, [21, 51], "default"),
        ("items", 51, [], "default"),
        ("items", 50, [51], "classic"),
        ("open_opportunities", 0, [1, 3, 6], "default"),
        ("open_opportunities", 3, [6], "default"),
        ("open_opportunities", 0, [6], "classic"),
        ("closed_projects", 10, [11], "classic"),
    ],
)
def test_counts_rise_just_above_their_steps(
    name: str, now: int, expected: list[int], of: str
) -> None:
    assert needed(name, None, a_profile(**{name: now}), of=of) == expected


def test_sums_rise_at_the_steps_and_at_the_ratios_of_both_averages() -> None:
    profile = a_profile(
        average_closed_amount=Decimal("30000.01"), territory_averages=territory_average(200_000)
    )
    lead = a_lead(estimated_value_max=Decimal(20_000))
    assert needed("estimated_value_max", lead, profile) == [
        *("30000.01", "45000.02", "50000.00", "100000.00", "100000.00"),
        *("200000.00", "200000.00", "300000.00"),
    ]
    classic = RULES.scoring.model_copy(update={"profile": "classic"})
    steps = needed("estimated_value_max", lead, profile, classic, "classic")
    assert steps == ["100000.00", "200000.00"]


def test_averages_fall_to_the_cent_at_which_the_ratio_is_reached() -> None:
    lead = a_lead(estimated_value_max=Decimal(10_000))
    assert needed("average_closed_amount", lead) == ["20000.00", "10000.00", "6666.66"]
    known = a_profile(average_closed_amount=Decimal(10_000))
    assert needed("average_closed_amount", lead, known) == ["6666.66"]
    assert needed("territory_average", a_lead(estimated_value_max=Decimal(0))) == []


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (Segment.UNKNOWN, ["TRANSACTIONAL", "GROWTH", "STRATEGIC_ENTERPRISE"]),
        (Segment.TRANSACTIONAL, ["GROWTH", "STRATEGIC_ENTERPRISE"]),
        (Segment.GROWTH, ["STRATEGIC_ENTERPRISE", "TRANSACTIONAL"]),
        (Segment.STRATEGIC_ENTERPRISE, ["GROWTH", "TRANSACTIONAL"]),
    ],
)
def test_the_next_segment_comes_first(now: Segment, expected: list[str]) -> None:
    assert needed("segment", None, a_profile(segment=now)) == expected


def test_a_trend_rises_at_its_ratios() -> None:
    level = a_profile(recent_closed_amounts=(Decimal(1),) * 3)
    assert needed("trend") == [1.0, 1.2]
    assert needed("trend", None, level) == [1.2]


def test_of_the_box_only_what_it_is_not_yet_is_offered() -> None:
    assert needed("generation", a_server(generation=11)) == [8]
    assert needed("generation", a_server(generation=9)) == [8]
    assert needed("generation", a_server(generation=8)) == []
    assert needed("generation", a_server(generation=None)) == [8]
    assert needed("competitor_brand", a_lead(competitor_brand="IBM")) == []
    assert needed("competitor_brand") == [RULES.products.competitor_brands[0]]
    assert needed("product_family", a_server()) == []
    assert needed("product_family", a_lead(product_family="MSA")) == ["3PAR"]
