"""A clock that tests set: what the product takes for the time, as long as one holds it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest

from shared import clock

NOON = datetime(2025, 10, 9, 12, tzinfo=UTC)


class SetClock:
    """A clock that stands still until it is moved; reads like shared.clock."""

    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def set(self, moment: datetime) -> None:
        """Moves it there."""
        self._moment = moment

    def pass_s(self, seconds: float) -> None:
        """Lets time pass."""
        self._moment += timedelta(seconds=seconds)

    def now(self) -> datetime:
        return self._moment

    def today(self) -> date:
        return self._moment.date()

    def now_us(self) -> int:
        return int(self._moment.timestamp() * 1_000_000)

    def monotonic_s(self) -> float:
        return self._moment.timestamp()


@contextmanager
def held_clock(
    moment: datetime = NOON, reads: tuple[str, ...] = ("now", "today", "now_us", "monotonic_s")
) -> Iterator[SetClock]:
    """The product reads a set clock, for these of the clock's functions, for the length of a block."""
    found = SetClock(moment)
    with pytest.MonkeyPatch.context() as patch:
        for name in reads:
            patch.setattr(clock, name, getattr(found, name))
        yield found
