"""The score with its ledger, published by scoring on `onelead.leads.scored.v1`."""

from datetime import date
from typing import ClassVar

from shared.events.account import AccountProfile
from shared.events.base import Event, JsonScalar, OpenEnum, State, Value
from shared.events.lead import LeadFacts


class Priority(OpenEnum):
    """The band of a score (rules.md §4)."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    UNKNOWN = "unknown"


class LedgerLine(Value):
    """One reason for points of a component; the lines of a component sum to it, caps included."""

    component: str
    reason: str
    input: JsonScalar
    points: float


class Weights(Value):
    """The shares of the four components; they add up to 1."""

    urgency: float
    value: float
    propensity: float
    strategic_fit: float


class Score(Value):
    """The score of a lead as of a day (rules.md §4); components 0–100, unrounded.

    The ledger holds, beside the lines of each component, one line of component "score" for the
    rounding: weighted components plus that line equal `score`. `confidence` is the share of the
    inputs that were present; `missing` names the others.
    """

    urgency: float
    value: float
    propensity: float
    strategic_fit: float
    score: float
    priority: Priority
    confidence: float
    missing: tuple[str, ...]
    ledger: tuple[LedgerLine, ...]
    weights: Weights
    rules_version: str
    profile: str
    as_of: date


class LeadScored(Event):
    """A lead's score, priority, facts or account changed, or the lead was withdrawn.

    `episode` counts how often the lead became CRITICAL (0: never); `episode_open` until the score
    falls below HIGH or the lead is withdrawn. `critical_since` is when the episode began (UTC day).
    """

    event_type: ClassVar[str] = "com.onelead.lead.scored.v1"

    lead: LeadFacts
    account: AccountProfile
    score: Score
    episode: int = 0
    episode_open: bool = False
    critical_since: date | None = None
    state: State = "open"
    reason: str | None = None
    batch_id: str | None = None
