"""A signal ends a command once and cleanly; what must be finished is finished."""

import asyncio
import os
import signal

import pytest

from onelead import lifecycle
from onelead.lifecycle import InterruptedBySignalError, uninterrupted


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_cancels_the_work_and_tells_the_exit_code(number: signal.Signals) -> None:
    async def work() -> None:
        os.kill(os.getpid(), number)
        await asyncio.sleep(60)

    with pytest.raises(InterruptedBySignalError) as raised:
        lifecycle.run(work())
    assert raised.value.exit_code == 128 + number


def test_work_that_nobody_interrupts_returns_its_result() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    assert lifecycle.run(work()) == 7


def test_what_work_does_on_its_way_out_is_not_disturbed_by_more_signals() -> None:
    cleaned: list[str] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(60)
        finally:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.05)
            cleaned.append("all")

    with pytest.raises(InterruptedBySignalError):
        lifecycle.run(work())
    assert cleaned == ["all"]


def test_a_cancellation_of_other_origin_is_no_signal() -> None:
    async def work() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        lifecycle.run(work())


async def test_uninterrupted_work_is_finished_before_the_cancellation_goes_on() -> None:
    done: list[str] = []

    async def clean_up() -> None:
        await asyncio.sleep(0.05)
        done.append("clean")

    task = asyncio.create_task(uninterrupted(clean_up()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["clean"]


async def test_uninterrupted_work_returns_and_raises_as_itself() -> None:
    async def seven() -> int:
        return 7

    async def fails() -> None:
        raise ValueError("no")

    assert await uninterrupted(seven()) == 7
    with pytest.raises(ValueError, match="no"):
        await uninterrupted(fails())
