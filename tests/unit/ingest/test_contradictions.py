"""What disagrees in rows that are used: status and dates, dates and the day (rules.md §2, §3)."""

from datetime import date, timedelta

import pytest

from services.ingest.domain.contradictions import (
    contradictions,
    status_against_dates,
    update_against_day,
)
from services.ingest.domain.records import Project
from shared.rules.load import default_rules
from tests.support.builders import AS_OF, a_box, changed

RULES = default_rules()
TODAY, YESTERDAY, TOMORROW = AS_OF, AS_OF - timedelta(days=1), AS_OF + timedelta(days=1)


@pytest.mark.parametrize("status", ["Contract Expired", "UNCOVERED BOX", "warranty expired"])
@pytest.mark.parametrize("end", [TODAY, TOMORROW])
def test_a_status_that_says_it_is_over_contradicts_an_end_that_is_not_past(
    status: str, end: date
) -> None:
    found = status_against_dates(status, end, RULES, AS_OF)
    assert found is not None
    assert found.reason == "the service lasts on, whatever the status says"
    assert found.detail == f"until {end}"


def test_a_status_that_does_not_say_so_contradicts_an_end_that_is_past() -> None:
    found = status_against_dates("Active Contract", YESTERDAY, RULES, AS_OF)
    assert found is not None
    assert found.reason == "the service is over, whatever the status says"
    assert found.detail == f"since {YESTERDAY}"


@pytest.mark.parametrize(
    ("status", "end"),
    [
        ("Contract Expired", YESTERDAY),
        ("Active Contract", TODAY),
        ("Active Contract", TOMORROW),
        ("Contract Expired", None),
        ("Active Contract", None),
        (None, YESTERDAY),
        ("", YESTERDAY),
    ],
)
def test_what_agrees_or_is_missing_contradicts_nothing(
    status: str | None, end: date | None
) -> None:
    assert status_against_dates(status, end, RULES, AS_OF) is None


def test_the_words_for_being_over_are_those_of_the_rules() -> None:
    rules = changed(RULES, leads__renewal__status_contains="Abgelaufen")
    assert status_against_dates("vertrag ABGELAUFEN", YESTERDAY, rules, AS_OF) is None
    assert status_against_dates("Contract Expired", YESTERDAY, rules, AS_OF) is not None


def test_a_project_updated_after_the_day_is_told_with_the_day() -> None:
    assert update_against_day(TODAY, AS_OF) is None
    found = update_against_day(TOMORROW, AS_OF)
    assert found is not None
    assert found.detail == str(AS_OF)
    assert found.reason == "after the day of the leads: taken as updated on that day"


def test_each_contradiction_names_its_row_its_field_and_the_value() -> None:
    box = a_box(support_status="Active Contract", service_end=YESTERDAY)
    project = Project(record_id="P", updated=TOMORROW)
    others = [a_box(support_status=None, service_end=YESTERDAY), a_box(support_status="Expired")]
    found = list(contradictions([box, *others], [project, Project(record_id="Q")], RULES, AS_OF))
    assert [(each.record, each.field, each.raw_value) for each in found] == [
        (box, "support_status", "Active Contract"),
        (project, "updated", str(TOMORROW)),
    ]
    assert [each.detail for each in found] == [f"since {YESTERDAY}", str(AS_OF)]
    assert all(each.reason for each in found)
