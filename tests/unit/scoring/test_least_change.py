"""The least change that makes a lead CRITICAL is the one that trying all values finds."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.scoring.domain.case import Case
from services.scoring.domain.outlook.least_change import inputs_looked_at, least_changes
from services.scoring.domain.outlook.trial import Trial
from shared.events import AccountProfile, LeadFacts, LeastChange, Segment
from shared.rules.load import default_rules
from shared.rules.model import Rules
from tests.support.scoring_builders import (
    AS_OF,
    a_lead,
    a_profile,
    a_score,
    a_server,
    days_ago,
    territory_average,
    with_profile,
)
from tests.unit.scoring.strategies import both_profiles, leads, profiles
from tests.unit.scoring.variations import (
    COUNTS,
    NEAR_DAYS,
    is_critical,
    money_around,
    nearest_day,
    parsed,
    score_with,
)

RULES = default_rules()
DATES = ("end_of_life", "service_end", "last_project_date")
RATIOS = (Decimal("0.5"), Decimal(1), Decimal("1.5"))


def changes(
    lead: LeadFacts, profile: AccountProfile, rules: Rules = RULES
) -> dict[str, LeastChange]:
    trial = Trial(Case.of(lead, profile, rules.products, AS_OF), rules.scoring)
    found = least_changes(trial, rules.products, AS_OF)
    assert len({each.input for each in found}) == len(found)
    return {each.input: each for each in found}


class Near:
    """Any lead below CRITICAL with an account, under either profile."""

    cases = st.tuples(leads(), profiles(), both_profiles).filter(
        lambda case: not is_critical(a_score(case[0], case[1], rules=case[2]).score, case[2])
    )


Case3 = tuple[LeadFacts, AccountProfile, Rules]


@given(Near.cases)
@settings(max_examples=30, deadline=None)
def test_the_value_named_does_it_and_gives_the_score_named(case: Case3) -> None:
    lead, profile, rules = case
    for name, change in changes(lead, profile, rules).items():
        score = score_with(lead, profile, name, parsed(name, change.needed), rules)
        assert score == change.score
        assert is_critical(score, rules)


@given(Near.cases)
@settings(max_examples=3, deadline=None)
def test_no_nearer_date_does_it(case: Case3) -> None:
    lead, profile, rules = case
    found = changes(lead, profile, rules)
    for name in DATES:
        nearest = nearest_day(lead, profile, name, rules)
        change = found.get(name)
        if nearest is not None:
            assert change is not None
            assert change.needed == nearest.isoformat()
        elif change is not None:
            now = getattr(profile if name == "last_project_date" else lead, name) or AS_OF
            assert abs((date.fromisoformat(str(change.needed)) - now).days) > NEAR_DAYS


@given(Near.cases)
@settings(max_examples=8, deadline=None)
def test_no_nearer_count_does_it(case: Case3) -> None:
    lead, profile, rules = case
    found = changes(lead, profile, rules)
    for name, values in COUNTS.items():
        now = getattr(lead if name == "generation" else profile, name)
        reaching = [
            v for v in values if is_critical(score_with(lead, profile, name, v, rules), rules)
        ]
        change = found.get(name)
        if not reaching:
            assert change is None or change.needed not in values
        elif now is None:
            assert change is not None
            assert change.needed == max(reaching)
        else:
            assert change is not None
            assert change.needed == min(reaching, key=lambda value: abs(value - now))


@given(Near.cases, st.lists(st.decimals(Decimal("0.01"), Decimal("1e7"), places=2), max_size=5))
@settings(max_examples=15, deadline=None)
def test_no_nearer_sum_does_it(case: Case3, more: list[Decimal]) -> None:
    lead, profile, rules = case
    averages = (profile.average_closed_amount, profile.territory_average(lead.territory_id))
    steps = [Decimal(each) for each in (50_000, 100_000, 200_000)]
    steps += [average * ratio for average in averages if average for ratio in RATIOS]
    grid = [each for each in money_around([*steps, *more]) if each > 0]
    assert_nearest(case, "estimated_value_max", lead.estimated_value_max, grid)
    if rules.scoring.profile == "default":
        lower = money_around([*(lead.estimated_value_max / ratio for ratio in RATIOS), *more])
        lower = [each for each in lower if each > 0]
        assert_nearest(case, "average_closed_amount", averages[0], lower)
        assert_nearest(case, "territory_average", averages[1], lower)


def assert_nearest(case: Case3, name: str, now: Decimal | None, grid: list[Decimal]) -> None:
    lead, profile, rules = case
    change = changes(lead, profile, rules).get(name)
    reaching = [v for v in grid if is_critical(score_with(lead, profile, name, v, rules), rules)]
    if change is None:
        assert not reaching
    elif now is None:
        assert Decimal(str(change.needed)) == max(reaching)
    else:
        assert Decimal(str(change.needed)) == min(reaching, key=lambda value: abs(value - now))


@given(Near.cases)
@settings(max_examples=15, deadline=None)
def test_no_other_name_does_it_where_none_is_given(case: Case3) -> None:
    lead, profile, rules = case
    found = changes(lead, profile, rules)
    others: dict[str, list[str]] = {
        "segment": [each.value for each in Segment if each is not Segment.UNKNOWN],
        "product_family": list(rules.products.family_names()),
        "competitor_brand": list(rules.products.competitor_brands),
    }
    for name, values in others.items():
        scores = [score_with(lead, profile, name, value, rules) for value in values]
        assert (name in found) is any(is_critical(score, rules) for score in scores)


@given(Near.cases, st.floats(0, 3))
@settings(max_examples=15, deadline=None)
def test_no_lower_trend_does_it(case: Case3, ratio: float) -> None:
    lead, profile, rules = case
    change = changes(lead, profile, rules).get("trend")
    if change is None:
        assert not is_critical(score_with(lead, profile, "trend", 9.0, rules), rules)
    elif ratio < float(change.needed or 0) and change.now is not None:
        assert not is_critical(score_with(lead, profile, "trend", ratio, rules), rules)


# Urgency 76.97, value 70, propensity 60, strategic fit 75: a score of 71.2, 3.8 short.
SERVER = a_server(
    end_of_life=days_ago(1_500),
    service_end=days_ago(5),
    estimated_value_max=Decimal(30_000),
    generation=10,
)
ACCOUNT = a_profile(
    items=10,
    open_opportunities=3,
    won=1,
    lost=3,
    win_rate=0.25,
    last_project_date=days_ago(200),
    average_closed_amount=Decimal(20_000),
    territory_averages=territory_average(20_000),
    recent_closed_amounts=tuple(map(Decimal, (9, 9, 10))),
    segment=Segment.TRANSACTIONAL,
)


@pytest.mark.parametrize("profile", ["default", "classic"])
def test_a_critical_lead_needs_no_change(profile: str) -> None:
    rules = with_profile(profile)
    lead = a_server(
        end_of_life=days_ago(3_000),
        service_end=days_ago(3_000),
        estimated_value_max=Decimal(300_000),
    )
    rich = a_profile(items=60, open_opportunities=9, closed_projects=20)
    assert a_score(lead, rich, rules=rules).priority == "CRITICAL"
    assert changes(lead, rich, rules) == {}


def test_the_inputs_that_are_looked_at_are_those_of_the_profile() -> None:
    def names(profile: str) -> tuple[str, ...]:
        return inputs_looked_at(profile)

    assert names("default") == (
        *DATES,
        *("generation", "competitor_brand", "estimated_value_max", "average_closed_amount"),
        *("territory_average", "items", "open_opportunities", "won", "trend", "segment"),
        "product_family",
    )
    assert names("classic") == (
        *DATES[:2],
        *("estimated_value_max", "items", "open_opportunities", "closed_projects"),
        "product_family",
    )


def test_of_two_dates_that_are_equally_near_the_older_is_named() -> None:
    lead = SERVER.model_copy(update={"end_of_life": None, "service_end": None})
    for days in range(400):
        score = score_with(lead, ACCOUNT, "end_of_life", AS_OF - timedelta(days=days), RULES)
        if is_critical(score, RULES):
            change = changes(lead, ACCOUNT)["end_of_life"]
            assert change.needed == (AS_OF - timedelta(days=days)).isoformat()
            return


def test_what_is_missing_is_null_and_what_is_there_is_told() -> None:
    found = changes(SERVER, ACCOUNT)
    told: dict[str, Any] = {name: change.now for name, change in found.items()}
    known: dict[str, Any] = {
        "end_of_life": (AS_OF - timedelta(days=1_500)).isoformat(),
        "service_end": "2025-10-04",
        "last_project_date": "2025-03-23",
        "generation": 10,
        "competitor_brand": None,
        "estimated_value_max": "30000.00",
        "average_closed_amount": "20000.00",
        "territory_average": "20000.00",
        "items": 10,
        "open_opportunities": 3,
        "won": 1,
        "trend": 0.9,
        "segment": "TRANSACTIONAL",
        "product_family": "PROLIANT",
    }
    assert told
    assert {name: known[name] for name in told} == told
    assert changes(SERVER, ACCOUNT.model_copy(update={"segment": Segment.UNKNOWN})) != found


def test_steps_beyond_all_money_are_no_answer() -> None:
    scoring = RULES.scoring
    steps = scoring.value.account_ratio.steps
    far = steps[0].model_copy(update={"at": 1e300})
    ratio = scoring.value.account_ratio.model_copy(update={"steps": (far, *steps[1:])})
    value = scoring.value.model_copy(update={"account_ratio": ratio})
    rules = RULES.model_copy(update={"scoring": scoring.model_copy(update={"value": value})})
    assert "average_closed_amount" not in changes(a_lead(), ACCOUNT, rules)
    assert changes(a_lead(estimated_value_max=Decimal(0)), a_profile(), rules) is not None
