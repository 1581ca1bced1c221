"""Files become tables of known kinds, in order; whatever is at fault is named."""

import os
from pathlib import Path

import pytest

from services.ingest.sources.batch_events import observed, to_events
from services.ingest.sources.files import read_files
from services.ingest.sources.tables import SourceRow, SourceTable
from shared.errors import UserError
from shared.events import (
    Actor,
    BatchCompleted,
    BatchMode,
    BatchOpened,
    RecordKind,
    RecordObserved,
)
from shared.rules.load import default_rules
from tests.support.workbooks import (
    BOX_HEADERS,
    CATALOGUE,
    EXPORT,
    OPPORTUNITY_HEADERS,
    PROJECT_HEADERS,
    Row,
    write_csv,
    write_workbook,
)

RULES = default_rules()
A_PROJECT = ("JP1-1", "Health check", "Acme", "CLSD", 5, "2020-01-01", "2020-02-01", "DE", None)


def test_the_reference_workbooks_have_their_rows_and_columns() -> None:
    tables = read_files([EXPORT, CATALOGUE], RULES)
    assert [(t.kind, t.sheet, t.first_row, len(t.rows)) for t in tables] == [
        (RecordKind.INSTALL_BASE, "Install Base", 2, 63),
        (RecordKind.OPPORTUNITY, "Opportunities", 2, 60),
        (RecordKind.PROJECT, "Projects", 2, 2394),
        (RecordKind.CATALOGUE, "LS SKU", 4, 21),
    ]
    assert tables[0].headers["serial_number"] == "Product_Serial_Number"
    assert all(len({row.record_id for row in table.rows}) == len(table.rows) for table in tables)


def test_blank_rows_are_passed_over_but_counted_and_unknown_columns_kept(tmp_path: Path) -> None:
    headers = ("Note", *PROJECT_HEADERS, "Note", None)
    rows: list[Row] = [headers, (), ("n", *A_PROJECT, "m", "o"), (None, ""), (None, *A_PROJECT)]
    (table,) = read_files([write_workbook(tmp_path / "a.xlsx", {"P": rows})], RULES)
    first, second = table.rows
    assert (first.row, second.row, table.first_row) == (2, 4, 2)
    assert first.values["account_name"] == "Acme"
    assert first.extra == {"Note": "n", "Note (column 11)": "m", "column 12": "o"}
    assert (first.record_id, second.record_id) == ("JP1-1", "JP1-1#2")


def test_the_catalogues_product_is_filled_down_so_that_each_row_makes_sense_alone() -> None:
    (table,) = read_files([CATALOGUE], RULES)
    products = [row.values["product"] for row in table.rows]
    assert products[:5] == ["3PAR"] * 5
    assert products[-1] == "Networking"


def test_other_sheets_are_passed_over_but_named(tmp_path: Path) -> None:
    sheets: dict[str, list[Row]] = {
        "Read me": [("hello",)],
        "Projects": [PROJECT_HEADERS, A_PROJECT],
        "Sheet3": [],
    }
    (table,) = read_files([write_workbook(tmp_path / "a.xlsx", sheets)], RULES)
    assert [note.split(";")[0] for note in table.notes] == [
        "a.xlsx: sheet 'Read me' is none that OneLead knows",
        "a.xlsx: sheet 'Sheet3' is none that OneLead knows",
    ]


def test_a_sheet_without_rows_is_passed_over_so_that_nothing_is_removed(tmp_path: Path) -> None:
    opportunity = ("O", "n", "Acme", "1", "Compute", "Won", 1, "2020-01-01", "2020-01-01")
    sheets: dict[str, list[Row]] = {
        "Projects": [PROJECT_HEADERS, (None, "")],
        "Install Base": [],
        "Opportunities": [OPPORTUNITY_HEADERS, opportunity],
    }
    (table,) = read_files([write_workbook(tmp_path / "a.xlsx", sheets)], RULES)
    assert table.kind is RecordKind.OPPORTUNITY
    nothing = "nothing was read from it, and nothing is removed because of it"
    assert table.notes == (
        f"a.xlsx, sheet 'Projects': there are no projects rows in it; {nothing}",
        f"a.xlsx, sheet 'Install Base': there are no install base rows in it; {nothing}",
    )


def test_a_file_that_holds_no_rows_at_all_is_refused(tmp_path: Path) -> None:
    sheets: dict[str, list[Row]] = {"Projects": [PROJECT_HEADERS], "Opportunities": []}
    with pytest.raises(UserError, match=r"no projects rows in it.*no opportunities rows in it"):
        read_files([write_workbook(tmp_path / "a.xlsx", sheets)], RULES)
    with pytest.raises(UserError, match="no projects rows"):
        read_files([write_csv(tmp_path / "b.csv", [PROJECT_HEADERS])], RULES)


def test_a_row_too_large_to_be_sent_is_refused_with_its_place(tmp_path: Path) -> None:
    large = ("JP1-1", *["x" * 32_000] * 7)
    rows: list[Row] = [PROJECT_HEADERS, A_PROJECT, large]
    with pytest.raises(UserError, match=r"sheet 'P', row 3: a row of more than 200,000"):
        read_files([write_workbook(tmp_path / "a.xlsx", {"P": rows})], RULES)


def test_what_is_no_file_of_the_disk_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    for path in (pipe, tmp_path / "zero.csv"):
        with pytest.raises(UserError, match="not a file that OneLead reads"):
            read_files([path], RULES)


def test_a_reader_of_its_own_is_asked_first(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [PROJECT_HEADERS, A_PROJECT])
    table = SourceTable("x", "y", RecordKind.PROJECT, 2, {}, [])
    assert read_files([path], RULES, own_reader=lambda _sheets, _reading: [table]) == [table]


def test_a_table_of_a_source_of_its_own_only_ever_adds() -> None:
    table = SourceTable("x", "y", RecordKind.PROJECT, 2, {}, [], source="crm")
    part = table.part("export", BatchMode.SNAPSHOT)
    assert (part.source, part.mode) == ("crm", BatchMode.DELTA)
    row = SourceRow(1, "JP1-1", {}, {})
    assert observed(table, row, "export").source == "crm"


def test_a_workbook_is_a_snapshot_a_csv_file_a_delta(tmp_path: Path) -> None:
    workbook = write_workbook(tmp_path / "a.xlsx", {"P": [PROJECT_HEADERS, A_PROJECT]})
    export = write_csv(tmp_path / "b.csv", [PROJECT_HEADERS, A_PROJECT])
    one, other = read_files([workbook, export], RULES)
    assert (one.mode, other.mode) == (BatchMode.SNAPSHOT, BatchMode.DELTA)


def test_rows_of_one_kind_in_two_files_do_not_take_each_others_ids(tmp_path: Path) -> None:
    unnamed = ("#", *A_PROJECT[1:])
    paths = [
        write_csv(tmp_path / name, [PROJECT_HEADERS, A_PROJECT, unnamed])
        for name in ("a.csv", "b.csv")
    ]
    ids = [row.record_id for table in read_files(paths, RULES) for row in table.rows]
    assert ids == ["JP1-1", "UNKNOWN_PRJ_2", "JP1-1#2", "UNKNOWN_PRJ_2#2"]


def test_a_kind_that_is_given_for_a_file_decides(tmp_path: Path) -> None:
    rows = [(*OPPORTUNITY_HEADERS, "Status", "Updated"), ("O", "n", "Acme", "1", "", "Won")]
    path = write_csv(tmp_path / "a.csv", rows)
    (table,) = read_files([path], RULES, {path: RecordKind.PROJECT})
    assert table.kind is RecordKind.PROJECT


def test_a_workbook_without_the_kind_that_is_wanted_is_refused(tmp_path: Path) -> None:
    sheets: dict[str, list[Row]] = {"P": [PROJECT_HEADERS, A_PROJECT], "Q": [("x",)]}
    path = write_workbook(tmp_path / "a.xlsx", sheets)
    with pytest.raises(UserError, match=r"Looked for: service catalogue: Product, Service, SKU"):
        read_files([path], RULES, {path: RecordKind.CATALOGUE})


def test_a_workbook_with_none_of_the_sheets_is_refused_with_what_was_found(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "a.xlsx", {"One": [("Foo", "Bar")], "Two": []})
    with pytest.raises(UserError) as refused:
        read_files([path], RULES)
    assert "a.xlsx: no sheet has columns that OneLead knows" in refused.value.message
    assert "sheet 'One': Foo, Bar; sheet 'Two': nothing" in refused.value.message
    assert "opportunities: Opportunity Id, Account Name, Stage" in refused.value.message


def test_one_sheet_at_fault_refuses_the_file(tmp_path: Path) -> None:
    headers = tuple(h for h in BOX_HEADERS if h != "Support_Status")
    sheets: dict[str, list[Row]] = {
        "Projects": [PROJECT_HEADERS, A_PROJECT],
        "Install Base": [headers, ("1",) * len(headers)],
    }
    with pytest.raises(UserError, match=r"sheet 'Install Base'.*support_status"):
        read_files([write_workbook(tmp_path / "a.xlsx", sheets)], RULES)


@pytest.mark.parametrize("name", ["nowhere.xlsx", "nowhere.csv", "no/where.xlsx"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=rf"{name}: the file cannot be read: No such file"):
        read_files([tmp_path / name], RULES)


def test_a_folder_or_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    for path in (tmp_path, tmp_path / "a.pdf"):
        with pytest.raises(UserError, match="not a file that OneLead reads"):
            read_files([path], RULES)


def test_the_events_of_a_batch_open_it_tell_every_row_and_complete_it(tmp_path: Path) -> None:
    workbook = write_workbook(tmp_path / "a.xlsx", {"P": [PROJECT_HEADERS, A_PROJECT]})
    export = write_csv(tmp_path / "b.csv", [PROJECT_HEADERS, (), A_PROJECT])
    tables = read_files([workbook, export], RULES)
    actor = Actor(kind="command", id="test")
    opened, *rows, completed = to_events(tables, "src", None, "b1", actor)
    assert isinstance(opened, BatchOpened)
    assert [part.mode for part in opened.parts] == [BatchMode.SNAPSHOT, BatchMode.DELTA]
    assert [(r.part, r.row, r.record_id) for r in rows if isinstance(r, RecordObserved)] == [
        (0, 1, "JP1-1"),
        (1, 2, "JP1-1#2"),
    ]
    assert completed == BatchCompleted(batch_id="b1", count=2, actor=actor)
    (forced, *_) = to_events(tables, "src", BatchMode.SNAPSHOT, "b1", actor)
    assert isinstance(forced, BatchOpened)
    assert {part.mode for part in forced.parts} == {BatchMode.SNAPSHOT}
