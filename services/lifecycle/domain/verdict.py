"""What comes of a command: a change, or a refusal that says why and what would be allowed."""

from dataclasses import dataclass

from services.lifecycle.domain.status import Status
from shared.events import LeadChange, LeadRefusal, LeadState


@dataclass(frozen=True)
class Changed:
    """The status that follows; with `account_wide` its do-not-contact holds for the whole account."""

    change: LeadChange
    status: Status
    why: str = ""
    account_wide: bool = False


@dataclass(frozen=True)
class Refused:
    """Nothing changes; `allowed` names the states that the lead may be moved to."""

    refusal: LeadRefusal
    detail: str
    allowed: tuple[LeadState, ...] = ()


Verdict = Changed | Refused
NOTHING_CHANGES = Refused(LeadRefusal.NOTHING_CHANGES, "it is so already")
