"""Recognises a sheet by its header row, and refuses one that lacks what it needs (rules.md §1)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from services.ingest.sources.tables import Cells, Sheet
from shared.errors import UserError
from shared.events import RecordKind
from shared.rules.model import Reading, header_key

_CLEARLY_MATCHED = 5
_HEADERS_SHOWN = 20
_SHEET_NAMES = {
    RecordKind.INSTALL_BASE: ("installbase", "installedbase"),
    RecordKind.OPPORTUNITY: ("opportunities", "opportunity"),
    RecordKind.PROJECT: ("projects", "project"),
    RecordKind.CATALOGUE: ("catalogue", "catalog", "lssku", "sku", "skus"),
}
NAMES = {
    RecordKind.INSTALL_BASE: "install base",
    RecordKind.OPPORTUNITY: "opportunities",
    RecordKind.PROJECT: "projects",
    RecordKind.CATALOGUE: "service catalogue",
}
"""The kinds as a person calls them."""


@dataclass(frozen=True)
class Layout:
    """A header row read as one kind: the column of each field, and the needed ones it lacks.

    `rivals`: fields that several headers name, with their columns, the one that is read first.
    `has_rows`: whether anything stands below the headers.
    """

    kind: RecordKind
    header_index: int
    columns: Mapping[str, int]
    missing: tuple[str, ...]
    needed: int
    rivals: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    has_rows: bool = True

    @property
    def is_recognisable(self) -> bool:
        """Whether the sheet is clearly of this kind, even if a needed column is missing."""
        has = self.needed - len(self.missing)
        return has * 2 > self.needed or (has > 0 and len(self.columns) >= _CLEARLY_MATCHED)


def find_layout(sheet: Sheet, reading: Reading, kind: RecordKind | None = None) -> Layout | None:
    """The layout of a sheet, or None when it is none of ours; `kind` says what it must be.

    Raises UserError for a sheet that is one of ours, by its name, its headers or `kind`, but has no
    header row that is known, or lacks a needed column, or has one header twice.
    """
    kind = kind or kind_by_name(sheet.name)
    if not any(any_filled(row) for row in sheet.rows):
        return None if kind is None else Layout(kind, 0, {}, (), 0, has_rows=False)
    layouts = _layouts(sheet, reading, RecordKind if kind is None else (kind,))
    best = max(layouts, key=_fitness, default=None)
    if best is None or not (best.is_recognisable or (kind and best.columns)):
        if kind is None:
            return None
        raise unknown_layout([sheet], reading, (kind,))
    if best.missing:
        raise _lacking(sheet, best, reading)
    _require_no_twins(sheet, best)
    has_rows = any(any_filled(row) for row in sheet.below(best.header_index))
    return replace(best, has_rows=has_rows)


def rival_notes(sheet: Sheet, layout: Layout) -> Iterator[str]:
    """What to tell of headers that name the same field: which column is read, which are kept aside."""
    header = sheet.head[layout.header_index] if layout.rivals else ()
    for name, (used, *others) in layout.rivals.items():
        aside = ", ".join(_column(header, column) for column in others)
        yield (
            f"{sheet.file}, sheet {sheet.name!r}: {_column(header, used)} is read as {name}; "
            f"{aside} would mean the same and is kept aside"
        )


def no_rows(sheet: Sheet, layout: Layout) -> str:
    """What to tell of a sheet of a known kind that holds nothing."""
    return (
        f"{sheet.file}, sheet {sheet.name!r}: there are no {NAMES[layout.kind]} rows in it; "
        "nothing was read from it, and nothing is removed because of it"
    )


def known_columns(sheet: Sheet, reading: Reading) -> int:
    """How many columns of the sheet's best header row are known."""
    layouts = _layouts(sheet, reading, RecordKind)
    return max((len(layout.columns) for layout in layouts), default=0)


def kind_by_name(name: str) -> RecordKind | None:
    """The kind that a sheet's name stands for."""
    key = header_key(name)
    return next((kind for kind, names in _SHEET_NAMES.items() if key in names), None)


def unknown_layout(
    sheets: list[Sheet], reading: Reading, kinds: tuple[RecordKind, ...] = tuple(RecordKind)
) -> UserError:
    """The refusal of sheets none of which is known: headers found, headers looked for."""
    found = "; ".join(f"sheet {sheet.name!r}: {_shown(_first_filled(sheet))}" for sheet in sheets)
    looked_for = "; ".join(
        f"{NAMES[kind]}: {', '.join(_spelling(reading, kind, f) for f in _needed(reading, kind))}"
        for kind in kinds
    )
    return UserError(
        f"{sheets[0].file}: no sheet has columns that OneLead knows. Found: {found}. "
        f"Looked for: {looked_for}.",
        hint="rename the headers, or add your spellings under reading.columns in a rules file",
    )


def _layouts(sheet: Sheet, reading: Reading, kinds: Iterable[RecordKind]) -> Iterator[Layout]:
    for kind in kinds:
        fields = {
            header_key(spelling): (name, rank)
            for name, spellings in reading.columns[kind].items()
            for rank, spelling in enumerate(spellings)
        }
        for index, row in enumerate(sheet.head):
            places = _places(row, fields)
            needed = _needed(reading, kind)
            missing = tuple(name for name in needed if name not in places)
            columns = {name: found[0] for name, found in places.items()}
            rivals = {name: found for name, found in places.items() if len(found) > 1}
            if columns:
                yield Layout(kind, index, columns, missing, len(needed), rivals)


def _places(row: Cells, fields: Mapping[str, tuple[str, int]]) -> dict[str, tuple[int, ...]]:
    """Field → its columns. Where two headers mean one field, the spelling listed first wins."""
    places: dict[str, list[tuple[int, int]]] = {}
    for column, cell in enumerate(row):
        known = fields.get(header_key(cell)) if isinstance(cell, str) else None
        if known is not None:
            name, rank = known
            places.setdefault(name, []).append((rank, column))
    return {name: tuple(column for _, column in sorted(found)) for name, found in places.items()}


def _require_no_twins(sheet: Sheet, layout: Layout) -> None:
    """Two columns under one header: nothing says which of them is meant."""
    header = sheet.head[layout.header_index]
    for name, (used, second, *_) in layout.rivals.items():
        if header_key(str(header[used])) == header_key(str(header[second])):
            both = f"{_column(header, used)} and {_column(header, second)}"
            raise _refused(sheet, f"{both} have the same header; which of them is the {name}?")


def _column(header: Cells, column: int) -> str:
    """A column as a spreadsheet names it, with its header: column AB 'Amount'."""
    letters, number = "", column + 1
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"column {letters} {str(header[column]).strip()[:40]!r}"


def _fitness(layout: Layout) -> tuple[bool, int, int]:
    return not layout.missing, len(layout.columns), -layout.header_index


def _needed(reading: Reading, kind: RecordKind) -> tuple[str, ...]:
    return reading.required_columns.get(kind, ())


def _spelling(reading: Reading, kind: RecordKind, field: str) -> str:
    return reading.columns[kind][field][0]


def _lacking(sheet: Sheet, layout: Layout, reading: Reading) -> UserError:
    kind = layout.kind
    wanted = "; ".join(
        f"{name} (known as {', '.join(reading.columns[kind][name][:4])}, …)"
        for name in layout.missing
    )
    found = _shown(sheet.head[layout.header_index])
    return _refused(
        sheet,
        f"read as {NAMES[kind]}, but a needed column is missing: {wanted}. "
        f"Headers found in row {layout.header_index + 1}: {found}",
    )


def _refused(sheet: Sheet, fault: str) -> UserError:
    return UserError(
        f"{sheet.file}, sheet {sheet.name!r}: {fault}.",
        hint="nothing was read; mend the file, or add your spelling under reading.columns in a "
        "rules file",
    )


def any_filled(row: Cells) -> bool:
    """Whether a row has a cell that is not blank."""
    return any(cell not in (None, "") for cell in row)


def _first_filled(sheet: Sheet) -> Cells:
    """The row that looks most like a header: of the first rows the one with most text."""
    return max(
        sheet.head, key=lambda row: sum(isinstance(c, str) and bool(c) for c in row), default=()
    )


def _shown(row: Cells) -> str:
    headers = [" ".join(str(cell).split())[:40] for cell in row if cell not in (None, "")]
    more = f", and {len(headers) - _HEADERS_SHOWN} more" if len(headers) > _HEADERS_SHOWN else ""
    return (", ".join(headers[:_HEADERS_SHOWN]) + more) or "nothing"
