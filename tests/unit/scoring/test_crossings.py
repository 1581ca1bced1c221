"""The days on which a priority changes by itself are those that a score of every day finds."""

from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.scoring.domain.outlook.ages import first_reaching
from services.scoring.domain.outlook.crossings import crossings
from shared.events import AccountProfile, Crossing, LeadFacts, Priority, Segment
from shared.rules.load import default_rules, parse_rules, rules_document
from shared.rules.model import Rules
from tests.support.scoring_builders import (
    AS_OF,
    a_lead,
    a_profile,
    a_score,
    a_server,
    days_ago,
    with_profile,
)
from tests.unit.scoring.strategies import both_profiles, leads, profiles

RULES = default_rules()


def found(
    lead: LeadFacts, profile: AccountProfile, days: int, rules: Rules = RULES
) -> tuple[Crossing, ...]:
    return crossings(lead, profile, rules.scoring, products=rules.products, as_of=AS_OF, days=days)


def day_by_day(
    lead: LeadFacts, profile: AccountProfile, days: int, rules: Rules = RULES
) -> tuple[Crossing, ...]:
    changes = []
    before = a_score(lead, profile, rules=rules).priority
    for ahead in range(1, days + 1):
        on = AS_OF + timedelta(days=ahead)
        score = a_score(lead, profile, rules=rules, as_of=on)
        if score.priority is not before:
            change = Crossing(on=on, before=before, after=score.priority, score=score.score)
            changes.append(change)
        before = score.priority
    return tuple(changes)


def with_odd_steps() -> Rules:
    """Rules whose steps lie between whole days, whose window is narrow and whose bands are close."""
    document = rules_document(RULES)
    scoring = document["scoring"]
    scoring["propensity"]["last_project_within_days"] = [
        {"at": 10.5, "points": 90.0},
        {"at": 300, "points": 45.25},
    ]
    scoring["urgency"]["competitive"].update(eol_window_before_days=0, eol_window_after_days=1)
    scoring["priorities"] = {"critical": 62, "high": 61.5, "medium": 52}
    scoring["classic"]["eol_above"] = {"steps": [{"at": 99.5, "points": 40}], "below": 10}
    return parse_rules(document)


near = st.none() | st.integers(-1_300, 400)


@st.composite
def turning_leads(draw: st.DrawFn) -> LeadFacts:
    """Leads with dates near the day, where most happens."""
    return draw(leads()).model_copy(
        update={"end_of_life": days_ago(draw(near)), "service_end": days_ago(draw(near))}
    )


@given(turning_leads(), profiles(), both_profiles)
@settings(max_examples=6, deadline=None)
def test_the_days_are_those_that_a_score_of_every_day_finds(
    lead: LeadFacts, profile: AccountProfile, rules: Rules
) -> None:
    assert found(lead, profile, 1_095, rules) == day_by_day(lead, profile, 1_095, rules)


@given(turning_leads(), profiles(), st.integers(0, 400))
@settings(max_examples=7, deadline=None)
def test_so_they_are_with_any_numbers_in_the_rules(
    lead: LeadFacts, profile: AccountProfile, days: int
) -> None:
    rules = with_odd_steps()
    assert found(lead, profile, days, rules) == day_by_day(lead, profile, days, rules)


ACCOUNT = a_profile(
    items=17,
    open_opportunities=6,
    closed_projects=11,
    win_rate=0.6,
    last_project_date=AS_OF,
    recent_closed_amounts=tuple(map(Decimal, (15, 15, 10))),
    segment=Segment.TRANSACTIONAL,
)
NEVER_FELL = a_lead(service_end=days_ago(216), estimated_value_max=Decimal(50_000))
NEARS_ITS_END = a_server(end_of_life=days_ago(-200), estimated_value_max=Decimal(50_000))
AGES = a_lead(
    end_of_life=days_ago(900),
    service_end=days_ago(-40),
    estimated_value_max=Decimal(100_000),
)


@pytest.mark.parametrize(
    ("lead", "profile"),
    [(NEVER_FELL, "default"), (NEARS_ITS_END, "default"), (AGES, "classic")],
)
def test_leads_that_turn_do_so_on_their_days(lead: LeadFacts, profile: str) -> None:
    rules = with_profile(profile)
    expected = day_by_day(lead, ACCOUNT, 1_095, rules)
    assert found(lead, ACCOUNT, 1_095, rules) == expected
    assert expected


def test_priorities_fall_and_rise_again() -> None:
    changes = found(NEARS_ITS_END, ACCOUNT, 1_095)
    turns = [(change.before, change.after) for change in changes]
    assert (Priority.HIGH, Priority.CRITICAL) in turns
    assert (Priority.CRITICAL, Priority.HIGH) in turns
    assert all(one.after is two.before for one, two in pairwise(changes))


@pytest.mark.parametrize("profile", ["default", "classic"])
def test_without_dates_nothing_changes_by_itself(profile: str) -> None:
    assert found(a_lead(), a_profile(), 1_095, with_profile(profile)) == ()


def test_the_last_day_counts_and_the_one_after_it_does_not() -> None:
    lead, profile = NEARS_ITS_END, ACCOUNT
    first = found(lead, profile, 1_095)[0]
    ahead = (first.on - AS_OF).days
    assert found(lead, profile, ahead) == (first,)
    assert found(lead, profile, ahead - 1) == ()
    assert found(lead, profile, 0) == ()


@given(st.integers(0, 500), st.integers(1, 500), st.integers(0, 499))
@example(0, 1, 0)
def test_halving_finds_the_first_that_reaches(low: int, width: int, part: int) -> None:
    wanted = low + 1 + part % width
    assert first_reaching(float(wanted), low, low + width, float) == wanted
