"""A discount never takes the margin below the floor, and without a known margin there is none."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recommender.domain.margin import largest_discount

FLOOR = 0.25


@pytest.mark.parametrize(
    ("margin", "discount"),
    [
        (0.55, 0.4),
        (0.42, 0.2266),
        (0.38, 0.1733),
        (0.25, 0.0),
        (0.2501, 0.0001),
        (0.25005, 0.0),
        (0.24, 0.0),
        (0.0, 0.0),
        (1.0, 1.0),
    ],
)
def test_the_discount_is_rounded_down_to_four_decimals(margin: float, discount: float) -> None:
    assert largest_discount(margin, FLOOR).largest == discount


def test_an_unknown_margin_allows_no_discount_and_says_so() -> None:
    discount = largest_discount(None, FLOOR)
    assert discount.largest == 0
    assert discount.note == "margin not known: no discount"


def test_a_margin_at_the_floor_says_why_there_is_no_discount() -> None:
    assert (
        largest_discount(0.25, FLOOR).note == "margin 25.0% leaves nothing above the floor of 25.0%"
    )
    assert largest_discount(0.26, FLOOR).note is None


@given(
    st.decimals(0, 1, places=4).map(float),
    st.decimals(0, Decimal("0.99"), places=3).map(float),
)
def test_the_margin_that_is_left_is_at_the_floor_or_above(margin: float, floor: float) -> None:
    discount = Decimal(str(largest_discount(margin, floor).largest))
    cost, price = 1 - Decimal(str(margin)), 1 - discount
    assert 0 <= discount <= 1
    if discount:
        assert price * (1 - Decimal(str(floor))) >= cost
    one_more = discount + Decimal("0.0001")
    assert (1 - one_more) * (1 - Decimal(str(floor))) < cost or one_more > 1
