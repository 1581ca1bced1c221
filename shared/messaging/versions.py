"""Numbers a service's own output: per aggregate it only rises, even after a restore."""

from shared import clock


def next_version(previous: int | None) -> int:
    """max(previous + 1, microseconds now)."""
    return max((previous or 0) + 1, clock.now_us())
