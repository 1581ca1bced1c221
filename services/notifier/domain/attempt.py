"""What one attempt to deliver came to, and what follows from it: retry, done, dead or unknown.

Outcomes are values; a channel reports them, `next_step` alone decides what a delivery becomes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

RETRY_AFTER_S: tuple[float, ...] = (5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 36_000)
"""Seconds to wait after the first, second, … failed attempt; after the last one it is dead."""

JITTER = 0.2
"""A wait varies by this share of itself in both directions, so that failures spread out."""

SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 3_600.0
"""A sink asking for another silence is asked again after one between these."""


@dataclass(frozen=True)
class Delivered:
    """The sink took the message. `note` is what a person should know (an account not found).

    `receipt` is what the sink gave to find or answer the message by (Slack: channel and ts).
    """

    note: str | None = None
    status: int | None = None
    receipt: Mapping[str, str] | None = None
    error: str = ""


@dataclass(frozen=True)
class Retryable:
    """It certainly did not arrive, and may later.

    `pause_s`: the sink itself asked to be left alone that long (Retry-After); this is its state,
    not the message's fault, so it burns no attempt. `error` is the failure's class in one word
    (`connect`, `timeout`, `refused_address`, `limited`, `server`, `auth`, …).
    """

    reason: str
    pause_s: float | None = None
    status: int | None = None
    error: str = "retryable"


@dataclass(frozen=True)
class Rejected:
    """It did not arrive and never will: the sink refuses this message or these credentials.

    `gone`: the sink no longer exists (410); nothing more is sent to it until a person says so.
    """

    reason: str
    status: int | None = None
    error: str = "rejected"
    gone: bool = False


@dataclass(frozen=True)
class Unsure:
    """It may have arrived: the connection was lost after the message had left."""

    reason: str
    status: int | None = None
    error: str = "unsure"


Outcome = Delivered | Retryable | Rejected | Unsure


class Certainty(StrEnum):
    """What can be done after an attempt with an unsure end, by kind of channel."""

    IDEMPOTENT = "idempotent"
    """Sending again has the effect of once."""
    LOOK_UP = "look_up"
    """The sink can be asked whether the message stands there."""
    BLIND = "blind"
    """Nobody can tell: `unknown`, unless the operator prefers a repeat to a loss."""


@dataclass(frozen=True)
class Sent:
    """Final: it arrived."""

    note: str | None = None
    receipt: Mapping[str, str] | None = None


@dataclass(frozen=True)
class RetryAt:
    """Again after `after_s` seconds. `failures` is how many attempts were burned so far.

    `in_doubt`: this attempt may have arrived; where the sink can be asked, it is asked first.
    """

    after_s: float
    failures: int
    reason: str
    pauses_sink: bool = False
    in_doubt: bool = False


@dataclass(frozen=True)
class Dead:
    """Final: it did not arrive and is not tried again. `gone`: the sink no longer exists."""

    reason: str
    gone: bool = False


@dataclass(frozen=True)
class Unknown:
    """Final: it may have arrived; sending again could tell a person twice."""

    reason: str


Step = Sent | RetryAt | Dead | Unknown


def words(step: Step) -> str | None:
    """What a person reads about a step: its reason, or the note of a success."""
    return step.note if isinstance(step, Sent) else step.reason


def next_step(
    outcome: Outcome, *, failures: int, repeatable: bool, jitter: float, scale: float = 1.0
) -> Step:
    """What a delivery becomes after an attempt.

    `failures`: attempts burned before this one. `jitter`: a random number from -1 to 1.
    `repeatable`: an unsure attempt may be repeated, because sending twice has the effect of once,
    because the sink can be asked, or because the operator prefers a repeat to a loss.
    `scale`: what the waits between attempts are multiplied by.
    """
    match outcome:
        case Delivered(note, _, receipt):
            return Sent(note, receipt)
        case Rejected(reason, gone=gone):
            return Dead(reason, gone)
        case Unsure(reason):
            if not repeatable:
                return Unknown(reason)
            step = _retry(reason, failures, jitter, scale)
            return replace(step, in_doubt=True) if isinstance(step, RetryAt) else step
        case Retryable(reason, pause_s):
            if pause_s is None:
                return _retry(reason, failures, jitter, scale)
            after_s = min(max(pause_s, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)
            return RetryAt(after_s, failures, reason, pauses_sink=True)
        case _:
            assert_never(outcome)


def after_crash() -> Unsure:
    """What is known of a delivery whose sender died between `sending` and the outcome.

    Where it may be repeated it counts as a failure, so that a message that brings the process down
    each time comes to an end.
    """
    return Unsure("the notifier stopped while sending", error="stopped")


def _retry(reason: str, failures: int, jitter: float, scale: float) -> RetryAt | Dead:
    if failures >= len(RETRY_AFTER_S):
        return Dead(f"gave up after {failures + 1} attempts: {reason}")
    after_s = RETRY_AFTER_S[failures] * scale * (1 + JITTER * jitter)
    return RetryAt(after_s, failures + 1, reason)
