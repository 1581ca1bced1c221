"""What a missing date would move is what trying dates finds."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.domain.case import Case
from services.scoring.domain.outlook.missing_dates import missing_dates
from services.scoring.domain.outlook.trial import Trial
from shared.events import AccountProfile, LeadFacts, MissingDate, Priority
from shared.rules.load import default_rules
from shared.rules.model import Rules
from tests.support.scoring_builders import AS_OF, a_lead, a_profile, a_score, days_ago, with_profile
from tests.unit.scoring.strategies import both_profiles, leads, profiles
from tests.unit.scoring.variations import score_with

RULES = default_rules()
TRIED = (-36_500, -181, -180, -1, 0, 1, 90, 91, 180, 181, 365, 366, 730, 731, 1_095, 1_826, 36_500)


def found(lead: LeadFacts, profile: AccountProfile, rules: Rules = RULES) -> dict[str, MissingDate]:
    trial = Trial(Case.of(lead, profile, rules.products, AS_OF), rules.scoring)
    return {each.input: each for each in missing_dates(trial)}


@given(leads(), profiles(), both_profiles, st.lists(st.integers(-2_000, 6_000), max_size=10))
@settings(max_examples=15, deadline=None)
def test_no_date_scores_outside_and_some_score_at_both_ends(
    lead: LeadFacts, profile: AccountProfile, rules: Rules, more: list[int]
) -> None:
    for name, moved in found(lead, profile, rules).items():
        days = [AS_OF - timedelta(days=age) for age in (*TRIED, *more)]
        scores = [score_with(lead, profile, name, day, rules) for day in days]
        assert moved.lowest == min(scores)
        assert moved.highest == max(scores)


@given(leads(), profiles())
@settings(max_examples=15, deadline=None)
def test_those_dates_are_named_that_the_score_misses(
    lead: LeadFacts, profile: AccountProfile
) -> None:
    dates = {"end_of_life", "service_end", "last_project_date"}
    assert set(found(lead, profile)) == dates & set(a_score(lead, profile).missing)


def test_classic_does_not_ask_for_the_last_project() -> None:
    assert set(found(a_lead(), a_profile(), with_profile("classic"))) == {
        "end_of_life",
        "service_end",
    }


def test_the_priorities_are_those_of_the_scores() -> None:
    # Urgency 50 of the base, value 50, propensity 30, strategic fit 75: 49.75.
    moved = found(a_lead(), a_profile())
    assert a_score().score == 49.8
    assert moved["end_of_life"] == MissingDate(
        input="end_of_life",
        lowest=49.8,
        lowest_priority=Priority.MEDIUM,
        highest=60.3,
        highest_priority=Priority.HIGH,
    )
    assert (moved["service_end"].lowest, moved["service_end"].highest) == (49.8, 56.8)
    assert (moved["last_project_date"].lowest, moved["last_project_date"].highest) == (49.8, 53.8)


@pytest.mark.parametrize("age", [0, 400])
def test_a_date_that_is_there_is_not_missing(age: int) -> None:
    lead = a_lead(end_of_life=days_ago(age), service_end=days_ago(age))
    assert set(found(lead, a_profile(last_project_date=days_ago(age)))) == set()
