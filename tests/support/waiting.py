"""Waiting for a condition with a bound, saying what was waited for when it does not come."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared import clock

T = TypeVar("T")
_POLL_S = 0.05


async def wait_until(
    look: Callable[[], T | Awaitable[T]], what: str, *, timeout_s: float = 30.0
) -> T:
    """The first true value of `look`, a function or coroutine function. Fails after `timeout_s`."""
    deadline_s = clock.monotonic_s() + timeout_s
    while True:
        seen = look()
        found: T = await seen if inspect.isawaitable(seen) else seen
        if found:
            return found
        if clock.monotonic_s() > deadline_s:
            raise AssertionError(f"after {timeout_s:g} s still not: {what} (last seen: {found!r})")
        await asyncio.sleep(_POLL_S)
