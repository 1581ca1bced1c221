"""What people do with a lead in a CRM: reads a record's stage and what was last seen of it, decides
whether the lead moved (rules.md §8)."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from services.notifier.domain.crm.records import CrmRecord, folded
from shared.events import LeadState

_NAMESPACE = uuid.UUID("0d8c1f3e-6a55-5c7e-8f2b-6a0a4f3d9b21")
Stages = Mapping[str, LeadState]
"""What each stage means, by the CRM's name for it."""


@dataclass(frozen=True)
class Seen:
    """What was last seen of a lead's record."""

    external_id: str
    stage: str
    changed_at: datetime


@dataclass(frozen=True)
class Moved:
    """A person moved the record to a stage that means this state."""

    state: LeadState


@dataclass(frozen=True)
class UnknownStage:
    """A person moved the record to a stage that nobody has told us the meaning of."""

    stage: str


@dataclass(frozen=True)
class Nothing:
    """Nobody moved it since: our own writing, a repeat, or something older than what was seen."""


def stage_news(
    record: CrmRecord, seen: Seen | None, stages: Stages, opening_stage: str
) -> Moved | UnknownStage | Nothing:
    """What a record's stage tells. One never seen before had the stage that we create with."""
    last = opening_stage if seen is None else seen.stage
    if seen is not None and record.changed_at < seen.changed_at:
        return Nothing()
    if folded(record.stage) == folded(last):
        return Nothing()
    state = meaning(record.stage, stages)
    return UnknownStage(record.stage) if state is None else Moved(state)


def meaning(stage: str, stages: Stages) -> LeadState | None:
    """The state a stage stands for, compared without case and outer blanks; None for an unknown one."""
    return {folded(name): state for name, state in stages.items()}.get(folded(stage))


def command_id(sink: str, lead_id: str, stage: str, changed_at: datetime) -> str:
    """The same for the same change, however often and by whichever way it is heard."""
    moment = changed_at.astimezone(UTC).replace(microsecond=0).isoformat()
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join((sink, lead_id, folded(stage), moment))))
