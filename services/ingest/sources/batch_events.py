"""Turns tables into the events of one batch: opened, every row observed, completed."""

from collections.abc import Iterator, Sequence

from services.ingest.sources.tables import SourceRow, SourceTable
from shared.events import Actor, BatchCompleted, BatchMode, BatchOpened, Event, RecordObserved


def to_events(
    tables: Sequence[SourceTable],
    source: str,
    mode: BatchMode | None,
    batch_id: str,
    actor: Actor,
) -> Iterator[Event]:
    """The events of a batch, in the order in which they must be sent.

    Without a mode each file has its own: a workbook is a snapshot, a CSV file a delta.
    """
    parts = tuple(table.part(source, mode) for table in tables)
    yield BatchOpened(batch_id=batch_id, parts=parts, actor=actor)
    for part, table in enumerate(tables):
        for row in table.rows:
            event = observed(table, row, source, part)
            yield event.model_copy(update={"batch_id": batch_id, "actor": actor})
    count = sum(len(table.rows) for table in tables)
    yield BatchCompleted(batch_id=batch_id, count=count, actor=actor)


def observed(table: SourceTable, row: SourceRow, source: str, part: int = 0) -> RecordObserved:
    """A row of a table as the event that tells of it."""
    return RecordObserved(
        kind=table.kind,
        source=table.source or source,
        record_id=row.record_id,
        values=dict(row.values),
        extra=dict(row.extra),
        part=part,
        row=row.row,
    )
