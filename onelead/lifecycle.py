"""Runs a command's coroutine so that a signal ends it once and cleanly, whenever it comes."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SIGNAL_EXIT_BASE = 128


class InterruptedBySignalError(Exception):
    """A signal ended the command; `exit_code` is what a shell expects then."""

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.exit_code = SIGNAL_EXIT_BASE + number


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs `work` to its end. The first SIGINT, SIGTERM or SIGHUP cancels it, later ones are ignored.

    Raises InterruptedBySignalError once everything that `work` does on its way out is done.
    """
    received: list[int] = []

    async def until_signal() -> T:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()

        def on_signal(number: int) -> None:
            if not received and task is not None:
                received.append(number)
                task.cancel()

        for number in _SIGNALS:
            loop.add_signal_handler(number, on_signal, number)
        return await work

    try:
        return asyncio.run(until_signal())
    except asyncio.CancelledError:
        if received:
            raise InterruptedBySignalError(received[0]) from None
        raise


async def uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """Awaits `work` to its end even when this task is cancelled meanwhile; the cancel comes after."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            if task.cancelled():
                raise
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()
