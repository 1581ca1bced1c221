"""Workbooks: read whole, in a process of their own; hostile and broken ones are refused, named."""

import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from services.ingest.sources.workbook import limits_of, read_workbook
from shared.errors import UserError
from tests.support.hostile import sheet, workbook_with
from tests.support.workbooks import write_workbook

SHEET = "xl/worksheets/sheet1.xml"


def with_member(path: Path, name: str, content: bytes) -> Path:
    """The workbook with one member replaced."""
    with zipfile.ZipFile(path) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in {**members, name: content}.items():
            archive.writestr(member, data)
    return path


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return write_workbook(tmp_path / "plain.xlsx", {"A": [("a", 1)], "B": []})


def test_every_sheet_is_read_with_its_rows_where_they_stand(tmp_path: Path) -> None:
    rows = [(), ("title",), ("h", "i"), (1, "x"), (None, True)]
    path = write_workbook(tmp_path / "a.xlsx", {"First": rows, "Empty": []})
    first, empty = read_workbook(path)
    assert (first.file, first.name, empty.name) == ("a.xlsx", "First", "Empty")
    assert [[cell for cell in row if cell is not None] for row in first.rows] == [
        [],
        ["title"],
        ["h", "i"],
        [1.0, "x"],
        [True],
    ]
    assert list(empty.rows) == []


def test_days_are_iso_text_with_a_time_only_where_there_is_one(tmp_path: Path) -> None:
    cells = (date(2020, 1, 2), datetime(2020, 1, 2), datetime(2020, 1, 2, 3, 4), time(5, 6))  # noqa: DTZ001
    path = write_workbook(tmp_path / "a.xlsx", {"A": [(*cells, timedelta(hours=30), "日本")]})
    (row,) = read_workbook(path)[0].rows
    assert row == [
        *("2020-01-02", "2020-01-02", "2020-01-02 03:04:00", "05:06:00"),
        *("1 day, 6:00:00", "日本"),
    ]


def _text(path: Path) -> None:
    path.write_text("serial,name\n1,2\n")


def _nothing(path: Path) -> None:
    path.write_bytes(b"")


def _encrypted(path: Path) -> None:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)


def _garbage(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04" + os.urandom(2_000))


def _other_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")


def _cut_off(path: Path) -> None:
    write_workbook(path, {"A": [("a",) * 50] * 200})
    path.write_bytes(path.read_bytes()[:-300])


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (_text, "not an Excel workbook, whatever its name says"),
        (_nothing, "the file is empty"),
        (_encrypted, "encrypted, or in the old .xls format"),
        (_garbage, "damaged"),
        (_other_zip, "not an Excel workbook"),
        (_cut_off, "damaged"),
    ],
)
def test_what_is_no_workbook_is_refused_with_a_remedy(
    tmp_path: Path, make: Callable[[Path], None], fault: str
) -> None:
    path = tmp_path / "export.xlsx"
    make(path)
    with pytest.raises(UserError) as refused:
        read_workbook(path)
    assert refused.value.message.startswith("export.xlsx: ")
    assert fault in refused.value.message
    assert refused.value.hint


def test_numbers_beyond_all_bounds_are_no_numbers(plain: Path) -> None:
    workbook_with(plain, sheet=sheet(b'<row r="1"><c r="A1"><v>1e999</v></c></row>'))
    assert [list(each.rows) for each in read_workbook(plain)] == [[["inf"]]]


def test_a_sparse_sheet_of_a_harmless_size_is_read(plain: Path) -> None:
    cells = (
        b'<row r="1"><c r="A1"><v>1</v></c></row><row r="90000"><c r="V90000"><v>2</v></c></row>'
    )
    workbook_with(plain, sheet=sheet(cells))
    (found,) = read_workbook(plain)
    assert [row for row in found.rows if row][-1][-1] == 2


def test_a_workbook_within_a_workbook_is_left_alone(plain: Path) -> None:
    inner = plain.read_bytes()
    workbook_with(plain, **{"xl/embeddings/inner.xlsx": inner})
    assert read_workbook(plain)


def test_an_honest_workbook_of_a_large_export_is_read_within_its_limits(tmp_path: Path) -> None:
    rows = [(n, f"Serial {n}", "HPE Primera", "2020-01-01", n * 1.5) for n in range(20_000)]
    (found,) = read_workbook(write_workbook(tmp_path / "a.xlsx", {"A": rows}))
    assert len(list(found.rows)) == 20_000


def test_a_sheet_that_is_no_xml_is_refused(plain: Path) -> None:
    with_member(plain, SHEET, b"<worksheet><sheetData><row><c></row>")
    with pytest.raises(UserError, match="cannot be read"):
        read_workbook(plain)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workbook of two million cells, each harmless."""
    plain = write_workbook(tmp_path_factory.mktemp("large") / "plain.xlsx", {"A": [("a", 1)]})
    row = "".join(f'<c r="{column}{{0}}"><v>{{0}}</v></c>' for column in "ABCDEFGHIJKLMNOP")
    rows = "".join(f'<row r="{n}">{row.format(n)}</row>' for n in range(1, 120_000))
    content = f"<worksheet><sheetData>{rows}</sheetData></worksheet>"
    return with_member(plain, SHEET, content.encode())


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"memory_bytes": 40_000_000}, "took more than 40 MB of memory"),
        ({"cpu_s": 1}, "or 1 s of processor time"),
        ({"text_bytes": 5_000_000}, "more than 5 MB of text"),
    ],
)
def test_a_reader_that_wants_too_much_dies_alone(
    large: Path, limit: dict[str, int], said: str
) -> None:
    with pytest.raises(UserError, match="the workbook cannot be read") as refused:
        read_workbook(large, replace(limits_of(50_000_000), **limit))
    assert said in refused.value.message


def test_limits_grow_with_what_a_workbook_unpacks_to_up_to_a_bound() -> None:
    small, large = limits_of(1_000_000), limits_of(100_000_000)
    assert (small.memory_bytes, small.cpu_s, small.text_bytes) == (156_000_000, 4, 38_000_000)
    assert (large.memory_bytes, large.cpu_s, large.text_bytes) == (750_000_000, 14, 830_000_000)
    assert limits_of(10**10).memory_bytes == 2_000_000_000


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_workbook(tmp_path / "nowhere.xlsx")
