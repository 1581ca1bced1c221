"""Runs a step again and again beside the consumers; what passes by itself is waited for."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from shared.messaging.errors import backoff_s, is_transient
from shared.ops.logs import get_logger

_log = get_logger(__name__)


async def run_ticks(
    step: Callable[[], Awaitable[bool]], interval_s: float, wake: asyncio.Event | None = None
) -> None:
    """Calls `step` until cancelled: at once again while it did something, else after the interval.

    `wake` ends a wait early. A transient failure is waited out with a growing delay; any other ends
    the loop, and with it the process.
    """
    dice = random.Random()  # noqa: S311 - spreads retries, guards nothing
    failures = 0
    while True:
        try:
            busy = await step()
            failures = 0
        except Exception as error:
            if not is_transient(error):
                raise
            failures += 1
            _log.warning("tick will be tried again", error=str(error)[:300], failures=failures)
            await asyncio.sleep(backoff_s(failures, dice))
            continue
        if not busy:
            await _pause(interval_s, wake)


async def _pause(interval_s: float, wake: asyncio.Event | None) -> None:
    if wake is None:
        await asyncio.sleep(interval_s)
        return
    try:
        async with asyncio.timeout(interval_s):
            await wake.wait()
    except TimeoutError:
        return
    wake.clear()
