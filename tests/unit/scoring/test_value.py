"""Value compares a lead with fixed sums and with what is usual, and counts the account's size."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.tally import Component
from shared.events import AccountProfile
from shared.rules.load import default_rules
from tests.support.scoring_builders import a_lead, a_profile, territory_average
from tests.support.scoring_builders import judged as judged_factor
from tests.unit.scoring.strategies import amounts, profiles

SCORING = default_rules().scoring


def judged(highest: int | str | Decimal, profile: AccountProfile | None = None) -> Component:
    lead = a_lead(estimated_value_max=Decimal(highest))
    return judged_factor("value", lead, profile)


def test_the_figures_of_the_rules_hold() -> None:
    assert judged(250_000, a_profile(items=60)).points == 100
    assert judged(200_000).points == 80


@pytest.mark.parametrize(
    ("highest", "share"),
    [
        ("200000", 16),
        ("199999.99", 12),
        ("100000", 12),
        ("99999.99", 8),
        ("50000", 8),
        ("49999.99", 4),
        ("0", 4),
    ],
)
def test_the_absolute_steps_begin_at_their_sums(highest: str, share: int) -> None:
    assert judged(highest).points == pytest.approx(40 + 40 * share / 16)


@pytest.mark.parametrize(
    ("highest", "share"), [("15", 12), ("14.99", 8), ("10", 8), ("9.99", 4), ("5", 4), ("4.99", 0)]
)
def test_the_ratio_steps_begin_at_their_ratios(highest: str, share: int) -> None:
    account = judged(highest, a_profile(average_closed_amount=Decimal(10)))
    territory = judged(highest, a_profile(territory_averages=territory_average(10)))
    expected = 40 + 40 * (4 + share) / 28
    assert account.points == pytest.approx(expected)
    assert territory.points == pytest.approx(expected)


def test_a_ratio_exactly_at_a_step_of_any_fraction_reaches_it() -> None:
    steps = SCORING.value.account_ratio
    step = steps.steps[0].model_copy(update={"at": 1.1})
    ratio = steps.model_copy(update={"steps": (step,)})
    rules = SCORING.model_copy(
        update={"value": SCORING.value.model_copy(update={"account_ratio": ratio})}
    )
    lead = a_lead(estimated_value_max=Decimal("11"))
    profile = a_profile(average_closed_amount=Decimal("10"))
    assert judged_factor("value", lead, profile, rules=rules).lines[2].points > 0


@pytest.mark.parametrize(
    ("items", "given"), [(51, 20), (50, 15), (21, 15), (20, 10), (6, 10), (5, 0), (0, 0)]
)
def test_size_counts_above_its_steps(items: int, given: int) -> None:
    assert judged(200_000, a_profile(items=items)).points == 80 + given


def test_a_missing_average_leaves_both_sides_of_the_share_and_is_named() -> None:
    component = judged(10_525)
    assert component.missing == ("average_closed_amount", "territory_average")
    assert component.points == 50


def test_all_three_parts_share_the_context() -> None:
    profile = a_profile(
        average_closed_amount=Decimal(100_000), territory_averages=territory_average(400_000)
    )
    component = judged(200_000, profile)
    assert [line.points for line in component.lines[1:4]] == [16, 12, 4]
    assert component.points == 72


def test_the_average_of_another_territory_is_no_average() -> None:
    profile = a_profile(territory_averages=territory_average(10, territory_id="99"))
    assert "territory_average" in judged(100, profile).missing


@pytest.mark.parametrize("average", [0, -5])
def test_an_average_of_nothing_is_missing(average: int) -> None:
    component = judged(100, a_profile(average_closed_amount=Decimal(average)))
    assert "average_closed_amount" in component.missing


def test_averages_in_another_currency_are_not_compared_with() -> None:
    profile = a_profile(
        currency="CHF",
        average_closed_amount=Decimal(100),
        territory_averages=territory_average(100),
    )
    component = judged(100, profile)
    assert component.missing == ("average_closed_amount", "territory_average")


def test_the_comparison_is_told_in_plain_words() -> None:
    component = judged(10_525, a_profile(average_closed_amount=Decimal("25143.22"), items=1))
    assert [line.reason for line in component.lines] == [
        "base",
        "worth up to 10,525 USD",
        "0.42 times the account's average of 25,143 USD",
        "1 item in the install base",
    ]


@given(amounts, amounts, profiles())
def test_a_higher_value_never_lowers_the_component(
    one: Decimal, other: Decimal, profile: AccountProfile
) -> None:
    low, high = sorted((one, other))
    assert judged(low, profile).points <= judged(high, profile).points + 1e-9


@given(st.integers(0, 80), st.integers(0, 80), profiles())
def test_a_larger_install_base_never_lowers_the_component(
    one: int, other: int, profile: AccountProfile
) -> None:
    low, high = sorted((one, other))
    few, many = (profile.model_copy(update={"items": items}) for items in (low, high))
    assert judged(60_000, few).points <= judged(60_000, many).points
