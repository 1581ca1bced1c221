"""CSV exports: any of the usual encodings and delimiters, found out and not asked for."""

import csv
from pathlib import Path

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
    assert read_csv(path, READING).rows[1][0] == "A;B,\nC"


def test_unknown_headers_are_split_where_most_columns_come_out(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", [("Foo", "Bar", "Baz"), ("1,5", "2", "3")], delimiter=";")
    assert list(read_csv(path, READING).rows[0]) == ["Foo", "Bar", "Baz"]


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_bytes(b"")
    assert read_csv(path, READING).rows == []


def test_bytes_in_no_known_encoding_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\x81\xff\x8d\x8f garbage \xff\xfe")
    with pytest.raises(UserError, match="none of the encodings"):
        read_csv(path, READING)


def test_an_endless_cell_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + '"' + "x" * 1_100_000 + '"\n')
    with pytest.raises(UserError, match=r"a\.csv, line 2"):
        read_csv(path, READING)
    assert csv.field_size_limit() == 1_000_000
