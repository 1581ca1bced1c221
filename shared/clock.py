"""The only place that reads the time: the wall clock in UTC, and a tenant's day."""

import time
from datetime import UTC, date, datetime


def now() -> datetime:
    """The current moment in UTC."""
    return datetime.now(UTC)


def now_us() -> int:
    """Microseconds since 1970 in UTC; the floor of every version we give out."""
    return time.time_ns() // 1_000


def monotonic_s() -> float:
    """Seconds on a clock that never jumps, for durations and deadlines."""
    return time.monotonic()


def today() -> date:
    """The current day in UTC."""
    return now().date()
