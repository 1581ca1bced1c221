"""What one attempt to deliver came to, and what follows from it: retry, done, dead or unknown.

Outcomes are values; a channel reports them, `next_step` alone decides what a delivery becomes.
"""

from dataclasses import dataclass
from typing import assert_never

RETRY_AFTER_S: tuple[float, ...] = (5, 30, 120, 600, 1_800, 7_200, 18_000, 36_000, 36_000)
"""Seconds to wait after the first, second, … failed attempt; after the last one it is dead."""

JITTER = 0.2
"""A wait varies by this share of itself in both directions, so that failures spread out."""

LONGEST_PAUSE_S = 3_600.0
"""A sink asking for a longer silence is asked again after this time."""


@dataclass(frozen=True)
class Delivered:
    """The sink took the message. `note` is what a person should know (an account not found)."""

    note: str | None = None


@dataclass(frozen=True)
class Retryable:
    """It certainly did not arrive, and may later.

    `pause_s`: the sink itself asked to be left alone that long (Retry-After); this is its state,
    not the message's fault, so it burns no attempt.
    """

    reason: str
    pause_s: float | None = None


@dataclass(frozen=True)
class Rejected:
    """It did not arrive and never will: the sink refuses this message or these credentials."""

    reason: str


@dataclass(frozen=True)
class Unsure:
    """It may have arrived: the connection was lost after the message had left."""

    reason: str


Outcome = Delivered | Retryable | Rejected | Unsure


@dataclass(frozen=True)
class Sent:
    """Final: it arrived."""

    note: str | None = None


@dataclass(frozen=True)
class RetryAt:
    """Again after `after_s` seconds. `failures` is how many attempts were burned so far."""

    after_s: float
    failures: int
    reason: str
    pauses_sink: bool = False


@dataclass(frozen=True)
class Dead:
    """Final: it did not arrive and is not tried again."""

    reason: str


@dataclass(frozen=True)
class Unknown:
    """Final: it may have arrived; sending again could tell a person twice."""

    reason: str


Step = Sent | RetryAt | Dead | Unknown


def words(step: Step) -> str | None:
    """What a person reads about a step: its reason, or the note of a success."""
    return step.note if isinstance(step, Sent) else step.reason


def next_step(outcome: Outcome, *, failures: int, repeatable: bool, jitter: float) -> Step:
    """What a delivery becomes after an attempt.

    `failures`: attempts burned before this one. `jitter`: a random number from -1 to 1.
    `repeatable`: an unsure attempt may be repeated, because sending twice has the effect of once
    or because the operator prefers a repeat to a loss.
    """
    match outcome:
        case Delivered(note):
            return Sent(note)
        case Rejected(reason):
            return Dead(reason)
        case Unsure(reason):
            return _retry(reason, failures, jitter) if repeatable else Unknown(reason)
        case Retryable(reason, pause_s):
            if pause_s is None:
                return _retry(reason, failures, jitter)
            after_s = min(max(pause_s, 0.0), LONGEST_PAUSE_S)
            return RetryAt(after_s, failures, reason, pauses_sink=True)
        case _:
            assert_never(outcome)


def after_crash(*, repeatable: bool) -> Outcome:
    """What is known of a delivery whose sender died between `sending` and the outcome.

    Where it may be repeated it counts as a failure, so that a message that brings the process down
    each time comes to an end.
    """
    reason = "the notifier stopped while sending"
    return Retryable(reason) if repeatable else Unsure(reason)


def _retry(reason: str, failures: int, jitter: float) -> RetryAt | Dead:
    if failures >= len(RETRY_AFTER_S):
        return Dead(f"gave up after {failures + 1} attempts: {reason}")
    after_s = RETRY_AFTER_S[failures] * (1 + JITTER * jitter)
    return RetryAt(after_s, failures + 1, reason)
