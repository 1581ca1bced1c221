"""Looks at a workbook before it is opened: a bomb, a sparse giant, macros and the like are refused unread.

Streams through the zip and measures what really comes out; what the file says of itself is not
believed.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from services.ingest.sources.zip_parts import unpacked
from shared.errors import UserError

_MAX_PARTS = 2_000
_MAX_DIRECTORY_BYTES = 1_000_000
_MAX_BYTES = 1_500_000_000
_FREE_BYTES = 30_000_000
_MAX_RATIO = 40
"""Real workbooks shrink to a tenth or a twentieth; up to `_FREE_BYTES` any ratio is harmless."""
_FREE_CELLS = 2_000_000
_MAX_SPARSENESS = 50
"""The reader holds the whole rectangle that a sheet spans: this many cells for a filled one."""

_OVERLAP = 64
_CELL = re.compile(rb"""<(?:\w{1,9}:)?c\s[^>]{0,40}?\br=["']([A-Z]{1,3})(\d{1,7})""")
_DTD = re.compile(rb"<!(?:DOCTYPE|ENTITY)|<\0!\0(?:D\0O|E\0N)")
_MACROS = re.compile(r"vbaproject\.bin$|/macrosheets/", re.IGNORECASE)
_OUTSIDE = re.compile(r"^[/\\]|^[A-Za-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)")
_EMBEDDED = "xl/embeddings/"  # where a workbook may hold another one; it is never opened
_ZIP, _OLE, _END = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PK\x05\x06"
_END_WITHIN = 22 + 65_535
_LINK = 0o120000


def is_zip(path: Path) -> bool:
    """Whether the file begins as a zip does, whatever its name. Raises OSError."""
    with path.open("rb") as file:
        return file.read(4) == _ZIP


def check_workbook(path: Path) -> int:
    """How many bytes the workbook unpacks to.

    Raises UserError unless it can be opened safely, OSError when it cannot be read at all.
    """
    _check_begin(path)
    try:
        _check_directory(path)
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
        _check_parts(path, parts)
        return _measure(path, parts)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, struct.error) as error:
        raise _refused(
            path, f"the workbook is damaged: {error}", "save it again in Excel"
        ) from error


def _check_begin(path: Path) -> None:
    with path.open("rb") as file:
        begin = file.read(4)
    if begin == _OLE:
        fault = "the workbook is encrypted, or in the old .xls format"
        raise _refused(path, fault, "save it as .xlsx without a password")
    if begin != _ZIP:
        found = "empty" if not begin else "not an Excel workbook, whatever its name says"
        hint = "save it as .xlsx in Excel; a text file should be named .csv"
        raise _refused(path, f"the file is {found}", hint)


def _check_directory(path: Path) -> None:
    """The zip's table of contents, before it is read: it could be the larger part of the file."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _END_WITHIN))
        end = file.read()
    at = end.rfind(_END)
    if at < 0:
        raise zipfile.BadZipFile("its end is missing")
    parts, size = struct.unpack("<HL", end[at + 10 : at + 16])
    if parts > _MAX_PARTS or size > _MAX_DIRECTORY_BYTES:
        raise _too_many(path, parts)


def _check_parts(path: Path, parts: Sequence[zipfile.ZipInfo]) -> None:
    if len(parts) > _MAX_PARTS:
        raise _too_many(path, len(parts))
    for part in parts:
        if _OUTSIDE.search(part.filename) or part.external_attr >> 16 & 0o170000 == _LINK:
            fault = f"the workbook holds a part that points elsewhere: {part.filename[:80]!r}"
            raise _refused(path, fault, "save it again in Excel")
        if part.flag_bits & 1:
            fault = "the workbook is encrypted"
            raise _refused(path, fault, "save it as .xlsx without a password")
        if _MACROS.search(part.filename):
            fault = "the workbook holds macros"
            raise _refused(path, fault, "save it as .xlsx, which holds none")
    if "xl/workbook.xml" not in {part.filename for part in parts}:
        fault = "a zip file, but not an Excel workbook"
        raise _refused(path, fault, "save it as .xlsx in Excel")


@dataclass
class _Extent:
    """How far the cells of a sheet reach, and how many there are."""

    columns: int = 0
    rows: int = 0
    filled: int = 0

    def take(self, xml: bytes) -> None:
        found = _CELL.findall(xml)
        if found:
            letters, rows = zip(*found, strict=True)
            self.columns = max(self.columns, *map(_column_number, set(letters)))
            self.rows = max(self.rows, *map(int, rows))
            self.filled += len(found)

    @property
    def is_sparse_giant(self) -> bool:
        cells = self.columns * self.rows
        return cells > _FREE_CELLS and cells > _MAX_SPARSENESS * self.filled


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _measure(path: Path, parts: Sequence[zipfile.ZipInfo]) -> int:
    allowed = min(_MAX_BYTES, max(_FREE_BYTES, _MAX_RATIO * path.stat().st_size))
    total = 0
    with path.open("rb") as file:
        for part in parts:
            extent, before = _Extent(), b""
            for chunk in unpacked(file, part):
                total += len(chunk)
                if total > allowed:
                    fault = f"it unpacks to more than {allowed // 1_000_000} MB"
                    raise _too_large(path, fault)
                _check_content(path, part, before, chunk)
                # A cell on the seam of two chunks is looked at twice: once too often does no harm.
                extent.take(before + chunk)
                before = chunk[-_OVERLAP:]
            if extent.is_sparse_giant:
                spans = f"{extent.rows:,} rows × {extent.columns:,} columns"
                raise _too_large(path, f"a sheet with {extent.filled:,} cells spans {spans}")
    return total


def _check_content(path: Path, part: zipfile.ZipInfo, before: bytes, chunk: bytes) -> None:
    if _DTD.search(before + chunk):
        fault = f"the workbook declares entities of its own, in {part.filename[:80]!r}"
        raise _refused(path, fault, "no spreadsheet program writes such files; save it in Excel")
    if not before and chunk.startswith(_ZIP) and not part.filename.startswith(_EMBEDDED):
        fault = f"the workbook holds another zip file, {part.filename[:80]!r}"
        raise _refused(path, fault, "save it again in Excel")


def _refused(path: Path, fault: str, hint: str) -> UserError:
    return UserError(f"{path.name}: {fault}", hint=hint)


def _too_many(path: Path, parts: int) -> UserError:
    fault = f"the workbook holds {parts:,} parts or more, at most {_MAX_PARTS:,} make sense"
    return _refused(path, fault, "save it again in Excel, or export its sheets as CSV")


def _too_large(path: Path, fault: str) -> UserError:
    hint = "delete what lies far away from the data, or export as CSV"
    return _refused(path, f"the workbook is too large: {fault}", hint)
