"""Reads a CSV export: finds out its encoding and delimiter, and gives one sheet of text cells."""

import codecs
import csv
import io
import re
from pathlib import Path

from services.ingest.sources.layout import known_columns
from services.ingest.sources.tables import Sheet
from shared.errors import UserError
from shared.rules.model import Reading

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_CHARS = 64_000
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_ASCII_RUN = re.compile(r"[^\x00-\x7f]+")
_MAX_CELL_CHARS = 1_000_000


def read_csv(path: Path, reading: Reading) -> Sheet:
    """The rows of a CSV file, named after it. Raises UserError, OSError for an unreadable file."""
    text = _decoded(path)
    delimiter = max(_DELIMITERS, key=lambda each: _fit(path, text, each, reading))
    return Sheet(path.name, path.stem, _rows(path, text, delimiter))


def _decoded(path: Path) -> str:
    """UTF-8 or UTF-16, told by their marks or strictness; else Shift-JIS or CP1252, told by sense."""
    content = path.read_bytes()
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _strict(path, content, encoding)
    if content[1:2] == b"\0" or content[:1] == b"\0":
        return _strict(path, content, "utf-16-le" if content[1:2] == b"\0" else "utf-16-be")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        japanese = content.decode("cp932")
    except UnicodeDecodeError:
        return _strict(path, content, "cp1252")
    return japanese if _reads_as_japanese(japanese) else _strict(path, content, "cp1252")


def _strict(path: Path, content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path.name}: the text is in none of the encodings UTF-8, UTF-16, CP1252, Shift-JIS",
            hint="export it as UTF-8",
        ) from error


def _reads_as_japanese(text: str) -> bool:
    """Japanese comes in runs; a Western accent read as Shift-JIS stands alone among letters."""
    runs = _NOT_ASCII_RUN.findall(text)
    in_runs = sum(len(run) for run in runs if len(run) > 1)
    return in_runs * 2 > sum(len(run) for run in runs)


def _fit(path: Path, text: str, delimiter: str, reading: Reading) -> tuple[int, int]:
    """How well a delimiter makes sense: known columns of the header, then cells of a row."""
    rows = _rows(path, text[:_SAMPLE_CHARS], delimiter)
    known = known_columns(Sheet(path.name, path.stem, rows), reading)
    return known, max((len(row) for row in rows), default=0)


def _rows(path: Path, text: str, delimiter: str) -> list[list[str]]:
    csv.field_size_limit(_MAX_CELL_CHARS)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return list(lines)
    except csv.Error as error:
        raise UserError(
            f"{path.name}, line {lines.line_num}: {error}", hint="export the file again as CSV"
        ) from error
