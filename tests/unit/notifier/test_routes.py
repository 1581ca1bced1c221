"""Which leads a route is for: each condition, what covers what, the order, and the reasons in words."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.notifier.domain.message import Alert
from services.notifier.domain.plan.routes import Route, When, taken, verdicts
from shared.events import LeadType, Priority
from tests.support.notifier_builders import alert

LEAD = alert(office_id="luzern")
words = st.lists(st.sampled_from(["a", "b", "C"]), max_size=2, unique=True)
whens = st.builds(
    lambda names, least, currency: When.model_validate(
        {**names, **({"value_at_least": least, "currency": currency} if least else {})}
    ),
    st.fixed_dictionaries(
        dict.fromkeys(("territory", "office", "owner", "account"), words)
        | {"priority": st.lists(st.sampled_from(["CRITICAL", "HIGH"]), max_size=2, unique=True)}
    ),
    st.sampled_from([0, 1_000, 50_000]),
    st.sampled_from(["USD", "CHF"]),
)
leads = st.builds(
    alert,
    territory=st.sampled_from(["a", "b", "c", None]),
    office_id=st.sampled_from(["a", "B", None]),
    account=st.sampled_from(["A", "b", "d"]),
    priority=st.sampled_from([Priority.CRITICAL, Priority.HIGH, Priority.LOW]),
    estimated_value_max=st.sampled_from([Decimal(999), Decimal(1_000), Decimal(60_000)]),
    currency=st.sampled_from(["USD", "CHF"]),
)
owners = st.sampled_from(["a", "B", "d", None])


def when(**conditions: Any) -> When:
    return When.model_validate(conditions)


def route(**parts: Any) -> Route:
    return Route.model_validate(parts)


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ({"tenant": "acme"}, "tenant is default, not acme"),
        ({"priority": ["HIGH", "LOW"]}, "priority is CRITICAL, not HIGH or LOW"),
        ({"type": "service_attach"}, "type is renewal, not service_attach"),
        ({"territory": 56180}, "territory is 56088, not 56180"),
        ({"office": "egeli"}, "office is luzern, not egeli"),
        ({"owner": "anna"}, "owner is not known, not anna"),
        ({"account": "Apple"}, "account is Apple Inc, not Apple"),
        ({"value_at_least": 10_525.01}, "value is USD 10,525, not USD 10,525.01 or more"),
        (
            {"value_at_least": 1, "currency": "CHF"},
            "value is USD 10,525, not CHF 1 or more",
        ),
    ],
)
def test_what_does_not_fit_is_said(conditions: dict[str, Any], said: str) -> None:
    assert when(**conditions).misses(LEAD, None) == (said,)
    assert not when(**conditions).fits(LEAD, None)


@pytest.mark.parametrize(
    "conditions",
    [
        {},
        {"tenant": "default", "priority": "CRITICAL", "type": ["renewal", "service_attach"]},
        {"territory": 56088, "office": "luzern"},
        {"owner": ["bert", "Anna"]},
        {"account": "apple  inc"},
        {"account": "account-1"},
        {"value_at_least": 10_525},
    ],
)
def test_what_fits_fits_without_regard_to_case(conditions: dict[str, Any]) -> None:
    assert when(**conditions).misses(LEAD, "anna") == ()


@given(one=whens, lead=leads, owner=owners)
def test_a_lead_fits_when_nothing_about_it_does_not(
    one: When, lead: Alert, owner: str | None
) -> None:
    assert one.fits(lead, owner) is (one.misses(lead, owner) == ())


@given(wide=whens, narrow=whens, lead=leads, owner=owners)
def test_what_covers_another_fits_each_lead_that_the_other_fits(
    wide: When, narrow: When, lead: Alert, owner: str | None
) -> None:
    if wide.covers(narrow) and narrow.fits(lead, owner):
        assert wide.fits(lead, owner)
    assert wide.covers(wide)
    assert When().covers(wide)


def test_covering_is_noticed_where_it_is_plain() -> None:
    some = when(priority=["CRITICAL", "HIGH"], value_at_least=50_000)
    assert some.covers(when(priority="CRITICAL", value_at_least=50_000, office="luzern"))
    assert not some.covers(when(priority="CRITICAL", value_at_least=49_999))
    assert not some.covers(when(priority="CRITICAL", value_at_least=50_000, currency="CHF"))
    assert not some.covers(when(value_at_least=60_000))


ROUTES = (
    route(when={"type": "hardware_refresh"}, to="refresh", stop=True),
    route(when={"value_at_least": 10_000}, to=["big", "all"]),
    route(when={"territory": 56088}, to="west", stop=True),
    route(to="rest"),
    route(**{"else": "nobody-else"}),
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"lead_type": LeadType.HARDWARE_REFRESH}, [0]),
        ({}, [1, 2]),
        ({"estimated_value_max": Decimal(9_999)}, [2]),
        ({"territory": None}, [1, 3]),
        ({"territory": None, "estimated_value_max": Decimal(9_999)}, [3]),
    ],
)
def test_routes_are_tried_in_their_order_until_one_stops(
    changes: dict[str, Any], expected: list[int]
) -> None:
    assert taken(ROUTES, alert(**changes), None) == expected


def test_else_is_for_leads_that_nothing_else_fits() -> None:
    routes = (ROUTES[0], ROUTES[4])
    assert taken(routes, alert(lead_type=LeadType.HARDWARE_REFRESH), None) == [0]
    assert taken(routes, LEAD, None) == [1]


def test_each_route_that_is_not_taken_has_its_reason() -> None:
    said = [v.misses for v in verdicts((*ROUTES[:3], ROUTES[4]), LEAD, None)]
    assert said == [
        ("type is renewal, not hardware_refresh",),
        (),
        (),
        ("route 3 stops here",),
    ]
    other = verdicts((ROUTES[1], ROUTES[4]), LEAD, None)
    assert [(v.number, v.misses) for v in other] == [(1, ()), (2, ("another route fits",))]


@given(
    routes=st.lists(
        st.builds(lambda w, stop: Route(when=w, to=("s",), stop=stop), whens, st.booleans()),
        max_size=5,
    ),
    lead=leads,
    owner=owners,
)
def test_the_reasons_agree_with_the_routes_that_are_taken(
    routes: list[Route], lead: Alert, owner: str | None
) -> None:
    without_reason = [v.number - 1 for v in verdicts(routes, lead, owner) if not v.misses]
    assert without_reason == taken(routes, lead, owner)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({}, "a route needs `to` or `else`"),
        ({"to": "a", "else": "b"}, "a route needs `to` or `else`"),
        ({"else": "b", "stop": True}, "`else` stands by itself"),
        ({"to": "a", "when": {"currency": "USD"}}, "a currency without a value_at_least"),
        ({"to": "a", "when": {"priority": "UNKNOWN"}}, "unknown name 'UNKNOWN'"),
    ],
)
def test_a_route_that_means_nothing_is_refused(parts: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        route(**parts)
