"""What a tenant writes on `onelead.records.v1.<tenant>`: batches of rows, and single changes."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from shared.events.base import Event, JsonScalar, Value

_IN_64_BITS = range(-(2**63), 2**64)
Place = Annotated[int, Field(ge=0, lt=2**40)]
"""A row's number, or how many there are."""


class RecordKind(StrEnum):
    """The four kinds of rows OneLead reads."""

    INSTALL_BASE = "install_base"
    OPPORTUNITY = "opportunity"
    PROJECT = "project"
    CATALOGUE = "catalogue"


class BatchMode(StrEnum):
    """A snapshot replaces what its source held of a kind; a delta adds and changes."""

    SNAPSHOT = "snapshot"
    DELTA = "delta"


class BatchPart(Value):
    """One sheet (or CSV file) of a batch.

    `first_row` is the row number, as a person sees it in the file, of data row 1; `headers` maps
    canonical field names to the spelling in the file, so that a finding can name the column.
    """

    kind: RecordKind
    source: str
    mode: BatchMode
    file: str
    sheet: str
    first_row: Place
    headers: dict[str, str]


class BatchOpened(Event):
    """An import begins. One batch may hold several parts: what belongs together is derived together."""

    event_type: ClassVar[str] = "com.onelead.batch.opened.v1"

    batch_id: str
    parts: tuple[BatchPart, ...]


class RecordObserved(Event):
    """A row as its source holds it: raw values under canonical field names, unknown columns beside.

    Inside a batch `row` is the 1-based data row of its part (`part` its index); a single change
    has no batch and sends an increasing `version`.
    """

    event_type: ClassVar[str] = "com.onelead.record.observed.v1"

    kind: RecordKind
    source: str
    record_id: str
    values: dict[str, JsonScalar]
    extra: dict[str, JsonScalar] = Field(default_factory=dict)
    batch_id: str | None = None
    part: Annotated[int, Field(ge=0, lt=2**15)] = 0
    row: Place = 0

    @field_validator("values", "extra")
    @classmethod
    def _storable(cls, cells: dict[str, JsonScalar]) -> dict[str, JsonScalar]:
        """A whole number that 64 bits cannot hold is kept as text: a database would round it."""
        if all(type(cell) is not int or cell in _IN_64_BITS for cell in cells.values()):
            return cells
        return {
            name: str(cell) if type(cell) is int and cell not in _IN_64_BITS else cell
            for name, cell in cells.items()
        }


class RecordRemoved(Event):
    """A row its source no longer holds; a single change, with an increasing `version`."""

    event_type: ClassVar[str] = "com.onelead.record.removed.v1"

    kind: RecordKind
    source: str
    record_id: str


class BatchCompleted(Event):
    """The batch was sent whole: `count` rows over all parts. Only now is anything derived from it."""

    event_type: ClassVar[str] = "com.onelead.batch.completed.v1"

    batch_id: str
    count: Place
