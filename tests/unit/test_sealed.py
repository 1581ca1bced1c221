"""Unit tests cannot reach the network or read the time, however they try."""

import asyncio
import socket
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from shared import clock
from tests.support.sealed import SealedError, sealed

READERS = [
    *((clock, name) for name in ("now", "today", "now_us", "monotonic_s")),
    *((time, name) for name in ("time", "time_ns", "monotonic", "perf_counter", "localtime")),
    *((datetime, name) for name in ("now", "utcnow", "today")),
    (date, "today"),
]


@pytest.mark.parametrize(("owner", "name"), READERS)
def test_our_own_code_cannot_read_the_time(owner: Any, name: str) -> None:
    with pytest.raises(SealedError, match="no clock here"):
        getattr(owner, name)()
    if name == "now" and owner is datetime:
        with pytest.raises(SealedError, match=rf"no clock here: {__name__} called"):
            datetime.now(tz=UTC)


@pytest.mark.parametrize(
    "reach",
    [
        lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
        lambda: socket.create_connection(("127.0.0.1", 9)),
        lambda: socket.getaddrinfo("localhost", 80),
        lambda: socket.gethostbyname("localhost"),
        lambda: socket.socket(socket.AF_UNIX).connect("/var/run/postgresql/.s.PGSQL.5432"),
    ],
)
def test_nobody_can_reach_the_network(reach: Callable[[], Any]) -> None:
    with pytest.raises(SealedError, match="no network here"):
        reach()


def test_a_library_cannot_reach_it_for_us() -> None:
    with pytest.raises(SealedError, match="no network here"):
        httpx.get("http://127.0.0.1:9/")


async def test_what_runs_the_tests_goes_on_working() -> None:
    await asyncio.sleep(0.001)
    assert asyncio.get_running_loop().time() > 0
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.sleep(60), 0.001)


def test_a_seal_within_a_seal_breaks_neither() -> None:
    with sealed():
        pass
    with pytest.raises(SealedError):
        date.today()  # noqa: DTZ011 - it must be refused


def test_days_are_still_days() -> None:
    assert isinstance(date(2025, 10, 9), date)
    assert datetime(2025, 10, 9, tzinfo=UTC).date() == date(2025, 10, 9)
    assert date.fromisoformat("2025-10-09").toordinal() == 739_533
