"""A unit of work of ingest: an import, single changes, a new day, new rules; and a step of it."""

from dataclasses import dataclass
from datetime import date

from shared.events import Actor, BatchPart, Value
from shared.rules.influence import Anew
from shared.rules.model import Rules

OF_RULES = "rules"
"""The kind of work that new rules are."""
NO_RULES = ""
"""The digest of no rules: what is derived while new ones wait to be applied goes with neither."""


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


@dataclass(frozen=True)
class StepSize:
    """How much one transaction takes: accounts; rows read, beyond one account; leads told."""

    accounts: int
    rows: int

    @property
    def leads(self) -> int:
        """Two for a row: then only the leads of an account larger than a step take several."""
        return 2 * self.rows


@dataclass(frozen=True)
class Step:
    """What accounts are derived by in one transaction. `derived_by`: the digest of the rules."""

    batch: Batch
    rules: Rules
    derived_by: str
    as_of: date
    size: StepSize

    @property
    def tenant_id(self) -> str:
        """Whose accounts they are."""
        return self.batch.tenant_id
