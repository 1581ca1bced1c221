"""The columns by which a workbook of flawed rows knows its rows again, and how a row's cells are compared."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson

from services.ingest.sources.tables import Cells
from shared.events import JsonScalar, RecordKind
from shared.rules.model import header_key

OUTCOME, REASON = "OneLead outcome", "OneLead reason"
FILE, SHEET, ROW = "OneLead file", "OneLead sheet", "OneLead row"
RECORD, SOURCE, BATCH = "OneLead record", "OneLead source", "OneLead batch"
DATA_ROW, CHECK = "OneLead data row", "OneLead check"
BEFORE = (OUTCOME, REASON, FILE, SHEET, ROW)
"""What tells a person of the row, left of its cells."""
AFTER = (RECORD, SOURCE, BATCH, DATA_ROW, CHECK)
"""What tells OneLead which row it is, right of its cells."""

SHEET_NAMES = {
    RecordKind.INSTALL_BASE: "Install Base",
    RecordKind.OPPORTUNITY: "Opportunities",
    RecordKind.PROJECT: "Projects",
    RecordKind.CATALOGUE: "Catalogue",
}
_EXACT_WHOLE = 10**15
_LARGEST = 1e300
_DIGITS = 15
"""What spreadsheets keep of a number."""
_LONGEST_CELL = 32_767
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)|[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_LINE_END = re.compile(r"\r\n?")


@dataclass(frozen=True)
class Place:
    """Which row of an import a row of the workbook is; `row` as a person finds it in its file."""

    source: str
    record_id: str
    file: str
    sheet: str
    row: int
    data_row: int
    outcome: str


def is_marked(header: Cells) -> bool:
    """Whether a header row is that of a workbook of flawed rows."""
    keys = {header_key(cell) for cell in header if isinstance(cell, str)}
    return {header_key(RECORD), header_key(CHECK)} <= keys


def shown(raw: JsonScalar) -> JsonScalar:
    """A raw value as a cell can hold it and gives it back: no formula, no number that is rounded."""
    if isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) > _EXACT_WHOLE:
        return str(raw)
    if isinstance(raw, float):
        return str(raw) if abs(raw) > _LARGEST else float(f"{raw:.{_DIGITS}g}")
    return raw[:_LONGEST_CELL] if isinstance(raw, str) else raw


def escaped(text: str) -> str:
    """Text as XML can hold it: characters that it cannot are written as Excel writes them."""
    return _ESCAPE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def fingerprint(cells: Mapping[str, JsonScalar]) -> str:
    """Tells whether any cell of a row was changed; `cells` by their headers, blank ones or not."""
    compared = sorted(_compared(cells.items()))
    return hashlib.blake2b(orjson.dumps(compared), digest_size=8).hexdigest()


def _compared(cells: Iterable[tuple[str, JsonScalar]]) -> Iterable[tuple[str, str, str]]:
    for header, cell in cells:
        if isinstance(cell, str):
            text = _LINE_END.sub("\n", cell).strip()
            if text:
                yield header, "text", text
        elif cell is not None:
            kind = "truth" if isinstance(cell, bool) else "number"
            yield header, kind, f"{float(cell):.{_DIGITS}g}"
