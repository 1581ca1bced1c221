"""Reads the files a person names into tables of known kinds, or says which file is at fault and why."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from services.ingest.sources.catalogue import fill_down
from services.ingest.sources.csv_export import read_csv
from services.ingest.sources.layout import Layout, any_filled, find_layout, unknown_layout
from services.ingest.sources.preflight import is_zip
from services.ingest.sources.record_ids import RecordIds
from services.ingest.sources.tables import Cells, Sheet, SourceRow, SourceTable
from services.ingest.sources.workbook import read_workbook
from shared.errors import UserError
from shared.events import BatchMode, JsonScalar, RecordKind
from shared.rules.model import Reading, Rules

_WORKBOOKS = (".xlsx", ".xlsm")
_TEXTS = (".csv", ".tsv", ".txt")
Fields = dict[str, JsonScalar]
_IdsByKind = dict[RecordKind, RecordIds]


def read_files(
    paths: Sequence[Path], rules: Rules, kinds: Mapping[Path, RecordKind] | None = None
) -> list[SourceTable]:
    """The tables of workbooks and CSV files, in their order; `kinds` says what a file must be.

    Raises UserError that names the file, sheet or column at fault; then nothing was read.
    """
    ids: _IdsByKind = {kind: RecordIds(kind, rules.reading.missing_values) for kind in RecordKind}
    tables: list[SourceTable] = []
    for path in paths:
        kind = (kinds or {}).get(path)
        try:
            tables += _read_file(path, rules.reading, kind, ids)
        except OSError as error:
            raise UserError(
                f"{path}: the file cannot be read: {error.strerror or error}",
                hint="check the path and the permissions",
            ) from error
    return tables


def _read_file(
    path: Path, reading: Reading, kind: RecordKind | None, ids: _IdsByKind
) -> list[SourceTable]:
    suffix = path.suffix.lower()
    if path.is_dir() or (suffix not in (*_WORKBOOKS, *_TEXTS) and path.exists()):
        raise UserError(
            f"{path}: not a file that OneLead reads",
            hint=f"give files that end with {', '.join((*_WORKBOOKS, *_TEXTS))}",
        )
    if suffix in _WORKBOOKS or is_zip(path):
        return _tables(read_workbook(path), BatchMode.SNAPSHOT, reading, kind, ids)
    return _tables([read_csv(path, reading)], BatchMode.DELTA, reading, kind, ids)


def _tables(
    sheets: list[Sheet],
    mode: BatchMode,
    reading: Reading,
    kind: RecordKind | None,
    ids: _IdsByKind,
) -> list[SourceTable]:
    """The sheets that are known; others are passed over, but named in a note."""
    wanted = kind if len(sheets) == 1 else None
    layouts = [(sheet, find_layout(sheet, reading, wanted)) for sheet in sheets]
    known = [(sheet, found) for sheet, found in layouts if found and kind in (None, found.kind)]
    if not known:
        raise unknown_layout(sheets, reading, (kind,) if kind else tuple(RecordKind))
    tables = [_table(sheet, layout, mode, reading, ids) for sheet, layout in known]
    names = {sheet.name for sheet, _ in known}
    passed = [sheet.name for sheet in sheets if sheet.name not in names]
    notes = tuple(
        f"{sheets[0].file}: sheet {name!r} is none that OneLead knows; it was passed over"
        for name in passed
    )
    return [replace(tables[0], notes=notes), *tables[1:]]


def _table(
    sheet: Sheet, layout: Layout, mode: BatchMode, reading: Reading, ids: _IdsByKind
) -> SourceTable:
    header = sheet.rows[layout.header_index]
    return SourceTable(
        file=sheet.file,
        sheet=sheet.name,
        kind=layout.kind,
        first_row=layout.header_index + 2,
        headers={field: str(header[column]) for field, column in layout.columns.items()},
        rows=list(_rows(sheet, layout, reading, ids[layout.kind])),
        mode=mode,
    )


def _rows(sheet: Sheet, layout: Layout, reading: Reading, ids: RecordIds) -> Iterator[SourceRow]:
    """The rows below the header; blank ones are passed over, but counted."""
    names = _extra_names(sheet.rows[layout.header_index], layout)
    below = enumerate(sheet.rows[layout.header_index + 1 :], start=1)
    read = [(row, *_split(cells, layout, names)) for row, cells in below if any_filled(cells)]
    values: Iterable[Fields] = (fields for _, fields, _ in read)
    if layout.kind is RecordKind.CATALOGUE:
        values = fill_down(values, {word.casefold() for word in reading.missing_values})
    for (row, _, extra), fields in zip(read, values, strict=True):
        yield SourceRow(row, ids.of(row, fields), fields, extra)


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
