"""The profile `classic` gives the stepped components of the first OneLead."""

from decimal import Decimal

import pytest

from shared.events import AccountProfile, LeadFacts, LeadType, Segment
from shared.rules.load import default_rules
from tests.support.scoring_builders import a_lead, a_profile, a_score, a_server, days_ago, judged

RULES = default_rules()
SCORING = RULES.scoring
CLASSIC = RULES.model_copy(update={"scoring": SCORING.model_copy(update={"profile": "classic"})})


def points_of(
    factor: str, lead: LeadFacts | None = None, profile: AccountProfile | None = None
) -> float:
    return judged(factor, lead, profile, rules=CLASSIC.scoring).points


@pytest.mark.parametrize(
    ("eol", "expiry", "expected"),
    [
        (1825, 365, 70),
        (1826, 365, 80),
        (1826, 366, 100),
        (1095, 366, 70),
        (1096, 0, 70),
        (None, None, 50),
    ],
)
def test_urgency_goes_in_steps(eol: int | None, expiry: int | None, expected: int) -> None:
    lead = a_lead(end_of_life=days_ago(eol), service_end=days_ago(expiry))
    assert points_of("urgency", lead) == expected


@pytest.mark.parametrize(
    ("highest", "items", "expected"),
    [
        ("200000", 51, 100),
        ("200000", 50, 80),
        ("199999", 1, 70),
        ("100000", 1, 70),
        ("99999", 1, 40),
    ],
)
def test_value_goes_in_steps(highest: str, items: int, expected: int) -> None:
    lead = a_lead(estimated_value_max=Decimal(highest))
    assert points_of("value", lead, a_profile(items=items)) == expected


@pytest.mark.parametrize(
    ("opened", "closed", "expected"), [(6, 11, 90), (6, 10, 60), (5, 11, 60), (5, 10, 30)]
)
def test_propensity_goes_in_steps(opened: int, closed: int, expected: int) -> None:
    profile = a_profile(open_opportunities=opened, closed_projects=closed)
    assert points_of("propensity", None, profile) == expected


def test_the_fit_is_the_default_one_without_segments() -> None:
    profile = a_profile(segment=Segment.STRATEGIC_ENTERPRISE)
    lead = a_server(lead_type=LeadType.HARDWARE_REFRESH)
    assert points_of("strategic_fit", lead, profile) == 85


def test_the_rules_select_the_profile() -> None:
    lead = a_server(end_of_life=days_ago(3753), service_end=days_ago(1000), generation=8)
    classic, default = a_score(lead, rules=CLASSIC), a_score(lead)
    assert (classic.profile, default.profile) == ("classic", "default")
    assert (classic.urgency, classic.value, classic.propensity, classic.strategic_fit) == (
        100,
        40,
        30,
        75,
    )
    assert classic.score == 64.3


def test_classic_asks_for_fewer_inputs() -> None:
    score = a_score(rules=CLASSIC)
    assert score.missing == ("end_of_life", "service_end")
    assert score.confidence == pytest.approx(6 / 8)
