"""Reads a mended workbook: the rows that a person changed, as a delta of the rows they were."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from onelead.mending import marks
from services.ingest.sources.cells import is_missing
from services.ingest.sources.files import rows_of
from services.ingest.sources.layout import Layout, find_layout, kind_by_name
from services.ingest.sources.record_ids import box_identity
from services.ingest.sources.tables import Sheet, SourceRow, SourceTable
from shared.errors import UserError
from shared.events import BatchMode, JsonScalar, RecordKind
from shared.rules.model import Reading, header_key

_KEYS = {header_key(name): name for name in (*marks.BEFORE, *marks.AFTER)}


_UNKNOWN = "the grey columns do not say which row of which import this is"


@dataclass(frozen=True)
class _Row:
    """A row of the workbook: which one it is, its cells, and whether a person changed any of them."""

    place: marks.Place
    fields: Mapping[str, JsonScalar]
    extra: Mapping[str, JsonScalar]
    is_mended: bool


@dataclass(frozen=True)
class MendedReader:
    """Reads mended workbooks for one tenant."""

    tenant_id: str

    def __call__(self, sheets: Sequence[Sheet], reading: Reading) -> list[SourceTable] | None:
        """The changed rows as tables of the files they came from; None for any other workbook.

        Raises UserError for a row that cannot be known again, or is another tenant's.
        """
        marked = [sheet for sheet in sheets if any(marks.is_marked(row) for row in sheet.head)]
        if not marked:
            return None
        tables, read = [], 0
        for sheet in marked:
            layout = find_layout(sheet, reading, kind_by_name(sheet.name))
            if layout is not None and layout.has_rows:
                rows = list(self._rows(sheet, layout))
                read += len(rows)
                tables += _tables([row for row in rows if row.is_mended], sheet, layout, reading)
        mended = sum(len(table.rows) for table in tables)
        note = f"{mended:,} of its {read:,} rows were mended; the others are left as they are"
        first, *others = tables or [_nothing(sheets[0].file)]
        return [replace(first, notes=(f"{sheets[0].file}: {note}",)), *others]

    def _rows(self, sheet: Sheet, layout: Layout) -> Iterator[_Row]:
        headers = _headers(sheet, layout)
        for data_row, fields, others in rows_of(sheet, layout):
            at = f"{sheet.file}, sheet {sheet.name!r}, row {layout.header_index + 1 + data_row}"
            ours = {_KEYS[header_key(n)]: v for n, v in others.items() if header_key(n) in _KEYS}
            extra = {n: v for n, v in others.items() if header_key(n) not in _KEYS}
            self._require_own(ours, at)
            cells = {**{headers[field]: cell for field, cell in fields.items()}, **extra}
            is_mended = marks.fingerprint(cells) != ours.get(marks.CHECK)
            yield _Row(_place(ours, at), fields, extra, is_mended)

    def _require_own(self, ours: Mapping[str, JsonScalar], at: str) -> None:
        tenant_id, _, batch_id = str(ours.get(marks.BATCH, "")).partition("/")
        if not batch_id:
            raise _unknown(at)
        if tenant_id != self.tenant_id:
            raise UserError(
                f"{at}: this row is tenant {tenant_id}'s, not {self.tenant_id}'s",
                hint=f"onelead import --tenant {tenant_id}",
            )


def _place(ours: Mapping[str, JsonScalar], at: str) -> marks.Place:
    row, data_row = ours.get(marks.ROW), ours.get(marks.DATA_ROW)
    if not isinstance(row, int | float) or not isinstance(data_row, int | float):
        raise _unknown(at)
    if not all(ours.get(name) for name in (marks.RECORD, marks.SOURCE, marks.CHECK)):
        raise _unknown(at)
    return marks.Place(
        source=str(ours[marks.SOURCE]),
        record_id=str(ours[marks.RECORD]),
        file=str(ours.get(marks.FILE, "")),
        sheet=str(ours.get(marks.SHEET, "")),
        row=int(row),
        data_row=int(data_row),
        outcome=str(ours.get(marks.OUTCOME, "")),
    )


def _tables(
    rows: Sequence[_Row], sheet: Sheet, layout: Layout, reading: Reading
) -> list[SourceTable]:
    """A table for each sheet that the rows came from: findings name the row where it stands there."""
    groups: dict[tuple[str, str, str, int], list[_Row]] = {}
    for row in rows:
        place = row.place
        came_from = (place.file, place.sheet, place.source, place.row - place.data_row + 1)
        groups.setdefault(came_from, []).append(row)
    return [
        SourceTable(
            file=file,
            sheet=tab,
            kind=layout.kind,
            first_row=first_row,
            headers=_headers(sheet, layout),
            rows=[SourceRow(r.place.data_row, r.place.record_id, r.fields, r.extra) for r in found],
            mode=BatchMode.DELTA,
            source=source,
            gone=tuple(_gone(found, reading)) if layout.kind is RecordKind.INSTALL_BASE else (),
        )
        for (file, tab, source, first_row), found in groups.items()
    ]


def _gone(rows: Sequence[_Row], reading: Reading) -> Iterator[str]:
    """Boxes that were used under another identity: with its serial number mended, a box is another.

    A quarantined row never was a box of its own; its serial number belongs to the row that was kept.
    """
    missing = {word.casefold() for word in reading.missing_values}
    for row in rows:
        serial = row.fields.get("serial_number")
        identity = box_identity(
            None if is_missing(serial, missing) else serial, row.place.record_id
        )
        if row.place.outcome == "degraded" and identity != row.place.record_id:
            yield row.place.record_id


def _headers(sheet: Sheet, layout: Layout) -> dict[str, str]:
    header = sheet.head[layout.header_index]
    return {field: str(header[column]).strip() for field, column in layout.columns.items()}


def _nothing(file: str) -> SourceTable:
    """Stands for a workbook none of whose rows was changed."""
    return SourceTable(file, "", RecordKind.PROJECT, 2, {}, [], BatchMode.DELTA, source=file)


def _unknown(at: str) -> UserError:
    hint = "leave them as they were exported; new rows belong into a file of their own"
    return UserError(f"{at}: {_UNKNOWN}", hint=hint)
