"""Unit tests run sealed off from the network and the clock; one that needs a time sets it."""

from collections.abc import Generator, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from shared import clock
from tests.support.sealed import sealed


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, object, object]:
    """Seals the fixtures of every test in this folder; what a session leaves behind ends unsealed."""
    with sealed():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Seals every test in this folder."""
    with sealed():
        return (yield)


class SetClock:
    """A clock that stands still until it is moved; reads like shared.clock."""

    def __init__(self, moment: datetime) -> None:
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


@pytest.fixture(scope="module")
def set_clock() -> Iterator[SetClock]:
    """What the product takes for the time in a module's tests, from noon of 9 October 2025 on."""
    found = SetClock(datetime(2025, 10, 9, 12, tzinfo=UTC))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("now", "today", "now_us", "monotonic_s"):
            patch.setattr(clock, name, getattr(found, name))
        yield found
