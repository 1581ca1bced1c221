"""A workbook of flawed rows gives back each row as it was, and tells which ones a person changed."""

import gc
import sys
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onelead.mending import marks
from onelead.mending.reading import MendedReader
from onelead.mending.store import FlawedColumns, FlawedRow
from onelead.mending.workbook import MendWorkbook
from services.ingest.sources.files import read_files
from services.ingest.sources.tables import SourceTable
from shared.errors import UserError
from shared.events import BatchMode, BatchPart, Finding, JsonScalar, RecordKind
from shared.rules.load import default_rules
from tests.support.workbooks import PROJECT_HEADERS

RULES = default_rules()
HEADERS = {
    "project_id": "Project_Id",
    "account_name": "Customer_Name",
    "status": "Status",
    "amount": "Amount",
    "updated": "Updated_Date",
}
PART = BatchPart(
    kind=RecordKind.PROJECT,
    source="crm",
    mode=BatchMode.SNAPSHOT,
    file="export.xlsx",
    sheet="Projects",
    first_row=2,
    headers=HEADERS,
)
BOXES = PART.model_copy(
    update={
        "kind": RecordKind.INSTALL_BASE,
        "sheet": "Install Base",
        "headers": {"serial_number": "Serial", "end_of_life": "EOL"},
    }
)


def flawed(data_row: int = 1, record_id: str = "JP1-1", **changes: Any) -> FlawedRow:
    """A project whose amount cannot be read."""
    finding = Finding(
        file="export.xlsx",
        sheet="Projects",
        row=data_row + 1,
        column="Amount",
        raw_value="TBD",
        reason="not an amount of money",
        outcome="degraded",
    )
    row: dict[str, Any] = {
        "part": PART,
        "data_row": data_row,
        "kind": RecordKind.PROJECT,
        "source": "crm",
        "record_id": record_id,
        "outcome": "degraded",
        "values": {"account_name": "Acme", "status": "CLSD", "amount": "TBD"},
        "extra": {},
        "findings": (finding,),
    }
    return FlawedRow(**{**row, **changes})


def a_box(**changes: Any) -> FlawedRow:
    """A box without a serial number."""
    values = {"territory_id": "7", "product_name": "MSA 2050"}
    box: dict[str, Any] = {
        "part": BOXES,
        "kind": RecordKind.INSTALL_BASE,
        "values": values,
        "record_id": "NO-SERIAL/7/MSA 2050/1",
        "findings": (),
    }
    return flawed(**{**box, **changes})


def exported(path: Path, *rows: FlawedRow, tenant: str = "default") -> Path:
    book = MendWorkbook(tenant, "batch-1", [PART, BOXES])
    for kind in dict.fromkeys(row.kind for row in rows):
        of_kind = [row for row in rows if row.kind is kind]
        values = {name for row in of_kind for name in row.values}
        extra = {name for row in of_kind for name in row.extra}
        book.begin(kind, FlawedColumns(tuple(sorted(values)), tuple(sorted(extra))))
    for row in rows:
        book.add(row)
    book.save(path)
    return path


def mend(path: Path, column: str, value: Any, *, sheet: str = "Projects", row: int = 2) -> None:
    """Writes a value into a cell as a person does."""
    book = openpyxl.load_workbook(path)
    headers = [cell.value for cell in book[sheet][1]]
    book[sheet].cell(row, headers.index(column) + 1).value = value
    book.save(path)


def tables(path: Path, tenant: str = "default") -> list[SourceTable]:
    return read_files([path], RULES, own_reader=MendedReader(tenant))


raw_text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
raw_cells = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    raw_text,
    st.sampled_from(["=1+1", "+1", "-1", "@x", "#N/A", "_x0041_", "a\r\nb", " ", "TRUE", "1e5"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    values=st.dictionaries(st.sampled_from([*HEADERS, "country"]), raw_cells, min_size=1),
    extra=st.dictionaries(st.sampled_from(["Note", "Note (column 9)", "Amount"]), raw_cells),
)
def test_whatever_a_row_holds_it_is_not_mended_until_a_person_changes_it(
    tmp_path: Path, values: dict[str, JsonScalar], extra: dict[str, JsonScalar]
) -> None:
    path = exported(tmp_path / "mend.xlsx", flawed(values=values, extra=extra))
    (table,) = tables(path)
    assert list(table.rows) == []
    assert "0 of its 1 rows were mended" in table.notes[0]


def test_a_mended_row_is_a_change_of_the_row_it_was(tmp_path: Path) -> None:
    rows = [flawed(3, "JP1-1#2"), flawed(17, "UNKNOWN_PRJ_17")]
    path = exported(tmp_path / "mend.xlsx", *rows)
    mend(path, "Amount", 5_000, row=3)
    (table,) = tables(path)
    (row,) = table.rows
    assert (row.record_id, row.row, row.values["amount"]) == ("UNKNOWN_PRJ_17", 17, 5_000)
    assert (table.file, table.sheet, table.first_row) == ("export.xlsx", "Projects", 2)
    assert table.notes == (
        "mend.xlsx: 1 of its 2 rows were mended; the others are left as they are",
    )


@pytest.mark.parametrize("mode", [None, BatchMode.SNAPSHOT])
def test_mended_rows_never_replace_what_their_source_held(
    tmp_path: Path, mode: BatchMode | None
) -> None:
    path = exported(tmp_path / "mend.xlsx", flawed())
    mend(path, "Amount", 1)
    part = tables(path)[0].part("another source", mode)
    assert (part.source, part.mode) == ("crm", BatchMode.DELTA)


def test_the_person_is_told_what_is_wrong_and_where(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(exported(tmp_path / "mend.xlsx", flawed(7)))
    header, row = book["Projects"].iter_rows()
    shown = {head.value: cell for head, cell in zip(header, row, strict=True)}
    assert [cell.value for cell in row[:5]] == [
        *("degraded", "Amount: not an amount of money", "export.xlsx", "Projects", 8),
    ]
    assert shown["Amount"].fill.fgColor.rgb.endswith("FFF2CC")
    assert shown["Status"].fill.fgColor.rgb == "00000000"
    assert shown[marks.BATCH].value == "default/batch-1"
    assert "Mend the cells" in str(book["Read me"]["A3"].value)


@pytest.mark.parametrize("begin", ["=", "+", "-", "@"])
def test_no_cell_becomes_a_formula(tmp_path: Path, begin: str) -> None:
    text = f'{begin}HYPERLINK("http://x","y")'
    row = flawed(values={"account_name": text, "status": "CLSD"}, record_id=text, source=text)
    book = openpyxl.load_workbook(exported(tmp_path / "mend.xlsx", row))
    cells = [cell for line in book["Projects"].iter_rows() for cell in line if cell.value == text]
    assert len(cells) == 3
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.quotePrefix for cell in cells)


def test_a_date_may_be_mended_as_a_date_and_a_cell_be_emptied(tmp_path: Path) -> None:
    path = exported(tmp_path / "mend.xlsx", flawed(values={"updated": "soon", "status": "CLSD"}))
    mend(path, "Updated_Date", date(2023, 3, 15))
    mend(path, "Status", None)
    assert tables(path)[0].rows[0].values == {"updated": "2023-03-15"}


def test_columns_that_are_needed_are_there_even_when_no_row_fills_them(tmp_path: Path) -> None:
    part = PART.model_copy(update={"headers": {}})
    path = exported(tmp_path / "mend.xlsx", flawed(part=part, values={"amount": "x"}))
    mend(path, "Customer_Name", "Acme")
    assert tables(path)[0].rows[0].values["account_name"] == "Acme"


def test_columns_nobody_knows_are_kept_and_may_be_mended(tmp_path: Path) -> None:
    path = exported(tmp_path / "mend.xlsx", flawed(extra={"My note": "a"}))
    mend(path, "My note", "b")
    assert tables(path)[0].rows[0].extra == {"My note": "b"}


def test_a_used_box_with_a_mended_serial_number_is_no_longer_what_it_was(tmp_path: Path) -> None:
    path = exported(tmp_path / "mend.xlsx", a_box())
    mend(path, "Serial", " sn7 ", sheet="Install Base")
    (table,) = tables(path)
    assert table.gone == ("NO-SERIAL/7/MSA 2050/1",)
    assert table.kind is RecordKind.INSTALL_BASE


@pytest.mark.parametrize(
    ("outcome", "column", "value"),
    [
        ("quarantined", "Serial", "SN7"),
        ("degraded", "EOL", "2020-01-01"),
        ("degraded", "Serial", "(null)"),
    ],
)
def test_any_other_mended_box_takes_nothing_away(
    tmp_path: Path, outcome: str, column: str, value: str
) -> None:
    path = exported(tmp_path / "mend.xlsx", a_box(outcome=outcome))
    mend(path, column, value, sheet="Install Base")
    assert tables(path)[0].gone == ()


def test_rows_may_be_deleted_sorted_and_moved_under_other_columns(tmp_path: Path) -> None:
    path = exported(tmp_path / "mend.xlsx", flawed(1, "A"), flawed(2, "B"), flawed(3, "C"))
    mend(path, "Amount", 1, row=4)
    book = openpyxl.load_workbook(path)
    sheet = book["Projects"]
    sheet.delete_rows(2)
    sheet.insert_rows(1)
    sheet.move_range("A2:Z2", rows=0, cols=0)
    sheet.delete_cols(2)
    book.save(path)
    assert [row.record_id for row in tables(path)[0].rows] == ["C"]


def test_a_row_of_another_tenant_is_refused(tmp_path: Path) -> None:
    path = exported(tmp_path / "mend.xlsx", flawed(), tenant="north")
    with pytest.raises(UserError, match="row 2: this row is tenant north's, not default's"):
        tables(path)
    assert tables(path, "north")


@pytest.mark.parametrize(
    "column", [marks.RECORD, marks.SOURCE, marks.BATCH, marks.DATA_ROW, marks.CHECK, marks.ROW]
)
def test_a_row_that_cannot_be_known_again_is_refused_with_its_place(
    tmp_path: Path, column: str
) -> None:
    path = exported(tmp_path / "mend.xlsx", flawed(1), flawed(2))
    mend(path, column, None, row=3)
    with pytest.raises(UserError, match=r"mend\.xlsx, sheet 'Projects', row 3: the grey columns"):
        tables(path)


def test_other_workbooks_are_read_as_ever(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (PROJECT_HEADERS, ("1", "d", "Acme", "CLSD", 5)):
        book.active.append(list(row))
    book.save(tmp_path / "a.xlsx")
    (table,) = tables(tmp_path / "a.xlsx")
    assert (table.mode, table.source) == (BatchMode.SNAPSHOT, "")


def test_a_workbook_that_cannot_be_saved_ends_without_tracebacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", printed.append)

    def save(path: Path) -> None:
        with MendWorkbook("default", "batch-1", [PART]) as book:
            book.begin(RecordKind.PROJECT, FlawedColumns(("status",), ()))
            book.add(flawed())
            book.save(path)

    with pytest.raises(FileNotFoundError):
        save(tmp_path / "none" / "mend.xlsx")
    gc.collect()
    assert printed == []
