"""Reads the files a person names into tables of known kinds, or says which file is at fault and why."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import tee
from pathlib import Path

from services.ingest.sources.catalogue import fill_down
from services.ingest.sources.csv_export import read_csv
from services.ingest.sources.layout import (
    Layout,
    any_filled,
    find_layout,
    no_rows,
    rival_notes,
    unknown_layout,
)
from services.ingest.sources.preflight import is_zip
from services.ingest.sources.record_ids import RecordIds
from services.ingest.sources.tables import MAX_ROW_CHARS, Cells, Sheet, SourceRow, SourceTable
from services.ingest.sources.workbook import read_workbook
from shared.errors import UserError
from shared.events import BatchMode, JsonScalar, RecordKind
from shared.rules.model import Reading, Rules

_WORKBOOKS = (".xlsx", ".xlsm")
_TEXTS = (".csv", ".tsv", ".txt")
Fields = dict[str, JsonScalar]
_RowReader = Callable[[Sheet, Layout], Sequence[SourceRow]]
OwnReader = Callable[[Sequence[Sheet], Reading], list[SourceTable] | None]
"""Reads the sheets of a file that has a layout of its own; None when it is no such file."""


def read_files(
    paths: Sequence[Path],
    rules: Rules,
    kinds: Mapping[Path, RecordKind] | None = None,
    own_reader: OwnReader = lambda _sheets, _reading: None,
    collect: Callable[[Iterator[SourceRow]], Sequence[SourceRow]] = list,
) -> list[SourceTable]:
    """The tables of workbooks and CSV files, in their order; `kinds` says what a file must be.

    `own_reader` is asked first about each file. Raises UserError that names the file, sheet or
    column at fault; then nothing was read. `collect` may leave rows to be read later, in order.
    """
    ids = {kind: RecordIds(kind, rules.reading.missing_values) for kind in RecordKind}

    def rows(sheet: Sheet, found: Layout) -> Sequence[SourceRow]:
        return collect(_rows(sheet, found, rules.reading, ids[found.kind]))

    tables: list[SourceTable] = []
    for path in paths:
        kind = (kinds or {}).get(path)
        try:
            sheets, mode = _read_file(path, rules.reading)
            own = own_reader(sheets, rules.reading)
            tables += own if own is not None else _tables(sheets, mode, rules.reading, kind, rows)
        except OSError as error:
            raise UserError(
                f"{path}: the file cannot be read: {error.strerror or error}",
                hint="check the path and the permissions",
            ) from error
    return tables


def _read_file(path: Path, reading: Reading) -> tuple[list[Sheet], BatchMode]:
    if path == Path():
        raise UserError("no file is named", hint="give workbooks (.xlsx) or CSV files")
    suffix = path.suffix.lower()
    known = path.is_file() and suffix in (*_WORKBOOKS, *_TEXTS)
    if path.exists() and not known:
        raise UserError(
            f"{path}: not a file that OneLead reads",
            hint=f"give files that end with {', '.join((*_WORKBOOKS, *_TEXTS))}",
        )
    if suffix in _WORKBOOKS or is_zip(path):
        return read_workbook(path), BatchMode.SNAPSHOT
    return [read_csv(path, reading)], BatchMode.DELTA


def _tables(
    sheets: list[Sheet],
    mode: BatchMode,
    reading: Reading,
    kind: RecordKind | None,
    rows: _RowReader,
) -> list[SourceTable]:
    """The sheets that are known and hold rows; others are passed over, but named in a note."""
    wanted = kind if len(sheets) == 1 else None
    layouts = [(sheet, find_layout(sheet, reading, wanted)) for sheet in sheets]
    known = [(sheet, found) for sheet, found in layouts if found and kind in (None, found.kind)]
    if not known:
        raise unknown_layout(sheets, reading, (kind,) if kind else tuple(RecordKind))
    tables = [_table(sheet, found, mode, rows) for sheet, found in known if found.has_rows]
    notes = tuple(_notes(sheets, known))
    if not tables:
        raise UserError("; ".join(notes), hint="export it again; as it is, it holds nothing")
    return [replace(tables[0], notes=notes), *tables[1:]]


def _notes(sheets: list[Sheet], known: list[tuple[Sheet, Layout]]) -> Iterator[str]:
    names = {sheet.name for sheet, _ in known}
    for sheet in sheets:
        if sheet.name not in names:
            passed = f"sheet {sheet.name!r} is none that OneLead knows"
            yield f"{sheet.file}: {passed}; it was passed over"
    for sheet, layout in known:
        yield from rival_notes(sheet, layout) if layout.has_rows else [no_rows(sheet, layout)]


def _table(sheet: Sheet, layout: Layout, mode: BatchMode, rows: _RowReader) -> SourceTable:
    header = sheet.head[layout.header_index]
    return SourceTable(
        file=sheet.file,
        sheet=sheet.name,
        kind=layout.kind,
        first_row=layout.header_index + 2,
        headers={field: str(header[column]) for field, column in layout.columns.items()},
        rows=rows(sheet, layout),
        mode=mode,
    )


def _rows(sheet: Sheet, layout: Layout, reading: Reading, ids: RecordIds) -> Iterator[SourceRow]:
    """The rows below the header; blank ones are passed over, but counted."""
    read, again = tee(rows_of(sheet, layout))
    values: Iterable[Fields] = (fields for _, fields, _ in again)
    if layout.kind is RecordKind.CATALOGUE:
        values = fill_down(values, {word.casefold() for word in reading.missing_values})
    for (row, _, extra), fields in zip(read, values, strict=True):
        yield SourceRow(row, ids.of(row, fields), fields, extra)


def rows_of(sheet: Sheet, layout: Layout) -> Iterator[tuple[int, Fields, Fields]]:
    """(data row, cells under canonical names, cells of unknown columns) of the rows that hold any.

    Raises UserError for a row that is too large to be sent.
    """
    names = _extra_names(sheet.head[layout.header_index], layout)
    for row, cells in enumerate(sheet.below(layout.header_index), start=1):
        if sum(len(cell) for cell in cells if isinstance(cell, str)) > MAX_ROW_CHARS:
            place = f"{sheet.file}, sheet {sheet.name!r}, row {layout.header_index + 1 + row}"
            fault = f"{place}: a row of more than {MAX_ROW_CHARS:,} characters"
            raise UserError(fault, hint="shorten its cells")
        if any_filled(cells):
            yield row, *_split(cells, layout, names)


def _split(cells: Cells, layout: Layout, names: Mapping[int, str]) -> tuple[Fields, Fields]:
    """The cells of a row under canonical names, and those of unknown columns under their own."""
    fields: Fields = {
        field: cells[column]
        for field, column in layout.columns.items()
        if column < len(cells) and cells[column] not in (None, "")
    }
    known = set(layout.columns.values())
    extra: Fields = {
        names.get(column, f"column {column + 1}"): cell
        for column, cell in enumerate(cells)
        if column not in known and cell not in (None, "")
    }
    return fields, extra


def _extra_names(header: Cells, layout: Layout) -> dict[int, str]:
    """The names of the unknown columns; a name that comes again gets its column's number."""
    names: dict[int, str] = {}
    for column, cell in enumerate(header):
        if cell not in (None, "") and column not in layout.columns.values():
            name = str(cell).strip()
            names[column] = f"{name} (column {column + 1})" if name in names.values() else name
    return names
