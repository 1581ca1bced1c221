"""The reasons of a change add up to it, whatever the rules."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onelead.what_if.why import COMPONENTS, LineChange, why
from shared.events import AccountProfile, LeadFacts, Risk
from shared.rules.model import Rules
from tests.support.builders import a_lead, changed, days_ago
from tests.unit.scoring.strategies import leads, profiles
from tests.unit.what_if.sides import RULES, judged

CLASSIC = changed(RULES, scoring__profile="classic")
WEIGHED = changed(
    RULES,
    scoring__weights={"urgency": 0.1, "value": 0.6, "propensity": 0.2, "strategic_fit": 0.1},
)
STEEP = changed(RULES, scoring__urgency__base=20, scoring__value__items_above__below=5)
LEAD = a_lead(end_of_life=days_ago(730), service_end=days_ago(180))


@given(leads(), profiles(), st.sampled_from([CLASSIC, WEIGHED, STEEP]))
def test_the_effects_of_the_components_sum_to_the_change_of_the_score(
    lead: LeadFacts, profile: AccountProfile, rules: Rules
) -> None:
    before, after = judged(lead, profile), judged(lead, profile, rules)
    found = why(before, after)
    total = sum(each.effect for each in found.components)
    assert total == pytest.approx(after.score.score - before.score.score, abs=0.1 + 1e-9)


@given(leads(), profiles(), st.sampled_from([CLASSIC, WEIGHED, STEEP]))
def test_the_lines_of_a_component_sum_to_its_change(
    lead: LeadFacts, profile: AccountProfile, rules: Rules
) -> None:
    for each in why(judged(lead, profile), judged(lead, profile, rules)).components:
        total = sum((line.after or 0) - (line.before or 0) for line in each.lines)
        assert total == pytest.approx(each.after - each.before)


@given(leads(), profiles())
def test_equal_judgements_have_no_reasons(lead: LeadFacts, profile: AccountProfile) -> None:
    found = why(judged(lead, profile), judged(lead, profile))
    assert (found.facts, found.components) == ((), ())


def test_a_line_that_gives_other_points_is_told_with_both() -> None:
    rules = changed(RULES, scoring__urgency__eol={"max_points": 15, "time_constant_days": 730})
    (urgency,) = why(judged(LEAD), judged(LEAD, rules=rules)).components
    assert urgency.component == "urgency"
    (line,) = urgency.lines
    assert line.reason == "730 days past end of life"
    assert (line.before, line.after) == pytest.approx((18.9636, 9.4818), abs=1e-4)
    assert urgency.effect == pytest.approx(0.35 * -9.4818, abs=1e-4)


def test_lines_that_come_and_go_are_told_as_such() -> None:
    lead = a_lead(end_of_life=days_ago(100))
    narrow = changed(RULES, scoring__urgency__competitive__eol_window_after_days=99)
    reason = "end of life within the last 180 days: competitors will be asked"
    (gone,) = why(judged(lead), judged(lead, rules=narrow)).components
    assert gone.lines == (LineChange(reason, 15.0, None),)
    (come,) = why(judged(lead, rules=narrow), judged(lead)).components
    assert come.lines == (LineChange(reason, None, 15.0),)


def test_the_component_that_weighs_most_comes_first() -> None:
    found = why(judged(LEAD), judged(LEAD, rules=CLASSIC)).components
    effects = [abs(each.effect) for each in found]
    assert effects == sorted(effects, reverse=True)
    assert {each.component for each in found} <= set(COMPONENTS)


def test_other_weights_alone_are_an_effect_without_lines() -> None:
    found = why(judged(LEAD), judged(LEAD, rules=WEIGHED)).components
    assert {each.component for each in found} == {"urgency", "value", "strategic_fit"}
    assert all(each.lines == () and each.before == each.after for each in found)


def test_facts_in_which_rules_have_a_say_are_told() -> None:
    other = a_lead(
        estimated_value_max=Decimal(200_000),
        account_name="Apple",
        risk=Risk.LOW,
        product_family="ALLETRA",
        competitor_brand="DELL",
        currency="EUR",
    )
    before = judged(a_lead())
    after = judged(other)
    found = why(before, after)
    assert found.facts == (
        "worth up to 20,000 → 200,000 EUR",
        "account Apple Inc → Apple",
        "risk HIGH → LOW",
        "product family PRIMERA → ALLETRA",
        "competitor brand none → DELL",
        "currency USD → EUR",
    )


def test_the_same_points_in_another_band_say_so() -> None:
    bands = changed(RULES, scoring__priorities={"critical": 99, "high": 98, "medium": 97})
    before, after = judged(LEAD), judged(LEAD, rules=bands)
    points = f"{before.score.score:.1f}"
    assert why(before, after).facts == (f"{points} points are LOW by the new bands",)
    assert why(before, before).facts == ()
