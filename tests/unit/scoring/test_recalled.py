"""A component that is remembered depends on nothing but the inputs it is remembered by."""

from decimal import Decimal
from typing import Any

import pytest

from services.scoring.domain.case import Case
from services.scoring.domain.factors import FACTORS, Factor, Known
from shared.events import Segment
from shared.rules.load import default_rules
from tests.support.builders import AS_OF, a_lead, a_profile

RULES = default_rules()
CASE = Case.of(a_lead(), a_profile(), RULES.products, AS_OF)
OTHER: dict[type, Any] = {
    int: 2_000,
    float: 0.99,
    str: "3PAR",
    tuple: (Decimal(9), Decimal(8), Decimal(1)),
    Decimal: Decimal(777_777),
    Segment: Segment.GROWTH,
    type(None): None,
}
REMEMBERED = [factor for factor in FACTORS if factor.reads]


def others(factor: Factor) -> list[Case]:
    """The case with each input that the factor does not read changed, also to a missing one."""
    fields = [field for field in Case._fields if field not in factor.reads]
    changes = [(field, OTHER[type(getattr(CASE, field))]) for field in fields]
    optional = [(field, None) for field in fields if field.startswith("days_since_")]
    return [CASE.changed(field, value) for field, value in (*changes, *optional)]


@pytest.mark.parametrize("factor", REMEMBERED, ids=lambda factor: factor.name)
def test_inputs_it_does_not_name_do_not_change_a_component(factor: Factor) -> None:
    expected = factor.component(CASE, RULES.scoring)
    assert [factor.component(case, RULES.scoring) for case in others(factor)] == [expected] * len(
        others(factor)
    )


@pytest.mark.parametrize("factor", FACTORS, ids=lambda factor: factor.name)
def test_a_recalled_component_is_the_one_that_would_be_judged(factor: Factor) -> None:
    known: Known = {}
    cases = [CASE, *(CASE.changed("items", count) for count in (7, 30, 60)), CASE.later(400), CASE]
    cases.append(CASE.changed("estimated_value_max", Decimal(1)))
    cases.append(CASE.changed("segment", Segment.GROWTH))
    recalled = [factor.recalled(case, RULES.scoring, known) for case in cases]
    assert recalled == [factor.component(case, RULES.scoring) for case in cases]
