"""The plan: who is told, whose lead it is, and the walls between tenants, offices and owners."""

from datetime import UTC, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.delivery import Purpose
from services.notifier.domain.message import Alert
from services.notifier.domain.plan import Limits, Plan, Sink, Target
from services.notifier.domain.plan.people import People, Person
from services.notifier.domain.plan.quiet_hours import QuietHours
from services.notifier.domain.plan.routes import Route, When
from tests.support.notifier_builders import alert

ALERT = Purpose.ALERT
TENANTS, OFFICES = ("acme", "default", "zeta"), ("luzern", "egeli")


def sink(name: str = "team", *addresses: str, **changes: Any) -> Sink:
    values: dict[str, Any] = {
        "targets": tuple(Target("slack", address) for address in addresses or (name,)),
        "tenants": frozenset({"default"}),
        "sends": frozenset(Purpose),
        "limits": Limits(),
        "concurrency": 1,
    }
    return Sink(name=name, **(values | changes))


def lead_of(tenant_id: str = "default", owner: str | None = None, **changes: Any) -> Alert:
    return alert(tenant_id, **changes).model_copy(update={"owner": owner})


def addresses(plan: Plan, lead: Alert, purpose: Purpose = ALERT) -> list[str]:
    return [target.address for target in plan.routed(lead.tenant_id, lead, purpose)]


ANNA, BERT = Target("email", "anna@example.com"), Target("email", "bert@example.com")
BOSS = Target("email", "boss@example.com")
PEOPLE = People(
    {
        "anna": Person(mail="anna@example.com", accounts=("Apple Inc",)),
        "bert": Person(mail="bert@example.com", territories=("56088",)),
        "cleo": Person(accounts=("account-7",), offices=("luzern",)),
    }
)
OWNERS = sink("owners", targets=(ANNA, BERT, BOSS), owners=frozenset({ANNA, BERT}))


def test_without_routes_every_sink_is_told() -> None:
    plan = Plan((sink("a"), sink("b"), sink("c", sends=frozenset({Purpose.NOTICE}))))
    assert addresses(plan, lead_of()) == ["a", "b"]


def test_with_routes_the_sinks_of_those_taken_are_told_once_each() -> None:
    routes = (
        Route(when=When(territory=("56088",)), to=("b", "a")),
        Route(when=When(priority=("CRITICAL",)), to=("b",)),
        Route(when=When(territory=("1",)), to=("c",)),
    )
    plan = Plan((sink("a"), sink("b"), sink("c")), routes)
    assert addresses(plan, lead_of()) == ["a", "b"]
    assert addresses(plan, lead_of(territory="1")) == ["b", "c"]


@pytest.mark.parametrize(
    ("changes", "owner"),
    [
        ({}, "anna"),
        ({"owner": "bert"}, "bert"),
        ({"owner": "BERT"}, "bert"),
        ({"owner": "bert@example.com"}, "bert"),
        ({"owner": "somebody"}, "somebody"),
        ({"account": "apple  INC"}, "anna"),
        ({"account": "Other"}, "bert"),
        ({"account": "Other", "account_id": "account-7", "office_id": "luzern"}, "cleo"),
        ({"account": "Other", "account_id": "account-7", "office_id": "egeli"}, "bert"),
        ({"account": "Other", "territory": None}, None),
    ],
)
def test_a_lead_is_its_owners_then_the_accounts_then_the_territorys(
    changes: dict[str, Any], owner: str | None
) -> None:
    assert Plan((), people=PEOPLE).owner_of(lead_of(**changes)) == owner


def test_owners_hear_of_their_own_leads_and_others_of_all() -> None:
    plan = Plan((OWNERS,), people=PEOPLE)
    assert addresses(plan, lead_of()) == ["anna@example.com", "boss@example.com"]
    assert addresses(plan, lead_of(owner="bert")) == ["bert@example.com", "boss@example.com"]
    assert addresses(plan, lead_of(owner="somebody")) == ["boss@example.com"]
    assert plan.told("default", Purpose.DAILY_DIGEST) == (BOSS,)
    assert plan.hears("default", ANNA, Purpose.UPDATE)


def test_people_hear_of_the_leads_of_the_offices_that_they_work_for() -> None:
    bert = PEOPLE.by_name["bert"].model_copy(update={"offices": ("luzern",)})
    plan = Plan((OWNERS,), people=People({**PEOPLE.by_name, "bert": bert}))
    assert plan.sees(BERT, "default", "luzern")
    for tenant, office in (("default", "romandie"), ("default", None), ("acme", "luzern")):
        assert not plan.sees(BERT, tenant, office)
    assert plan.sees(ANNA, "default", "romandie"), "she works for every office"
    assert plan.sees(BOSS, "default", "romandie"), "who hears of all leads is nobody's person"


def test_routes_may_ask_for_the_owner() -> None:
    routes = (Route(when=When(owner=("anna",)), to=("a",)),)
    plan = Plan((sink("a"),), routes, PEOPLE)
    assert addresses(plan, lead_of()) == ["a"]
    assert addresses(plan, lead_of(owner="bert")) == []


some = st.frozensets(st.sampled_from(TENANTS), min_size=1)
sinks = st.lists(
    st.builds(
        lambda tenants, every, offices, sends: {
            "tenants": frozenset("*") if every else tenants,
            "offices": offices,
            "sends": sends,
        },
        some,
        st.booleans(),
        st.frozensets(st.sampled_from(OFFICES)),
        st.frozensets(st.sampled_from(list(Purpose)), min_size=1),
    ),
    max_size=4,
)
routes = st.lists(
    st.builds(
        lambda office, to, stop: Route(when=When(office=tuple(office)), to=tuple(to), stop=stop),
        st.frozensets(st.sampled_from(OFFICES)),
        st.frozensets(st.sampled_from(["s0", "s1", "s2", "s3"]), min_size=1),
        st.booleans(),
    ),
    max_size=3,
)
people = st.lists(
    st.builds(
        Person,
        tenants=st.sampled_from([("acme",), ("default", "zeta"), ("*",)]),
        offices=st.sampled_from([(), ("luzern",), ("egeli",)]),
        accounts=st.sampled_from([(), ("Apple Inc",)]),
    ),
    max_size=4,
)
leads = st.builds(
    lambda tenant_id, owner, office_id: lead_of(tenant_id, owner, office_id=office_id),
    st.sampled_from(TENANTS),
    st.sampled_from([None, "p0", "p1", "p0@example.com", "stranger"]),
    st.sampled_from([*OFFICES, None]),
)


def whole_plan(sinks: list[dict[str, Any]], routes: list[Route], people: list[Person]) -> Plan:
    """Every sink has an address of its own, and one for each person."""
    named = {
        f"p{n}": person.model_copy(update={"mail": f"p{n}@example.com"})
        for n, person in enumerate(people)
    }
    made = []
    for n, parts in enumerate(sinks):
        owners = [Target(f"email{n}", str(p.mail)) for p in named.values()]
        targets = (Target("slack", f"s{n}"), *owners)
        made.append(sink(f"s{n}", targets=targets, owners=frozenset(owners), **parts))
    return Plan(tuple(made), tuple(routes), People(named))


@given(sinks=sinks, routes=routes, people=people, lead=leads, purpose=st.sampled_from(Purpose))
def test_no_lead_leaves_its_tenant_or_its_office(
    sinks: list[dict[str, Any]],
    routes: list[Route],
    people: list[Person],
    lead: Alert,
    purpose: Purpose,
) -> None:
    plan = whole_plan(sinks, routes, people)
    for target in plan.routed(lead.tenant_id, lead, purpose):
        to = plan.sink_of(target)
        assert {lead.tenant_id, "*"} & to.tenants
        assert not to.offices or lead.office_id in to.offices
        assert purpose in to.sends
        assert plan.sees(target, lead.tenant_id, lead.office_id)
        if target in to.owners:
            person = plan.people.by_name[target.address.removesuffix("@example.com")]
            assert {lead.tenant_id, "*"} & set(person.tenants)
            assert not person.offices or lead.office_id in person.offices


@given(
    sinks=sinks, people=people, tenant_id=st.sampled_from(TENANTS), office=st.sampled_from(OFFICES)
)
def test_what_is_told_of_many_leads_stays_in_the_tenant(
    sinks: list[dict[str, Any]], people: list[Person], tenant_id: str, office: str
) -> None:
    plan = whole_plan(sinks, [], people)
    for target in plan.told(tenant_id, Purpose.DAILY_DIGEST):
        to = plan.sink_of(target)
        assert {tenant_id, "*"} & to.tenants
        assert target not in to.owners
        assert plan.sees(target, tenant_id, office) is (not to.offices or office in to.offices)
        assert plan.sees(target, tenant_id, None) is (not to.offices)


@given(sinks=sinks, routes=routes, people=people, lead=leads)
def test_a_sink_is_told_or_there_is_a_reason(
    sinks: list[dict[str, Any]], routes: list[Route], people: list[Person], lead: Alert
) -> None:
    plan = whole_plan(sinks, routes, people)
    told = {plan.sink_of(t).name for t in plan.routed(lead.tenant_id, lead, ALERT)}
    routed = {name for v in plan.verdicts(lead) if not v.misses for name in v.route.sinks}
    for each in plan.sinks:
        refused = each.refusal(lead.tenant_id, lead.office_id, ALERT) is not None
        assert (each.name in told) is (not refused and (not routes or each.name in routed))


def test_a_target_that_is_gone_is_told_nothing() -> None:
    plan, gone = Plan((sink("a"),)), Target("slack", "gone")
    assert not plan.sees(gone, "default", None)
    assert not plan.hears("default", gone, ALERT)
    with pytest.raises(KeyError):
        plan.sink_of(gone)
    with pytest.raises(KeyError):
        plan.limits(gone)


def test_quiet_hours_hold_back_all_but_the_leads_they_except() -> None:
    night = QuietHours(time(20), time(7), UTC, unless=When(owner=("anna",)))
    target = Target("slack", "a")
    plan = Plan((sink("a"),), people=PEOPLE, quiet={target: (night,)})
    now, morning = datetime(2025, 6, 4, 22, tzinfo=UTC), datetime(2025, 6, 5, 7, tzinfo=UTC)
    assert plan.due_at(target, now) == morning
    assert plan.due_at(target, now, lead_of(owner="bert")) == morning
    assert plan.due_at(target, now, lead_of()) == now
    assert plan.due_at(Target("slack", "b"), now) == now
    assert plan.due_at(target, morning) == morning
