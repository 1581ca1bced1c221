"""Leads go to the offices of their postal codes, as of the tenant's day, and move when the offices do."""

from datetime import timedelta
from typing import Any

from shared.events import AccountDerived, AccountProfiled, LeadDetected
from shared.messaging.codec import Received
from shared.rules.load import default_rules
from shared.rules.offices import UNASSIGNED
from tests.integration.ingest.upstream import Upstream, a_box_row, a_deal_row, renewed, tables
from tests.support.builders import AS_OF
from tests.support.office_builders import LUZERN, ROMANDIE, SWISS, with_offices
from tests.support.service_bench import of_type

BOXES = [
    a_box_row("LU", postal_code="6003"),
    a_box_row("GE", postal_code="CH-1201", territory_id="70002"),
    a_box_row("ZH", postal_code=8001, territory_id="70003"),
    a_box_row("NONE", territory_id="70004"),
]


async def offices_of(upstream: Upstream) -> dict[str, set[str | None]]:
    """The offices of each box's open leads."""
    found: dict[str, set[str | None]] = {}
    for event in (await upstream.open_leads()).values():
        found.setdefault(event.lead.box_id, set()).add(event.office_id)
    return found


def boxes_of(told: list[Received]) -> dict[str, str | None]:
    return {event.lead.box_id: event.office_id for event in of_type(told, LeadDetected)}


async def swiss(upstream: Upstream, boxes: list[dict[str, Any]]) -> None:
    await upstream.apply_rules(with_offices(*SWISS))
    await upstream.load(tables(boxes))


async def test_leads_are_routed_at_ingest_and_carry_their_office(upstream: Upstream) -> None:
    await swiss(upstream, BOXES)

    assert await offices_of(upstream) == {
        "LU": {"luzern"},
        "GE": {"romandie"},
        "ZH": {"egeli"},
        "NONE": {UNASSIGNED},
    }
    profiles = (await upstream.profiles()).values()
    assert {each.office_id for each in profiles} == {"luzern", "romandie", "egeli", UNASSIGNED}


async def test_without_offices_nobody_has_one(upstream: Upstream) -> None:
    await upstream.load(tables(BOXES))

    assert set().union(*(await offices_of(upstream)).values()) == {None}


async def test_a_box_without_a_code_goes_with_its_account(upstream: Upstream) -> None:
    await upstream.apply_rules(with_offices(*SWISS))
    await upstream.load(tables([a_box_row("SN1")], [a_deal_row(1, postal_code="6003")]))

    assert await offices_of(upstream) == {"SN1": {"luzern"}}


async def test_offices_that_come_later_route_what_is_there_and_tell_each_lead_once(
    upstream: Upstream,
) -> None:
    await upstream.load(tables(BOXES))
    before = await upstream.open_leads()

    await upstream.apply_rules(with_offices(*SWISS))
    told = await upstream.settle()

    assert boxes_of(told) == {"LU": "luzern", "GE": "romandie", "ZH": "egeli", "NONE": UNASSIGNED}
    leads = of_type(told, LeadDetected)
    assert len(leads) == len(before) == 8
    assert {e.lead.lead_id for e in leads} == {e.lead.lead_id for e in before.values()}
    assert all(e.version > before[_name(e)].version for e in leads)
    await upstream.apply_rules(with_offices(*SWISS))
    assert await upstream.settle() == []


async def test_other_offices_move_the_leads_concerned_and_no_others(upstream: Upstream) -> None:
    await swiss(upstream, BOXES)
    zug = {"office": "zug", "from": "6300", "to": "6319"}
    split = ({**LUZERN, "to": "6299"}, zug, {**LUZERN, "from": "6320"}, *SWISS[1:])

    await upstream.apply_rules(with_offices(*split))
    told = await upstream.settle()
    assert len(of_type(told, AccountDerived)) == len(told) == len(BOXES)
    await upstream.apply_rules(with_offices({**ROMANDIE, "to": "8999"}))
    told = await upstream.settle()

    assert boxes_of(told) == {"LU": "romandie", "ZH": "romandie"}
    assert {e.office_id for e in of_type(told, AccountProfiled)} == {"romandie"}
    await upstream.apply_rules(default_rules())
    assert set(boxes_of(await upstream.settle()).values()) == {None}


async def test_ranges_hold_by_the_tenants_day(upstream: Upstream) -> None:
    moving = AS_OF + timedelta(days=3)
    await upstream.apply_rules(
        with_offices(
            {**LUZERN, "valid_until": str(moving - timedelta(days=1))},
            {"office": "zug", "from": 6000, "to": 6999, "valid_from": str(moving)},
        )
    )
    await upstream.load(tables([BOXES[0]]))
    assert await offices_of(upstream) == {"LU": {"luzern"}}

    assert boxes_of(await upstream.settle(moving - timedelta(days=1))) == {}
    assert boxes_of(await upstream.settle(moving)) == {"LU": "zug"}
    assert boxes_of(await upstream.settle(moving + timedelta(days=1))) == {}


async def test_a_box_that_moves_takes_its_leads_along(upstream: Upstream) -> None:
    await swiss(upstream, BOXES)

    told = await upstream.load(tables([a_box_row("LU", postal_code="1004"), *BOXES[1:]]))

    assert boxes_of(told) == {"LU": "romandie"}


async def test_a_lead_that_is_withdrawn_is_so_for_the_office_that_had_it(
    upstream: Upstream,
) -> None:
    await swiss(upstream, BOXES)

    told = await upstream.load(tables([renewed(BOXES[0]), *BOXES[1:]]))

    gone = of_type(told, LeadDetected)
    assert {(e.state, e.office_id) for e in gone} == {("withdrawn", "luzern")}
    back = of_type(await upstream.load(tables(BOXES)), LeadDetected)
    assert {(e.state, e.office_id) for e in back} == {("open", "luzern")}


async def test_a_neighbour_has_offices_of_its_own(upstream: Upstream, neighbour: Upstream) -> None:
    await swiss(upstream, BOXES)
    await neighbour.apply_rules(with_offices({"office": "theirs"}))
    await neighbour.load(tables(BOXES[:1]))

    assert await offices_of(neighbour) == {"LU": {"theirs"}}
    assert (await offices_of(upstream))["LU"] == {"luzern"}


def _name(event: LeadDetected) -> str:
    return f"{event.lead.box_id}/{event.lead.lead_type.value}"
