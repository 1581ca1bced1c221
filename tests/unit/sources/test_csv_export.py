"""CSV exports: any of the usual encodings and delimiters, found out and not asked for."""

from pathlib import Path
from typing import Any

import pytest

from services.ingest.sources.csv_export import read_csv
from shared.errors import UserError
from shared.rules.load import default_rules
from tests.support.workbooks import write_csv

READING = default_rules().reading
HEADERS = ("Customer_Name", "Status", "Amount", "Updated_Date")
WESTERN = ("Helvetia Präzision AG, Zürich", "CLSD", "1,5", "2020-01-01")
FRENCH = ("Lumière & Fils", "CLSD", "1", "2020-01-01")
JAPANESE = ("日本ヒューレット・パッカード合同会社", "CLSD", "1", "2020-01-01")


def rows(path: Path) -> list[Any]:
    return list(read_csv(path, READING).rows)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("row", "encoding"),
    [
        *((WESTERN, encoding) for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252")),
        *((FRENCH, encoding) for encoding in ("utf-16-le", "cp1252")),
        *((JAPANESE, encoding) for encoding in ("utf-8", "utf-16-be", "shift_jis", "cp932")),
    ],
)
def test_encoding_and_delimiter_are_found_out(
    tmp_path: Path, row: tuple[str, ...], encoding: str, delimiter: str
) -> None:
    path = write_csv(
        tmp_path / "projects.csv", [HEADERS, row], encoding=encoding, delimiter=delimiter
    )
    sheet = read_csv(path, READING)
    assert (sheet.file, sheet.name) == ("projects.csv", "projects")
    assert [tuple(cells) for cells in sheet.rows] == [HEADERS, row]


def test_a_quoted_cell_may_hold_delimiters_and_line_breaks(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [HEADERS, ("A;B,\nC", "CLSD", "1", "2")], delimiter=";")
    assert rows(path)[1][0] == "A;B,\nC"


def test_unknown_headers_are_split_where_most_columns_come_out(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [("Foo", "Bar", "Baz"), ("1,5", "2", "3")], delimiter=";")
    assert rows(path)[0] == ["Foo", "Bar", "Baz"]


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_bytes(b"")
    assert rows(path) == []


def test_bytes_in_no_known_encoding_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\x81\xff\x8d\x8f garbage \xff\xfe")
    with pytest.raises(UserError, match="none of the encodings"):
        read_csv(path, READING)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a,b\n" + '"' + "x" * 210_000 + '"\n', "line 2: a row of more than 200,000 characters"),
        ("a,b\n" + '"x\n' * 3 + "y\n" * 100_000, "is a quotation mark left open"),
        ("a,b\n" + "," * 16_384 + "\n", "line 2: more than 16,384 columns"),
        ("a,b\n1,2\n1,\0\n", "line 3: a NUL character"),
    ],
)
def test_what_no_export_holds_is_refused_with_its_line(
    tmp_path: Path, text: str, fault: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=fault):
        rows(path)


def test_long_rows_and_many_columns_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + '"' + "x" * 190_000 + '",1\n' * 1 + "," * 16_383 + "\n")
    assert [len(row) for row in rows(path)] == [2, 2, 16_384]


def test_a_file_is_read_again_each_time_its_rows_are_asked_for(tmp_path: Path) -> None:
    sheet = read_csv(write_csv(tmp_path / "a.csv", [HEADERS, FRENCH]), READING)
    assert list(sheet.rows) == list(sheet.rows)
    assert list(sheet.below(0)) == [list(FRENCH)]


def test_a_character_far_down_still_decides_the_encoding(tmp_path: Path) -> None:
    many = [("Acme", "CLSD", "1", "2020-01-01")] * 60_000
    path = write_csv(tmp_path / "a.csv", [HEADERS, *many, FRENCH], encoding="cp1252")
    assert rows(path)[-1] == list(FRENCH)
