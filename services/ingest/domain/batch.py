"""A unit of work of ingest: an import, single changes, a new day, new rules."""

from dataclasses import dataclass

from shared.events import Actor, BatchPart


@dataclass(frozen=True)
class Batch:
    """A unit of work and how far it is: receiving, complete, applied, done.

    `whole`: as many rows came as were announced; one that is not whole removes nothing.
    """

    tenant_id: str
    batch_no: int
    batch_id: str
    work: str
    state: str
    parts: tuple[BatchPart, ...]
    actor: Actor
    whole: bool
    dirty_total: int
    progress_version: int
    traceparent: str | None
