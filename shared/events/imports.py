"""Progress and report of an import, published by ingest on `onelead.imports.v1`."""

from typing import ClassVar

from shared.events.base import Event, JsonScalar, OpenEnum, Value


class ImportPhase(OpenEnum):
    """Where an import stands."""

    RECEIVING = "receiving"
    APPLYING = "applying"
    DERIVING = "deriving"
    COMPLETED = "completed"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Finding(Value):
    """One thing wrong with one cell or row, named as a person finds it in the file.

    `outcome` is `degraded` (the row is used without the value), `quarantined` (not used) or `noted`
    (used as it stands). `reason` is the same for all rows with this fault, `detail` is of this row.
    """

    file: str
    sheet: str
    row: int
    column: str | None
    raw_value: JsonScalar
    reason: str
    outcome: str
    detail: str = ""


class FindingGroup(Value):
    """Findings that say the same of the same column of a sheet: how many, and the first of them."""

    count: int
    first: Finding


class RowCounts(Value):
    """Rows of one kind: read = used + quarantined; degraded ones are among the used."""

    kind: str
    read: int = 0
    used: int = 0
    degraded: int = 0
    quarantined: int = 0


class ImportProgressed(Event):
    """A batch moved on. On completion `rows` and `findings` are the report.

    `findings` holds the first of them; `findings_total` says how many there are. `finding_groups`
    holds all of them, grouped, the commonest first (at most 100 groups).
    """

    event_type: ClassVar[str] = "com.onelead.import.progressed.v1"

    batch_id: str
    phase: ImportPhase
    done: int = 0
    total: int | None = None
    rows: tuple[RowCounts, ...] = ()
    findings: tuple[Finding, ...] = ()
    findings_total: int = 0
    finding_groups: tuple[FindingGroup, ...] = ()
    leads_open: int | None = None
    detail: str | None = None
