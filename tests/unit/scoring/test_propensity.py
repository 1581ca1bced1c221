"""Propensity reads what an account is talking about, what it bought, and how that develops."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.tally import Component
from shared.events import AccountProfile, Segment
from shared.rules.load import default_rules
from shared.rules.model import Scoring
from tests.support.scoring_builders import AS_OF, a_profile, days_ago
from tests.support.scoring_builders import judged as judged_factor
from tests.unit.scoring.strategies import profiles

SCORING = default_rules().scoring


def judged(profile: AccountProfile, rules: Scoring = SCORING) -> Component:
    return judged_factor("propensity", None, profile, rules=rules)


def points_of(**changes: Any) -> float:
    return judged(a_profile(**changes)).points


def test_without_history_only_the_base_is_given_and_everything_is_named() -> None:
    component = judged(a_profile())
    assert component.points == 30
    assert component.missing == (
        "win_rate",
        "last_project_date",
        "recent_closed_amounts",
        "segment",
    )


@pytest.mark.parametrize(("count", "given"), [(6, 30), (5, 20), (3, 20), (2, 10), (1, 10), (0, 0)])
def test_open_opportunities_count_above_their_steps(count: int, given: int) -> None:
    assert points_of(open_opportunities=count) == 30 + given


@pytest.mark.parametrize(
    ("won", "lost", "given"),
    [(7, 3, 20), (69, 31, 15), (1, 1, 15), (49, 51, 10), (3, 7, 10), (29, 71, 0), (0, 5, 0)],
)
def test_the_win_rate_counts_from_its_steps_on(won: int, lost: int, given: int) -> None:
    assert points_of(won=won, lost=lost, win_rate=won / (won + lost)) == 30 + given


@pytest.mark.parametrize(
    ("days", "given"),
    [(0, 20), (90, 20), (91, 15), (180, 15), (181, 10), (365, 10), (366, 5), (730, 5), (731, 0)],
)
def test_the_last_project_counts_up_to_its_days(days: int, given: int) -> None:
    assert points_of(last_project_date=days_ago(days)) == 30 + given


def test_a_project_after_the_day_has_age_nothing() -> None:
    component = judged(a_profile(last_project_date=AS_OF + timedelta(days=40)))
    assert component.lines[-1].input == 0
    assert component.lines[-1].reason == "last project today"
    assert component.points == 50


@pytest.mark.parametrize(
    ("amounts", "given"),
    [
        ((120, 120, 100), 10),
        ((119, 120, 100), 5),
        ((100, 100, 100), 5),
        ((100, 99, 100), 0),
        ((130, 110, 80, 100, 120), 10),
        ((40, 40, 33, 33, 34), 10),
    ],
)
def test_the_trend_compares_the_two_newest_with_the_rest(
    amounts: tuple[int, ...], given: int
) -> None:
    assert points_of(recent_closed_amounts=tuple(map(Decimal, amounts))) == 30 + given


def test_a_trend_needs_three_closed_projects() -> None:
    component = judged(a_profile(recent_closed_amounts=(Decimal(9), Decimal(1))))
    assert "recent_closed_amounts" in component.missing
    assert component.points == 30


def test_the_trend_looks_at_the_five_latest_only() -> None:
    amounts = (*map(Decimal, (10, 10, 10, 10, 10)), Decimal(10_000))
    assert points_of(recent_closed_amounts=amounts) == 35


@pytest.mark.parametrize(
    ("segment", "given"),
    [(Segment.GROWTH, 5), (Segment.TRANSACTIONAL, -5), (Segment.STRATEGIC_ENTERPRISE, 0)],
)
def test_the_segment_counts(segment: Segment, given: int) -> None:
    assert points_of(segment=segment) == 30 + given


def test_propensity_is_capped_at_100_by_a_line_of_its_own() -> None:
    component = judged(
        a_profile(
            open_opportunities=6,
            won=1,
            win_rate=1.0,
            last_project_date=AS_OF,
            recent_closed_amounts=tuple(map(Decimal, (3, 3, 1))),
            segment=Segment.GROWTH,
        )
    )
    assert component.points == 100
    assert component.lines[-1].points == -15
    assert component.missing == ()


def test_propensity_never_falls_below_0() -> None:
    poor = SCORING.propensity.model_copy(update={"base": 3.0})
    rules = SCORING.model_copy(update={"propensity": poor})
    component = judged(a_profile(segment=Segment.TRANSACTIONAL), rules)
    assert component.points == 0
    assert component.lines[-1].reason == "a component is at least 0"
    assert component.lines[-1].points == 2


@given(profiles(), st.integers(0, 10), st.integers(0, 10))
def test_more_open_opportunities_never_lower_propensity(
    profile: AccountProfile, one: int, other: int
) -> None:
    few, many = (
        profile.model_copy(update={"open_opportunities": count}) for count in sorted((one, other))
    )
    assert judged(few).points <= judged(many).points


@given(profiles(), st.integers(-50, 2_000), st.integers(0, 400))
def test_an_older_last_project_never_raises_propensity(
    profile: AccountProfile, days: int, later: int
) -> None:
    newer, older = (
        profile.model_copy(update={"last_project_date": days_ago(age)})
        for age in (days, days + later)
    )
    assert judged(older).points <= judged(newer).points
