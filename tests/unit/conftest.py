"""Unit tests run sealed off from the network and the clock; one that needs a time sets it."""

from collections.abc import Generator, Iterator

import pytest

from tests.support.sealed import sealed
from tests.support.set_clock import SetClock, held_clock


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


@pytest.fixture(scope="module")
def set_clock() -> Iterator[SetClock]:
    """What the product takes for the time in a module's tests, from noon of 9 October 2025 on."""
    with held_clock() as found:
        yield found
