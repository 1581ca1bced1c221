"""Where accounts and boxes are routed, and which leads are news because of it."""

from collections.abc import Callable
from datetime import date

import pytest

from services.ingest.domain.changes import HeldLead, lead_news
from services.ingest.domain.offices import Routes, route
from services.ingest.domain.records import Opportunity, Project
from shared.rules.offices import UNASSIGNED
from shared.rules.offices_lookup import OfficeMap
from tests.support.builders import AS_OF, a_box, a_lead, a_project, an_opportunity, some_rows
from tests.support.office_builders import SWISS, offices

MAP = OfficeMap(offices(*SWISS, country="CH"), AS_OF)


def routed(*records: object) -> Routes:
    return route({"a": some_rows(*records)}, MAP)  # type: ignore[arg-type]


def test_a_box_belongs_to_the_office_of_its_own_code() -> None:
    here, there = (a_box(record_id=code, postal_code=code) for code in ("6003", "1201"))
    assert routed(here, there).boxes == {"6003": "luzern", "1201": "romandie"}


@pytest.mark.parametrize("other", [an_opportunity, a_project])
def test_a_box_without_a_code_goes_with_its_account(
    other: Callable[..., Opportunity | Project],
) -> None:
    found = routed(a_box(), other(postal_code="1201"))
    assert (found.boxes, found.accounts) == ({"SERIAL1": "romandie"}, {"a": "romandie"})


def test_an_account_is_where_most_of_its_rows_are_and_of_equals_the_first() -> None:
    boxes = [a_box(record_id=str(n), postal_code=code) for n, code in enumerate(("6003", "1201"))]
    assert routed(*boxes).accounts == {"a": "luzern"}
    assert routed(*boxes, a_project(postal_code="1201")).accounts == {"a": "romandie"}


def test_without_any_code_it_is_unassigned_and_without_offices_it_has_none() -> None:
    assert routed(a_box()) == Routes({"a": UNASSIGNED}, {"SERIAL1": UNASSIGNED})
    nobody = route({"a": some_rows(a_box(postal_code="6003"))}, OfficeMap(offices(), AS_OF))
    assert nobody == Routes({"a": None}, {"SERIAL1": None})


def test_a_code_that_is_none_does_not_fall_back_on_the_account() -> None:
    found = routed(a_box(postal_code="unknown"), a_project(postal_code="1201"))
    assert found.boxes == {"SERIAL1": UNASSIGNED}


def test_the_country_of_a_row_counts() -> None:
    assert routed(a_box(postal_code="6003", country="Österreich")).boxes == {"SERIAL1": "egeli"}


LEAD = a_lead(box_id="B1")


@pytest.mark.parametrize(
    ("held", "now", "news"),
    [
        (None, None, 0),
        (None, "luzern", 1),
        ("luzern", "luzern", 0),
        ("luzern", "romandie", 1),
        ("luzern", None, 1),
    ],
)
def test_a_lead_is_news_when_its_office_is_another(
    held: str | None, now: str | None, news: int
) -> None:
    known = {LEAD.lead_id: HeldLead(7, "open", LEAD, held)}
    found = lead_news({LEAD.lead_id: LEAD}, known, {}, (), AS_OF, offices={"B1": now})
    assert [(each.office_id, each.previous_version) for each in found] == [(now, 7)] * news


def test_a_withdrawn_lead_keeps_the_office_that_had_it() -> None:
    known = {LEAD.lead_id: HeldLead(7, "open", LEAD, "luzern")}
    [gone] = lead_news({}, known, {}, (), date(2026, 1, 1), offices={"B1": "romandie"})
    assert (gone.office_id, gone.withdrawn_because) == ("luzern", "the box left the install base")
