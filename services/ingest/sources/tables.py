"""What a file holds once it is read: plain sheets of cells, and tables whose columns are known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.events import BatchMode, BatchPart, JsonScalar, RecordKind

Cells = Sequence[JsonScalar]


@dataclass(frozen=True)
class Sheet:
    """The cells of a sheet as its file has them; `rows[0]` is row 1 of the file."""

    file: str
    name: str
    rows: Sequence[Cells]


@dataclass(frozen=True)
class SourceRow:
    """A row under canonical field names; `row` is its 1-based data row, blank rows counted."""

    row: int
    record_id: str
    values: Mapping[str, JsonScalar]
    extra: Mapping[str, JsonScalar]


@dataclass(frozen=True)
class SourceTable:
    """A sheet or CSV file whose kind is known.

    `first_row`: the row in the file of data row 1. `headers`: canonical field → spelling in the
    file. `mode`: what such a file means by itself. `notes`: what a person should know about the
    file, on the first of its tables.
    """

    file: str
    sheet: str
    kind: RecordKind
    first_row: int
    headers: Mapping[str, str]
    rows: Sequence[SourceRow]
    mode: BatchMode = BatchMode.SNAPSHOT
    notes: tuple[str, ...] = ()

    def part(self, source: str, mode: BatchMode | None = None) -> BatchPart:
        """The table as a part of a batch; without a mode, with the file's own."""
        return BatchPart(
            kind=self.kind,
            source=source,
            mode=mode or self.mode,
            file=self.file,
            sheet=self.sheet,
            first_row=self.first_row,
            headers=dict(self.headers),
        )
