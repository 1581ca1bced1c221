"""A unit of work of ingest: an import, single changes, a new day, new rules."""

from shared.events import Actor, BatchPart, Value
from shared.rules.influence import Anew


class Batch(Value):
    """A unit of work and how far it is: receiving, complete, applied, done, failed.

    `whole`: as many rows came as were announced; one that is not whole removes nothing. `anew`: what
    new rules make anew.
    """

    tenant_id: str
    batch_no: int
    batch_id: str
    work: str
    state: str
    parts: tuple[BatchPart, ...] = ()
    actor: Actor = Actor()
    whole: bool = True
    dirty_total: int = 0
    progress_version: int = 0
    traceparent: str | None = None
    anew: tuple[Anew, ...] = ()
