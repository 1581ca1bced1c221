"""A score is the weighted sum of its components, rounded once, and it matches its own ledger."""

from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.score import priority_of, round_score, weighted_sum
from shared.events import AccountProfile, LeadFacts, Priority, Score
from shared.rules.load import default_rules, parse_rules, rules_document
from shared.rules.model import Rules
from tests.support.scoring_builders import AS_OF, a_lead, a_profile, a_score, a_server, days_ago
from tests.unit.scoring.strategies import both_profiles, leads, profiles

RULES = default_rules()
COMPONENTS = ("urgency", "value", "propensity", "strategic_fit")


def component_sum(score: Score, name: str) -> float:
    return fsum(line.points for line in score.ledger if line.component == name)


def weighted(score: Score) -> float:
    return fsum(getattr(score.weights, name) * getattr(score, name) for name in COMPONENTS)


def test_the_weights_give_the_figure_of_the_rules() -> None:
    points = dict(zip(COMPONENTS, (100.0, 80.0, 60.0, 70.0), strict=True))
    assert round_score(weighted_sum(points, RULES.scoring)) == 81.5


@pytest.mark.parametrize(
    ("total", "rounded"),
    [
        (74.95, 75.0),
        (74.949999999999, 75.0),
        (74.9499999994, 74.9),
        (74.85, 74.9),
        (74.75, 74.8),
        (0.05, 0.1),
        (0.0, 0.0),
        (100.0, 100.0),
        (82.44999999999999, 82.5),
    ],
)
def test_nine_decimals_first_then_half_up_to_one(total: float, rounded: float) -> None:
    assert round_score(total) == rounded


@pytest.mark.parametrize(
    ("score", "priority"),
    [
        (100.0, Priority.CRITICAL),
        (75.0, Priority.CRITICAL),
        (74.9, Priority.HIGH),
        (60.0, Priority.HIGH),
        (59.9, Priority.MEDIUM),
        (40.0, Priority.MEDIUM),
        (39.9, Priority.LOW),
        (0.0, Priority.LOW),
    ],
)
def test_a_priority_begins_at_its_number(score: float, priority: Priority) -> None:
    assert priority_of(score, RULES.scoring.priorities) is priority


def test_the_priority_is_that_of_the_rounded_score() -> None:
    total = 74.95
    assert priority_of(round_score(total), RULES.scoring.priorities) is Priority.CRITICAL


def test_what_was_missing_is_named_and_lowers_the_confidence() -> None:
    score = a_score()
    assert score.missing == (
        "end_of_life",
        "service_end",
        "average_closed_amount",
        "territory_average",
        "win_rate",
        "last_project_date",
        "recent_closed_amounts",
        "segment",
    )
    assert 0 < score.confidence < 0.5


def test_a_score_says_by_which_rules_and_as_of_when_it_holds() -> None:
    score = a_score()
    assert (score.rules_version, score.profile, score.as_of) == ("test", "default", AS_OF)
    assert dict(score.weights) == dict(RULES.scoring.weights)


def test_a_date_filled_in_raises_the_confidence() -> None:
    assert a_score(a_lead(end_of_life=days_ago(1))).confidence > a_score().confidence


def test_the_rounding_is_the_last_line_of_the_ledger() -> None:
    score = a_score(a_server(end_of_life=days_ago(3753), service_end=days_ago(1000)))
    line = score.ledger[-1]
    assert line.component == "score"
    assert line.input == pytest.approx(weighted(score))
    assert f"rounded to {score.score}" in line.reason


def test_a_score_survives_the_way_through_an_event() -> None:
    score = a_score(a_lead(end_of_life=days_ago(-3)))
    assert Score.model_validate_json(score.model_dump_json()) == score


@given(leads(), profiles(), both_profiles)
def test_the_ledger_adds_up_exactly(lead: LeadFacts, profile: AccountProfile, rules: Rules) -> None:
    score = a_score(lead, profile, rules=rules)
    for name in COMPONENTS:
        assert component_sum(score, name) == getattr(score, name)
    parts = [getattr(score.weights, name) * getattr(score, name) for name in COMPONENTS]
    assert fsum((*parts, score.ledger[-1].points)) == score.score
    assert score.ledger[-1].input == fsum(parts)
    assert abs(score.ledger[-1].points) <= 0.05 + 1e-9
    assert {line.component for line in score.ledger} == {*COMPONENTS, "score"}


@given(leads(), profiles())
def test_every_number_is_bounded(lead: LeadFacts, profile: AccountProfile) -> None:
    score = a_score(lead, profile)
    parts = [getattr(score, name) for name in COMPONENTS]
    assert all(0 <= part <= 100 for part in parts)
    assert min(parts) - 0.05 <= score.score <= max(parts) + 0.05
    assert round(score.score, 1) == score.score
    assert 0 < score.confidence <= 1


@given(leads(), profiles())
def test_an_input_is_missing_or_in_the_ledger(lead: LeadFacts, profile: AccountProfile) -> None:
    score = a_score(lead, profile)
    assert ("end_of_life" in score.missing) is (lead.end_of_life is None)
    assert ("service_end" in score.missing) is (lead.service_end is None)
    assert ("win_rate" in score.missing) is (profile.win_rate is None)
    assert len(set(score.missing)) == len(score.missing)
    assert (score.confidence == 1) is (not score.missing)


@given(leads(), profiles())
def test_the_same_inputs_give_the_same_score(lead: LeadFacts, profile: AccountProfile) -> None:
    assert a_score(lead, profile) == a_score(lead, profile)


def with_weights(urgency: int, value: int, propensity: int) -> Rules:
    document = rules_document(RULES)
    document["scoring"]["weights"] = {
        "urgency": urgency / 100,
        "value": value / 100,
        "propensity": propensity / 100,
        "strategic_fit": (100 - urgency - value - propensity) / 100,
    }
    return parse_rules(document)


@given(leads(), profiles(), st.permutations([0, 10, 25]))
def test_any_weights_that_add_up_to_1_are_used(
    lead: LeadFacts, profile: AccountProfile, weights: list[int]
) -> None:
    score = a_score(lead, profile, rules=with_weights(*weights))
    assert weighted(score) == pytest.approx(score.score, abs=0.05 + 1e-9)


def test_a_weight_of_1_makes_the_component_the_score() -> None:
    score = a_score(a_lead(), a_profile(items=60), rules=with_weights(0, 100, 0))
    assert score.score == score.value
