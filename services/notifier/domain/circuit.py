"""How a sink fares for a tenant: reads what attempts came to, decides when it rests, is probed, is given up.

A sink that keeps failing costs no attempts: while its circuit is open nothing is sent to it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.notifier.domain.attempt import Delivered, Outcome, Rejected, Retryable, Unsure

FAILURES_TO_OPEN = 5
FIRST_REST = timedelta(seconds=30)
LONGEST_REST = timedelta(minutes=10)
GIVE_UP_AFTER = timedelta(hours=120)
STILL_FAILING = timedelta(hours=24)
"""Failures further apart than this are not one long failure: nothing was asked of the sink between them."""
OPENS_ON = frozenset({"connect", "timeout", "server", "lost"})
"""Classes of failure that say something about the sink, not about the message."""


@dataclass(frozen=True)
class SinkState:
    """What is remembered of a sink. `failures` in a row since the last success; it is failing without a
    longer gap from `failing_since` to `failed_at`."""

    paused_until: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    failed_at: datetime | None = None
    open_until: datetime | None = None
    disabled_at: datetime | None = None
    reason: str | None = None

    def allowance(self, now: datetime, concurrency: int) -> int:
        """How many messages may be under way: none while it rests, one probe when a rest is over."""
        if self.disabled_at is not None or _lies_ahead(self.paused_until, now):
            return 0
        if _lies_ahead(self.open_until, now):
            return 0
        return 1 if self.open_until is not None else concurrency

    def after(self, outcome: Outcome, now: datetime) -> "SinkState":
        """What is remembered after one more attempt."""
        match outcome:
            case Delivered():
                # An earlier call's success says nothing against a silence that was asked for since.
                paused = self.paused_until if _lies_ahead(self.paused_until, now) else None
                return SinkState(paused, disabled_at=self.disabled_at, reason=self.reason)
            case Rejected(reason, gone=True):
                return self._given_up(now, f"the sink no longer exists: {reason}")
            case Rejected(reason, error="auth"):
                return replace(self._failing(now, reason), failures=0, open_until=None)
            case Rejected():
                answers = replace(self, failures=0, open_until=None)
                return replace(answers, failing_since=None, failed_at=None)
            case Retryable(reason, pause_s) if pause_s is not None:
                return self._failing(now, reason)
            case Retryable(reason) | Unsure(reason):
                return self._failed(outcome, now, reason)

    def _failed(self, outcome: Retryable | Unsure, now: datetime, reason: str) -> "SinkState":
        failing = self._failing(now, reason)
        if failing.disabled_at is not None or outcome.error not in OPENS_ON:
            return failing
        if _lies_ahead(self.open_until, now):
            return failing  # a call that was under way when the circuit opened
        failures = self.failures + 1
        if failures < FAILURES_TO_OPEN:
            return replace(failing, failures=failures)
        return replace(failing, failures=failures, open_until=now + rest(failures))

    def _failing(self, now: datetime, reason: str) -> "SinkState":
        since = self.failing_since
        if since is None or self.failed_at is None or now - self.failed_at > STILL_FAILING:
            since = now
        if now - since >= GIVE_UP_AFTER:
            return self._given_up(now, f"failing since {since:%Y-%m-%d %H:%M} UTC: {reason}")
        return replace(self, failing_since=since, failed_at=now)

    def _given_up(self, now: datetime, reason: str) -> "SinkState":
        if self.disabled_at is not None:
            return self
        return replace(self, disabled_at=now, reason=reason[:500], open_until=None)


def rest(failures: int) -> timedelta:
    """How long a sink is left alone after so many failures in a row."""
    times = 1 << min(failures - FAILURES_TO_OPEN, 10)
    return min(LONGEST_REST, FIRST_REST * times)


def _lies_ahead(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment > now
