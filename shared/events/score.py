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


class Crossing(Value):
    """The priority changes by itself on a day, everything but time staying as it is."""

    on: date
    before: Priority
    after: Priority
    score: float


class LeastChange(Value):
    """An input that alone makes the lead CRITICAL: the nearest value that does, and the score then.

    Dates are ISO text, money is decimal text; `now` is null when the input is missing.
    """

    input: str
    now: JsonScalar
    needed: JsonScalar
    score: float


class MissingDate(Value):
    """What knowing a missing date could make of the score: the least and the most."""

    input: str
    lowest: float
    lowest_priority: Priority
    highest: float
    highest_priority: Priority


class Outlook(Value):
    """What would move the score (rules.md §4).

    `crossings`: the days up to `until` on which the priority changes by itself. `to_critical`: the
    inputs that alone make the lead CRITICAL; one that is not named cannot; empty when it is
    CRITICAL already. `missing_dates`: what the dates that are missing could move.
    """

    until: date
    crossings: tuple[Crossing, ...]
    to_critical: tuple[LeastChange, ...]
    missing_dates: tuple[MissingDate, ...]


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
    outlook: Outlook | None = None


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
