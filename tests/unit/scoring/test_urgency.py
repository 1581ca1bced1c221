"""Urgency rises with every day past a date and counts the moments in which competitors are asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.tally import Component
from shared.events import LeadFacts
from tests.support.scoring_builders import a_lead, a_server, days_ago
from tests.support.scoring_builders import judged as judged_factor


def judged(lead: LeadFacts) -> Component:
    return judged_factor("urgency", lead)


def urgency_of(eol: int | None, expiry: int | None = None) -> float:
    return judged(a_lead(end_of_life=days_ago(eol), service_end=days_ago(expiry))).points


def points(component: Component, part: str) -> list[float]:
    return [line.points for line in component.lines if part in line.reason]


def test_the_figures_of_the_rules_hold() -> None:
    assert urgency_of(3753, 1000) == pytest.approx(99.75, abs=0.005)
    assert urgency_of(100, 95) == pytest.approx(77.04, abs=0.005)
    assert urgency_of(100, 95) - 15 == pytest.approx(62.04, abs=0.005)


def test_without_dates_only_the_base_is_given_and_both_are_named() -> None:
    component = judged(a_lead())
    assert component.points == 50
    assert component.missing == ("end_of_life", "service_end")
    assert [line.reason for line in component.lines] == ["base"]


@pytest.mark.parametrize(
    ("eol", "window"),
    [(-181, 0), (-180, 10), (-1, 10), (0, 15), (1, 15), (180, 15), (181, 0)],
)
def test_the_eol_window_begins_and_ends_on_its_days(eol: int, window: int) -> None:
    component = judged(a_lead(end_of_life=days_ago(eol)))
    assert sum(points(component, "competitors will be asked")) == window


@pytest.mark.parametrize(("days", "rises"), [(-400, False), (0, False), (1, True)])
def test_a_date_counts_from_the_first_day_past_it(days: int, rises: bool) -> None:
    component = judged(a_lead(end_of_life=days_ago(days), service_end=days_ago(days)))
    dates = points(component, "end of life") + points(component, "end of support")
    assert (dates[0] > 0) is rises
    assert (dates[-1] > 0) is rises


def test_730_and_180_days_are_time_constants_not_half_lives() -> None:
    assert urgency_of(730) == pytest.approx(50 + 30 * 0.6321, abs=0.01)
    assert urgency_of(None, 180) == pytest.approx(50 + 20 * 0.6321, abs=0.01)


@pytest.mark.parametrize(("generation", "given"), [(7, 10), (8, 10), (9, 0), (11, 0), (12, 0)])
def test_three_generations_behind_count(generation: int, given: int) -> None:
    component = judged(a_server(generation=generation))
    assert sum(points(component, "behind Gen11")) == given


def test_a_generation_is_missing_only_where_the_family_has_them() -> None:
    assert "generation" in judged(a_server(generation=None)).missing
    assert "generation" not in judged(a_lead(generation=None)).missing


@pytest.mark.parametrize("brand", ["DELL", "CISCO", "LENOVO", "IBM"])
def test_competitor_gear_counts(brand: str) -> None:
    assert points(judged(a_lead(competitor_brand=brand)), brand) == [10]


def test_the_competitive_lines_together_are_capped_by_a_line_of_their_own() -> None:
    lead = a_server(generation=8, competitor_brand="IBM", end_of_life=days_ago(0))
    component = judged(lead)
    assert [line.points for line in component.lines] == [50, 0, 10, 15, 10, -10]
    assert component.lines[-1].reason == "competitive points count up to 25 together"
    assert component.points == 75


def test_two_competitive_lines_stay_at_the_cap_without_a_line() -> None:
    component = judged(a_lead(competitor_brand="IBM", end_of_life=days_ago(0)))
    assert component.points == 75
    assert points(component, "together") == []


def test_urgency_is_capped_at_100_by_a_line_of_its_own() -> None:
    component = judged(
        a_server(generation=8, end_of_life=days_ago(3753), service_end=days_ago(999))
    )
    assert component.points == 100
    assert component.lines[-1].reason == "capped at 100"
    assert component.lines[-1].points < 0


def test_ages_are_told_in_plain_words() -> None:
    lead = a_lead(end_of_life=days_ago(3753), service_end=days_ago(-1))
    reasons = [line.reason for line in judged(lead).lines]
    assert reasons[1:3] == ["3,753 days past end of life", "1 day before end of support"]
    today = judged(a_lead(end_of_life=days_ago(0)))
    assert today.lines[1].reason == "end of life is today"


def _window(days: int) -> int:
    return 0 if days < -180 else 1 if days < 0 else 2 if days <= 180 else 3


@given(st.integers(-2_000, 6_000), st.integers(0, 400), st.integers(-2_000, 6_000))
def test_urgency_never_falls_with_age_outside_the_windows(
    eol: int, later: int, expiry: int
) -> None:
    if _window(eol) == _window(eol + later):
        assert urgency_of(eol + later, expiry) >= urgency_of(eol, expiry)


@given(st.none() | st.integers(-2_000, 6_000), st.integers(-2_000, 6_000), st.integers(0, 400))
def test_urgency_never_falls_with_the_days_past_support(
    eol: int | None, expiry: int, later: int
) -> None:
    assert urgency_of(eol, expiry + later) >= urgency_of(eol, expiry)
