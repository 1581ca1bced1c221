"""From files to a batch on its way: reads them by the tenant's column map, makes the messages in order."""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from onelead.importing import Handover
from onelead.rules_in_force import rules_of
from services.ingest.sources.batch_events import to_events
from services.ingest.sources.files import read_files
from services.ingest.sources.tables import SourceTable
from shared.events import Actor, BatchMode, RecordKind, RecordObserved
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
    """The files as one batch, and what a person should know about them.

    Raises UserError for a file that cannot be used; then nothing was sent.
    """
    rules, _ = await rules_of(bootstrap, wanted.tenant_id)
    kinds = dict.fromkeys(wanted.files, wanted.kind) if wanted.kind else None
    tables = await asyncio.to_thread(read_files, wanted.files, rules, kinds)
    batch_id = str(uuid.uuid4())
    messages = list(_messages(wanted, tables, batch_id))
    notes = [note for table in tables for note in table.notes]
    return Handover(wanted.tenant_id, batch_id, messages), notes


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
