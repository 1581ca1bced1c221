"""Reads offices from a CSV file into the values of a rules file, and writes them as one.

Every place is kept, so that a mistake is told with its row and column.
"""

import csv
import io
from dataclasses import dataclass
from typing import Any

from onelead.csv_output import csv_text
from shared.errors import UserError
from shared.rules.document import Document, Path, Place
from shared.rules.model import header_key
from shared.rules.offices import OfficeRange

COLUMNS = ("office", "country", "from", "to", "valid_from", "valid_until")
_SPELLINGS = {
    "office": ("office", "office id", "branch", "büro", "filiale", "niederlassung", "agence"),
    "country": ("country", "country code", "land", "ländercode", "pays"),
    "from": ("from", "code from", "postal code from", "plz von", "von", "de"),
    "to": ("to", "code to", "postal code to", "plz bis", "bis", "à"),
    "valid_from": ("valid from", "effective from", "since", "gültig ab", "gültig von"),
    "valid_until": ("valid until", "valid to", "effective to", "until", "gültig bis"),
}
_FIELD_OF = {header_key(word): field for field, words in _SPELLINGS.items() for word in words}
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class CsvPlace(Place):
    """A cell as a spreadsheet shows it."""

    header: str = ""

    def __str__(self) -> str:
        return f" row {self.line}, column {self.header}"


def document_of_csv(content: bytes, name: str) -> Document:
    """The offices of a CSV file, as a rules file holds them. Raises UserError with row and column."""
    text = _decoded(content, name)
    delimiter = max(_DELIMITERS, key=lambda each: len(_fields(_header(text, each))))
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(rows, [])
        columns = _columns(header, name)
        ranges: list[dict[str, Any]] = []
        places: dict[Path, Place] = {}
        for row in rows:
            if any(cell.strip() for cell in row):
                _take(row, rows.line_num, columns, header, (name, ranges, places))
    except csv.Error as error:
        raise UserError(f"{name}: row {rows.line_num}: this is not CSV: {error}") from error
    if not ranges:
        raise UserError(
            f"{name}: no row has an office, so all offices would go",
            hint="to have no offices any more, apply a YAML file that says `ranges: []`",
        )
    return Document(name, {"offices": {"ranges": ranges}}, places, {})


def csv_of(ranges: tuple[OfficeRange, ...]) -> str:
    """The ranges as a CSV file that `document_of_csv` reads again."""
    rows = [each.model_dump(mode="json") for each in ranges]
    return csv_text(COLUMNS, [{k: "" if v is None else v for k, v in r.items()} for r in rows])


def _take(
    row: list[str],
    line: int,
    columns: dict[str, int],
    header: list[str],
    into: tuple[str, list[dict[str, Any]], dict[Path, Place]],
) -> None:
    """Adds a row to the ranges, and the place of each of its cells."""
    name, ranges, places = into
    if len(row) > len(header):
        raise UserError(
            f"{name}: row {line}: {len(row)} cells, but {len(header)} columns",
            hint="put text that holds the delimiter into quotation marks",
        )
    at: Path = ("offices", "ranges", len(ranges))
    places[at] = CsvPlace(line, 1, header[columns["office"]].strip())
    values: dict[str, Any] = {}
    for field, column in columns.items():
        places[(*at, field)] = CsvPlace(line, column + 1, header[column].strip())
        cell = row[column].strip() if column < len(row) else ""
        if cell:
            values[field] = cell
    ranges.append(values)


def _columns(header: list[str], name: str) -> dict[str, int]:
    """Field → its column. Raises UserError for a header that is unknown, twice there or missing."""
    columns: dict[str, int] = {}
    for column, written in enumerate(header):
        field = _FIELD_OF.get(header_key(written))
        if field is None and written.strip():
            raise UserError(
                f"{name}: row 1, column {written.strip()!r}: unknown; known are {', '.join(COLUMNS)}"
            )
        if field in columns:
            raise UserError(f"{name}: row 1, column {written.strip()!r}: {field} is there twice")
        if field is not None:
            columns[field] = column
    if missing := [field for field in ("office", "from") if field not in columns]:
        raise UserError(
            f"{name}: row 1: there is no column {' and none '.join(missing)}",
            hint=f"the columns are {', '.join(COLUMNS)}; all but office and from may be left out",
        )
    return columns


def _decoded(content: bytes, name: str) -> str:
    for encoding in ("utf-16",) if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            break
    if b"\0" in content:
        raise UserError(f"{name}: this is no text", hint="export the sheet as CSV")
    return content.decode("cp1252", errors="replace")


def _header(text: str, delimiter: str) -> list[str]:
    line = text.splitlines()[0] if text.strip() else ""
    return line.split(delimiter)


def _fields(header: list[str]) -> set[str]:
    return {_FIELD_OF[key] for cell in header if (key := header_key(cell.strip('"'))) in _FIELD_OF}
