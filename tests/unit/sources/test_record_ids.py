"""The ids of rows: what a source says where it says something, stand-ins elsewhere (rules.md §1)."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.sources.record_ids import RecordIds, box_identity
from shared.events import JsonScalar, RecordKind

MISSING = ("(null)", "null", "nan", "n/a")


def ids(kind: RecordKind, rows: Sequence[dict[str, JsonScalar]]) -> list[str]:
    given_out = RecordIds(kind, MISSING)
    return [given_out.of(row, values) for row, values in enumerate(rows, start=1)]


def project_ids(*raw: JsonScalar) -> list[str]:
    return ids(RecordKind.PROJECT, [{"project_id": each} for each in raw])


def test_a_project_has_its_own_id() -> None:
    assert project_ids("JP1-1", 4711.0) == ["JP1-1", "4711"]


@pytest.mark.parametrize("raw", ["#", "NOT AVAILABLE", "not available", "(null)", "", None])
def test_a_project_without_an_id_is_named_by_its_row(raw: JsonScalar) -> None:
    assert project_ids("JP1-1", raw) == ["JP1-1", "UNKNOWN_PRJ_2"]


def test_the_first_of_equal_ids_stays_plain_the_others_are_counted() -> None:
    assert project_ids("A", "B", "A", "A") == ["A", "B", "A#2", "A#3"]


def test_an_id_that_looks_like_a_counted_one_takes_nothing_away() -> None:
    assert project_ids("A", "A#2", "A") == ["A", "A#2", "A#3"]
    assert project_ids("UNKNOWN_PRJ_2", "#") == ["UNKNOWN_PRJ_2", "UNKNOWN_PRJ_2#2"]


def test_opportunities_and_the_catalogue_have_ids_of_the_same_making() -> None:
    rows: list[dict[str, JsonScalar]] = [{"opportunity_id": "O"}, {}, {"opportunity_id": "O"}]
    assert ids(RecordKind.OPPORTUNITY, rows) == ["O", "UNKNOWN_OPP_2", "O#2"]
    assert ids(RecordKind.CATALOGUE, [{}, {}]) == ["CATALOGUE_ROW_1", "CATALOGUE_ROW_2"]


def test_a_box_is_its_serial_number_trimmed_and_in_capitals_repeats_too() -> None:
    rows: list[dict[str, JsonScalar]] = [{"serial_number": " ab1 "}, {"serial_number": "AB1"}]
    assert ids(RecordKind.INSTALL_BASE, rows) == ["AB1", "AB1"]
    assert box_identity(12345.0, "x") == "12345"


def test_without_a_serial_number_territory_product_and_occurrence_tell_boxes_apart() -> None:
    row: dict[str, JsonScalar] = {"territory_id": 5.0, "product_id": "p1"}
    assert ids(RecordKind.INSTALL_BASE, [row, {**row, "territory_id": 6}, row]) == [
        "NO-SERIAL/5/P1/1",
        "NO-SERIAL/6/P1/1",
        "NO-SERIAL/5/P1/2",
    ]


@given(st.lists(st.sampled_from(["A", "A#2", "A#3", "#", "UNKNOWN_PRJ_1", "", "B"])))
def test_no_two_projects_share_an_id(raw: list[str]) -> None:
    assert len(set(project_ids(*raw))) == len(raw)


@given(st.lists(st.text(max_size=3)))
def test_the_same_sheet_gives_the_same_ids(raw: list[str]) -> None:
    assert project_ids(*raw) == project_ids(*raw)
