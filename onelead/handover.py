"""From files to a batch on its way: reads them by the tenant's column map, makes the messages in order.

A workbook of flawed rows that a person mended becomes a delta of just those rows.
"""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from onelead.importing import Handover
from onelead.mending.reading import MendedReader
from onelead.rules_in_force import rules_of
from services.ingest.sources.batch_events import to_events
from services.ingest.sources.files import read_files
from services.ingest.sources.tables import SourceTable
from shared import clock
from shared.events import Actor, BatchMode, RecordKind, RecordObserved, RecordRemoved
from shared.messaging.codec import OutboxMessage, encode
from shared.ops.tracing import next_traceparent
from shared.topics import RECORDS

DEFAULT_SOURCE = "export"
"""Snapshots of one source replace each other, whatever their files are called."""

_ACTOR = Actor(kind="command", id="onelead import")


@dataclass(frozen=True)
class FileBatch:
    """Which files to hand over, for whom, and what they mean."""

    tenant_id: str
    files: Sequence[Path]
    source: str = DEFAULT_SOURCE
    mode: BatchMode | None = None
    kind: RecordKind | None = None


async def read_batch(bootstrap: str, wanted: FileBatch) -> tuple[Handover, Sequence[str]]:
    """The files as one batch, and what a person should know about them; without messages when there is
    nothing to tell.

    Raises UserError for a file that cannot be used; then nothing was sent.
    """
    rules, _ = await rules_of(bootstrap, wanted.tenant_id)
    kinds = dict.fromkeys(wanted.files, wanted.kind) if wanted.kind else None
    own_reader = MendedReader(wanted.tenant_id)
    tables = await asyncio.to_thread(read_files, wanted.files, rules, kinds, own_reader)
    notes = [note for table in tables for note in table.notes]
    tables = [table for table in tables if table.rows]
    batch_id = str(uuid.uuid4())
    messages = [*_removals(wanted, tables), *_messages(wanted, tables, batch_id)] if tables else []
    return Handover(wanted.tenant_id, batch_id, messages), notes


def _removals(wanted: FileBatch, tables: Sequence[SourceTable]) -> Iterator[OutboxMessage]:
    """What mended rows were before, as single changes: they come first, so that nothing is there twice."""
    version = clock.now_us()
    for table in tables:
        for record_id in table.gone:
            event = RecordRemoved(
                kind=table.kind,
                source=table.source,
                record_id=record_id,
                version=version,
                actor=_ACTOR,
            )
            yield encode(
                event,
                tenant_id=wanted.tenant_id,
                source="/onelead/import",
                subject=f"{table.source}/{record_id}",
                topic=RECORDS.for_tenant(wanted.tenant_id),
                key="",
                traceparent=next_traceparent(None),
            )


def _messages(
    wanted: FileBatch, tables: Sequence[SourceTable], batch_id: str
) -> Iterator[OutboxMessage]:
    topic = RECORDS.for_tenant(wanted.tenant_id)
    traceparent = next_traceparent(None)
    for event in to_events(tables, wanted.source, wanted.mode, batch_id, _ACTOR):
        place = f"/{event.part}/{event.row}" if isinstance(event, RecordObserved) else ""
        yield encode(
            event,
            tenant_id=wanted.tenant_id,
            source="/onelead/import",
            subject=f"{batch_id}{place}",
            topic=topic,
            key="",
            traceparent=traceparent,
            batch_id=batch_id,
        )
