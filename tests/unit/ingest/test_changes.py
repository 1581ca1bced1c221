"""Which leads are news: they appear, change, are withdrawn with the reason, return under their id."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.domain.changes import HeldLead, LeadNews, lead_news
from services.ingest.domain.derive import possible_leads
from services.ingest.domain.ids import lead_id
from services.ingest.domain.records import Box
from services.ingest.domain.withdrawal import withdrawal_reason
from shared.events import LeadFacts, LeadType
from tests.support.builders import AS_OF, TENANT, a_box, a_lead

LEAD = a_lead(
    lead_id="1",
    box_id="B1",
    support_status="Contract Expired",
    end_of_life=date(2020, 1, 1),
    service_end=date(2024, 1, 1),
)
BOX = a_box(
    record_id="B1",
    support_status="Contract Expired",
    end_of_life=date(2020, 1, 1),
    service_end=date(2024, 1, 1),
)


def held(lead: LeadFacts = LEAD, version: int = 7, state: str = "open") -> dict[str, HeldLead]:
    return {lead.lead_id: HeldLead(version, state, lead)}


def news(
    firing: LeadFacts | None,
    known: dict[str, HeldLead],
    *boxes: Box,
    elsewhere: tuple[str, ...] = (),
) -> list[LeadNews]:
    fired = {} if firing is None else {firing.lead_id: firing}
    return lead_news(fired, known, {box.record_id: box for box in boxes}, elsewhere, AS_OF)


def test_a_lead_that_appears_is_news() -> None:
    assert news(LEAD, {}, BOX) == [LeadNews(LEAD, None)]


def test_a_lead_that_stays_as_it_is_is_none() -> None:
    assert news(LEAD, held(), BOX) == []


@pytest.mark.parametrize(
    "change",
    [
        {"estimated_value_max": Decimal(20_001)},
        {"title": "Support Renewal: another"},
        {"account_id": "account-2"},
        {"catalogue_family": "COMPUTE"},
        {"service_end": date(2024, 1, 2)},
    ],
)
def test_a_lead_of_which_anything_changed_is_news_after_its_last_version(
    change: dict[str, Any],
) -> None:
    after = LEAD.model_copy(update=change)
    assert news(after, held(version=7), BOX) == [LeadNews(after, 7)]


def test_a_newer_catalogue_with_the_same_prices_is_no_news() -> None:
    assert news(LEAD.model_copy(update={"catalogue_version": 2}), held(), BOX) == []


def test_a_withdrawn_lead_that_fires_again_is_news_even_with_the_same_facts() -> None:
    assert news(LEAD, held(state="withdrawn"), BOX) == [LeadNews(LEAD, 7)]


def test_a_lead_that_no_longer_fires_is_withdrawn_once_with_the_reason() -> None:
    assert news(None, held()) == [LeadNews(LEAD, 7, "the box left the install base")]
    reason = f"its rule does not hold on {AS_OF}"
    assert news(None, held(), BOX) == [LeadNews(LEAD, 7, reason)]
    assert news(None, held(state="withdrawn"), BOX) == []


def test_a_box_that_moved_to_another_account_keeps_its_leads_until_that_ones_turn() -> None:
    assert news(None, held(), elsewhere=("B1",)) == []
    assert len(news(None, held(), elsewhere=("B2",))) == 1


def test_one_lead_withdrawn_or_kept_says_nothing_of_the_others() -> None:
    firing = {key: a_lead(lead_id=key, box_id=key) for key in ("a", "c", "e")}
    boxes = {key: a_box(record_id=key) for key in "abcde"}
    known: dict[str, HeldLead] = {}
    for key in "abde":
        known |= held(a_lead(lead_id=key, box_id=key), version=ord(key))
    found = lead_news(firing, known, boxes, ("b",), AS_OF)
    assert [(each.facts.lead_id, each.withdrawn_because is None) for each in found] == [
        ("c", True),
        ("d", False),
    ]


@given(st.permutations("abcdef"), st.permutations("defghi"))
def test_news_come_in_the_order_of_ids_those_that_fire_first(
    fire: list[str], hold: list[str]
) -> None:
    firing = {key: a_lead(lead_id=key, box_id=key, title="new") for key in fire}
    known: dict[str, HeldLead] = {}
    for key in hold:
        known |= held(a_lead(lead_id=key, box_id=key))
    found = lead_news(firing, known, {}, (), AS_OF)
    assert [each.facts.lead_id for each in found] == list("abcdefghi")
    assert [each.facts.lead_id for each in found if each.withdrawn_because] == list("ghi")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"support_status": "Active"}, "the support status is now Active"),
        ({"support_status": None}, "the support status is now unknown"),
        ({"service_end": date(2027, 1, 1)}, "the service now ends on 2027-01-01"),
        ({"service_end": None}, "the service now ends on an unknown day"),
        ({"end_of_life": date(2030, 1, 1)}, "the end of life is now 2030-01-01"),
        ({"end_of_life": None}, "the end of life is now unknown"),
        (
            {"support_status": "Active", "service_end": None, "end_of_life": None},
            "the support status is now Active",
        ),
        ({"service_end": None, "end_of_life": None}, "the service now ends on an unknown day"),
        ({"product_name": "x"}, "its rule does not hold on 2025-10-09"),
    ],
)
def test_the_reason_is_what_changed_on_the_box(change: dict[str, Any], reason: str) -> None:
    assert withdrawal_reason(LEAD, BOX.model_copy(update=change), AS_OF) == reason


def test_without_the_box_that_is_the_reason() -> None:
    assert withdrawal_reason(LEAD, None, AS_OF) == "the box left the install base"


def test_every_lead_that_boxes_could_fire_is_found_by_its_id() -> None:
    known_types = [each for each in LeadType if each is not LeadType.UNKNOWN]
    expected = {lead_id(TENANT, box, each) for box in ("B1", "B2") for each in known_types}
    found = possible_leads(TENANT, ["B2", "B1"])
    assert set(found) == expected
    assert found == sorted(found)
