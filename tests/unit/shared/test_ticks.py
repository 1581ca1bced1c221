"""A tick goes on at once while there is work, waits when there is none, and bears what passes."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from shared.ops.ticks import run_ticks


def steps(*wanted: bool | Exception) -> tuple[list[int], Callable[[], Awaitable[bool]]]:
    """A step that does as told and then is cancelled, and how often it was called."""
    calls: list[int] = []

    async def step() -> bool:
        calls.append(len(calls))
        if len(calls) > len(wanted):
            raise asyncio.CancelledError
        outcome = wanted[len(calls) - 1]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return calls, step


async def test_while_there_is_work_it_does_not_wait() -> None:
    calls, step = steps(True, True, True)
    with pytest.raises(asyncio.CancelledError):
        await run_ticks(step, interval_s=3_600)
    assert len(calls) == 4


async def test_when_there_is_none_it_waits_for_the_interval() -> None:
    calls, step = steps(False)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await run_ticks(step, interval_s=3_600)
    assert len(calls) == 1


async def test_a_call_ends_the_wait() -> None:
    wake = asyncio.Event()
    wake.set()
    calls, step = steps(False)
    with pytest.raises(asyncio.CancelledError):
        await run_ticks(step, interval_s=3_600, wake=wake)
    assert len(calls) == 2


async def test_what_passes_is_tried_again() -> None:
    calls, step = steps(ConnectionResetError("gone"), True)
    with pytest.raises(asyncio.CancelledError):
        await run_ticks(step, interval_s=3_600)
    assert len(calls) == 3


async def test_what_does_not_pass_ends_it() -> None:
    calls, step = steps(KeyError("a bug"))
    with pytest.raises(KeyError):
        await run_ticks(step, interval_s=0)
    assert len(calls) == 1
