"""The only place that reads the time: the wall clock in UTC, and a tenant's day.

A service sets it by its database: from then on it moves with the machine's monotonic clock, so that
the machine's own wall clock may be wrong, or jump, and moves nothing.
"""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class _Reference:
    """What the monotonic clock lacks to the wall clock; None: the machine's own wall clock holds."""

    lacks_us: int | None = None


_reference = _Reference()


def set_by(moment: datetime) -> None:
    """From now on it is this moment, and what has passed since."""
    moment_us = (moment - _EPOCH) // timedelta(microseconds=1)
    _reference.lacks_us = moment_us - time.monotonic_ns() // 1_000


def now() -> datetime:
    """The current moment in UTC."""
    return _EPOCH + timedelta(microseconds=now_us())


def now_us() -> int:
    """Microseconds since 1970 in UTC; the floor of every version we give out."""
    if _reference.lacks_us is None:
        return time.time_ns() // 1_000
    return time.monotonic_ns() // 1_000 + _reference.lacks_us


def monotonic_s() -> float:
    """Seconds on a clock that never jumps, for durations and deadlines."""
    return time.monotonic()


def today() -> date:
    """The current day in UTC."""
    return now().date()
