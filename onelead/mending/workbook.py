"""Writes flawed rows as a workbook: a sheet for each kind, what is wrong beside, the cells marked."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import WorkbookAlreadySaved

from onelead.mending import marks
from onelead.mending.store import FlawedColumns, FlawedRow
from shared.errors import UserError
from shared.events import BatchPart, Finding, JsonScalar, RecordKind
from shared.rules.load import default_rules
from shared.rules.reading import FIELDS

_MAX_ROWS = 1_000_000
_AT_FAULT = PatternFill("solid", fgColor="FFF2CC")
_OURS = PatternFill("solid", fgColor="E7E6E6")
_HEADING = Font(bold=True)
_FORMULA_BEGINS = ("=", "+", "-", "@")
_HOW_TO = (
    "These rows of an import were quarantined (not used) or degraded (used without a value).",
    "Column 'OneLead reason' says why; cells at fault are yellow.",
    "Mend the cells and import this file: onelead import THIS-FILE. Only rows that you changed are",
    "taken, as changes of the rows they were; all others, here and in OneLead, stay as they are.",
    "Leave the grey columns alone. Rows and columns may be deleted, sorted and hidden, not added.",
)


@dataclass(frozen=True)
class _Layout:
    """The columns of a sheet between ours: canonical field → header, then unknown columns."""

    fields: Mapping[str, str]
    extra: Mapping[str, str]


class MendWorkbook:
    """A workbook that is written row by row; nothing is at its place before `save`.

    As a context it ends its sheets when it is not saved: openpyxl would print tracebacks.
    """

    def __init__(self, tenant_id: str, batch_id: str, parts: Iterable[BatchPart]) -> None:
        self._batch = f"{tenant_id}/{batch_id}"
        self._parts = tuple(parts)
        self._book = Workbook(write_only=True)
        self._sheets: dict[RecordKind, Any] = {}
        self._layouts: dict[RecordKind, _Layout] = {}
        self._rows: dict[RecordKind, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        for sheet in self._book.worksheets:
            with suppress(WorkbookAlreadySaved):
                sheet.close()

    @property
    def rows(self) -> int:
        """How many rows were added."""
        return sum(self._rows.values())

    def begin(self, kind: RecordKind, columns: FlawedColumns) -> None:
        """A sheet for the rows of a kind."""
        layout = _layout(kind, columns, self._parts)
        sheet = self._book.create_sheet(marks.SHEET_NAMES[kind])
        names = [*layout.fields.values(), *layout.extra.values()]
        sheet.freeze_panes = "C2"
        for column, width in enumerate((14, 60, 24, 16, 8, *(18 for _ in names)), start=1):
            sheet.column_dimensions[get_column_letter(column)].width = width
        sheet.append(
            [
                *(_cell(sheet, name, fill=_OURS, font=_HEADING) for name in marks.BEFORE),
                *(_cell(sheet, name, font=_HEADING) for name in names),
                *(_cell(sheet, name, fill=_OURS, font=_HEADING) for name in marks.AFTER),
            ]
        )
        self._sheets[kind], self._layouts[kind], self._rows[kind] = sheet, layout, 0

    def add(self, row: FlawedRow) -> None:
        """A row of a kind that was begun. Raises UserError for more than a sheet can hold."""
        self._rows[row.kind] += 1
        if self._rows[row.kind] > _MAX_ROWS:
            raise UserError(
                f"more than {_MAX_ROWS:,} rows are flawed: a workbook cannot hold them",
                hint="`onelead imports show` says what most of them lack; mend it at the source",
            )
        layout, sheet = self._layouts[row.kind], self._sheets[row.kind]
        cells = _cells(row, layout)
        at_fault = {finding.column for finding in row.findings}
        first = row.part.first_row if row.part else 1
        file, tab = (row.part.file, row.part.sheet) if row.part else ("", "")
        before = (row.outcome, _reason(row.findings), file, tab, first + row.data_row - 1)
        after = (row.record_id, row.source, self._batch, row.data_row, marks.fingerprint(cells))
        sheet.append(
            [
                *(_cell(sheet, value) for value in before),
                *(
                    _cell(sheet, value, fill=_AT_FAULT if header in at_fault else None)
                    for header, value in cells.items()
                ),
                *(_cell(sheet, value) for value in after),
            ]
        )

    def save(self, path: Path) -> None:
        """Writes the file, with a page that says how to mend. Raises OSError."""
        page = self._book.create_sheet("Read me")
        page.column_dimensions["A"].width = 110
        for line in _HOW_TO:
            page.append([line])
        self._book.save(path)


def _layout(kind: RecordKind, columns: FlawedColumns, parts: Iterable[BatchPart]) -> _Layout:
    """The headers of the files, in the order of FIELDS; the usual ones for what files did not name."""
    reading = default_rules().reading
    known: dict[str, str] = {}
    for part in parts:
        if part.kind is kind:
            known = {**part.headers, **known}
    wanted = {*known, *columns.values, *reading.required_columns.get(kind, ())}
    fields = {
        field: known.get(field, reading.columns[kind][field][0]).strip()
        for field in FIELDS[kind.value]
        if field in wanted
    }
    taken = set(fields.values())
    extra = {name: f"{name} (kept aside)" if name in taken else name for name in columns.extra}
    ours = {*marks.BEFORE, *marks.AFTER}
    return _Layout(fields, {name: shown for name, shown in extra.items() if name not in ours})


def _cells(row: FlawedRow, layout: _Layout) -> dict[str, JsonScalar]:
    """The row's raw cells by header, as they will be read again."""
    return {
        **{header: marks.shown(row.values.get(field)) for field, header in layout.fields.items()},
        **{header: marks.shown(row.extra.get(name)) for name, header in layout.extra.items()},
    }


def _reason(findings: Iterable[Finding]) -> str:
    return "; ".join(
        (f"{each.column}: " if each.column else "")
        + each.reason
        + (f" ({each.detail})" if each.detail else "")
        for each in findings
    )


def _cell(
    sheet: Any, value: JsonScalar, *, fill: PatternFill | None = None, font: Font | None = None
) -> object:
    """A value as a cell that is never calculated, whatever it begins with."""
    if not isinstance(value, str) and fill is None:
        return value
    cell = WriteOnlyCell(sheet)
    if isinstance(value, str):
        cell.value = marks.escaped(value)
        cell.data_type = "s"
        cell.quotePrefix = value.startswith(_FORMULA_BEGINS)
    else:
        cell.value = value
    if fill is not None:
        cell.fill = fill
    if font is not None:
        cell.font = font
    return cell
