"""Reads a CSV export: finds out its encoding and delimiter, and gives one sheet of text cells.

The file is never held whole: rows are read again from it each time they are asked for.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.ingest.sources.layout import known_columns
from services.ingest.sources.tables import MAX_ROW_CHARS, Sheet
from shared.errors import UserError
from shared.rules.model import Reading

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_CHARS = 64_000
_CHUNK_BYTES = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_ASCII_RUN = re.compile(r"[^\x00-\x7f]+")
_MAX_COLUMNS = 16_384


@dataclass(frozen=True)
class CsvRows:
    """The rows of a CSV file, blank ones too; each iteration reads the file again."""

    path: Path
    encoding: str
    delimiter: str

    def __iter__(self) -> Iterator[list[str]]:
        """Raises UserError with the line that cannot be a line of such a file."""
        csv.field_size_limit(MAX_ROW_CHARS)
        with self.path.open(encoding=self.encoding, newline="") as file:
            lines = _Lines(self.path, file)
            rows = csv.reader(lines, delimiter=self.delimiter)
            try:
                for row in rows:
                    lines.row_chars = 0
                    if len(row) > _MAX_COLUMNS:
                        raise lines.fault(f"more than {_MAX_COLUMNS:,} columns")
                    yield row
            except csv.Error as error:
                raise lines.fault(str(error)) from error


class _Lines:
    """Lines of a text file; one row of cells may take several of them, but not for ever."""

    def __init__(self, path: Path, file: io.TextIOBase) -> None:
        self._path = path
        self._file = file
        self._number = 0
        self.row_chars = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._file.readline(MAX_ROW_CHARS + 1):
            self._number += 1
            self.row_chars += len(line)
            if "\0" in line:
                raise self.fault("a NUL character: this is no text")
            if self.row_chars > MAX_ROW_CHARS:
                raise self.fault(
                    f"a row of more than {MAX_ROW_CHARS:,} characters ends here; "
                    "is a quotation mark left open above?"
                )
            yield line

    def fault(self, what: str) -> UserError:
        """What is wrong with the line read last."""
        return UserError(
            f"{self._path.name}, line {self._number}: {what}", hint="export the file again as CSV"
        )


def read_csv(path: Path, reading: Reading) -> Sheet:
    """The rows of a CSV file, named after it. Raises UserError, OSError for an unreadable file."""
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        sample = file.read(_SAMPLE_CHARS)
    delimiter = max(_DELIMITERS, key=lambda each: _fit(path, sample, each, reading))
    return Sheet(path.name, path.stem, CsvRows(path, encoding, delimiter))


def _encoding(path: Path) -> str:
    """UTF-8 or UTF-16, told by their marks or strictness; else Shift-JIS or CP1252, told by sense."""
    with path.open("rb") as file:
        begin = file.read(4)
    for mark, encoding in _MARKS:
        if begin.startswith(mark):
            return _strict(path, encoding)
    if begin[1:2] == b"\0" or begin[:1] == b"\0":
        return _strict(path, "utf-16-le" if begin[1:2] == b"\0" else "utf-16-be")
    if _decodes(path, "utf-8"):
        return "utf-8"
    if _decodes(path, "cp932") and _reads_as_japanese(path):
        return "cp932"
    return _strict(path, "cp1252")


def _strict(path: Path, encoding: str) -> str:
    if _decodes(path, encoding):
        return encoding
    raise UserError(
        f"{path.name}: the text is in none of the encodings UTF-8, UTF-16, CP1252, Shift-JIS",
        hint="export it as UTF-8",
    )


def _decodes(path: Path, encoding: str) -> bool:
    try:
        for _ in _decoded(path, encoding):
            pass
    except UnicodeError:
        return False
    return True


def _decoded(path: Path, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield decoder.decode(chunk)
        yield decoder.decode(b"", final=True)


def _reads_as_japanese(path: Path) -> bool:
    """Japanese comes in runs; a Western accent read as Shift-JIS stands alone among letters."""
    in_runs = total = 0
    for text in _decoded(path, "cp932"):
        runs = _NOT_ASCII_RUN.findall(text)
        in_runs += sum(len(run) for run in runs if len(run) > 1)
        total += sum(len(run) for run in runs)
    return in_runs * 2 > total


def _fit(path: Path, sample: str, delimiter: str, reading: Reading) -> tuple[int, int]:
    """How well a delimiter makes sense: known columns of the header, then cells of a row."""
    csv.field_size_limit(_SAMPLE_CHARS)
    rows = list(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter))
    known = known_columns(Sheet(path.name, path.stem, rows), reading)
    return known, max((len(row) for row in rows), default=0)
