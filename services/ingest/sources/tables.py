"""What a file holds once it is read: plain sheets of cells, and tables whose columns are known."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from shared.events import BatchMode, BatchPart, JsonScalar, RecordKind

Cells = Sequence[JsonScalar]

MAX_ROW_CHARS = 200_000
"""Of a row with all its cells: what is sent of it must fit into one message."""
_HEAD_ROWS = 20


@dataclass(frozen=True)
class Sheet:
    """The cells of a sheet as its file has them, from row 1 of the file; `rows` can be read again."""

    file: str
    name: str
    rows: Iterable[Cells]

    @property
    def head(self) -> list[Cells]:
        """The first rows, among which the headers stand."""
        return list(islice(self.rows, _HEAD_ROWS))

    def below(self, index: int) -> Iterator[Cells]:
        """The rows after the one with this index."""
        return islice(self.rows, index + 1, None)


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
    file, on the first of its tables. `source`: where the rows came from at first, if the file says
    it; such a table adds and changes, and never replaces. `gone`: records that its rows were, and
    are no more.
    """

    file: str
    sheet: str
    kind: RecordKind
    first_row: int
    headers: Mapping[str, str]
    rows: Sequence[SourceRow]
    mode: BatchMode = BatchMode.SNAPSHOT
    notes: tuple[str, ...] = ()
    source: str = ""
    gone: tuple[str, ...] = ()

    def part(self, source: str, mode: BatchMode | None = None) -> BatchPart:
        """The table as a part of a batch; without a mode, with the file's own."""
        return BatchPart(
            kind=self.kind,
            source=self.source or source,
            mode=BatchMode.DELTA if self.source else mode or self.mode,
            file=self.file,
            sheet=self.sheet,
            first_row=self.first_row,
            headers=dict(self.headers),
        )
