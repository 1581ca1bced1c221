"""Looks at a workbook before it is opened: a bomb or a sparse giant is refused unread.

Streams through the zip and measures what really comes out; what the file says of itself is not
believed.
"""

import re
import zipfile
import zlib
from pathlib import Path

from shared.errors import UserError

_MAX_MEMBERS = 10_000
_MAX_BYTES = 1_500_000_000
_FREE_BYTES = 50_000_000
_MAX_RATIO = 100
"""Real workbooks shrink to a tenth or a twentieth; up to `_FREE_BYTES` any ratio is harmless."""
_MAX_CELLS = 20_000_000
"""Cells of the rectangle that a sheet spans, empty ones too: the reader holds them all."""

_CHUNK = 1 << 20
_OVERLAP = 64
_CELL = re.compile(rb"""<(?:\w+:)?c\s[^>]{0,40}?\br=["']([A-Z]{1,3})(\d{1,7})""")
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


def is_zip(path: Path) -> bool:
    """Whether the file begins as a zip does, whatever its name. Raises OSError."""
    with path.open("rb") as file:
        return file.read(4) == _ZIP


def check_workbook(path: Path) -> None:
    """Raises UserError unless the file is a workbook that can be opened safely."""
    _check_begin(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(path, archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise UserError(
            f"{path.name}: the workbook is damaged: {error}", hint="save it again in Excel"
        ) from error


def _check_begin(path: Path) -> None:
    with path.open("rb") as file:
        begin = file.read(4)
    if begin == _OLE:
        raise UserError(
            f"{path.name}: the workbook is encrypted, or in the old .xls format",
            hint="save it as .xlsx without a password",
        )
    if begin != _ZIP:
        found = "empty" if not begin else "not an Excel workbook, whatever its name says"
        raise UserError(
            f"{path.name}: the file is {found}",
            hint="save it as .xlsx in Excel; a text file should be named .csv",
        )


def _check_members(path: Path, archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if "xl/workbook.xml" not in archive.namelist() or len(members) > _MAX_MEMBERS:
        raise UserError(
            f"{path.name}: a zip file, but not an Excel workbook", hint="save it as .xlsx in Excel"
        )
    allowed = min(_MAX_BYTES, max(_FREE_BYTES, _MAX_RATIO * path.stat().st_size))
    total = 0
    for member in members:
        is_sheet = member.filename.startswith("xl/worksheets/")
        columns = rows = 0
        with archive.open(member) as stream:
            tail = b""
            while chunk := stream.read(_CHUNK):
                total += len(chunk)
                if total > allowed:
                    raise _too_large(path, f"it unpacks to more than {allowed // 1_000_000} MB")
                if is_sheet:
                    columns, rows = _extent(tail + chunk, columns, rows)
                    tail = chunk[-_OVERLAP:]
                if columns * rows > _MAX_CELLS:
                    raise _too_large(path, f"a sheet spans {rows:,} rows × {columns:,} columns")


def _extent(xml: bytes, columns: int, rows: int) -> tuple[int, int]:
    for column, row in _CELL.findall(xml):
        number = 0
        for letter in column:
            number = number * 26 + letter - 64
        columns, rows = max(columns, number), max(rows, int(row))
    return columns, rows


def _too_large(path: Path, fault: str) -> UserError:
    return UserError(
        f"{path.name}: the workbook is too large: {fault}",
        hint="delete what lies far away from the data, or export as CSV",
    )
