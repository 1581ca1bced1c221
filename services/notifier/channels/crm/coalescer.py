"""Makes one call out of many that come at about the same time; each caller gets its own outcome."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from services.notifier.domain.attempt import Outcome, Unsure

T = TypeVar("T")

GATHER_S = 0.02
"""A call leaves when nobody has joined for this long."""
GATHER_AT_MOST_S = 0.1
"""… and at the latest this long after the first has joined."""


@dataclass(frozen=True)
class Bounds:
    """How much one call may carry."""

    items: int
    size: int = 2_000_000


@dataclass
class _Waiting(Generic[T]):
    item: T
    key: str
    size: int
    future: "asyncio.Future[Outcome]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Coalescer(Generic[T]):
    """Gathers items until a call is full or nobody joins any more; one call is under way at a time.

    While a call is under way the next one fills. Two items with the same key never share a call,
    and leave in the order they came. A caller that is cancelled takes its item back if it has not
    left; the others do not notice.
    """

    def __init__(
        self,
        call: Callable[[Sequence[T]], Awaitable[Sequence[Outcome]]],
        *,
        key: Callable[[T], str],
        size: Callable[[T], int],
        bounds: Bounds,
    ) -> None:
        self._call = call
        self._key = key
        self._size = size
        self._bounds = bounds
        self._waiting: list[_Waiting[T]] = []
        self._joined = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, item: T) -> Outcome:
        """Sends the item in the next call that has room for it. Raises what the call raised."""
        mine = _Waiting(item, self._key(item), self._size(item))
        self._waiting.append(mine)
        self._joined.set()
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work(), name="crm calls")
        try:
            return await mine.future
        finally:
            if mine in self._waiting:
                self._waiting.remove(mine)

    async def close(self) -> None:
        """Waits for the calls under way; nothing joins any more."""
        if self._worker is not None:
            await asyncio.gather(self._worker, return_exceptions=True)

    async def _work(self) -> None:
        while self._waiting:
            await self._gather()
            if batch := self._take():
                await self._send(batch)

    async def _gather(self) -> None:
        try:
            async with asyncio.timeout(GATHER_AT_MOST_S):
                while len(self._waiting) < self._bounds.items:
                    self._joined.clear()
                    async with asyncio.timeout(GATHER_S):
                        await self._joined.wait()
        except TimeoutError:
            return

    def _take(self) -> list[_Waiting[T]]:
        """The oldest that fit into one call, no key twice; always at least one."""
        taken: list[_Waiting[T]] = []
        keys: set[str] = set()
        size = 0
        for waiting in self._waiting[:]:
            full = len(taken) == self._bounds.items or size + waiting.size > self._bounds.size
            if taken and full:
                break
            if waiting.key not in keys:
                taken.append(waiting)
                self._waiting.remove(waiting)
                size += waiting.size
            keys.add(waiting.key)
        return taken

    async def _send(self, batch: Sequence[_Waiting[T]]) -> None:
        try:
            outcomes = list(await self._call([waiting.item for waiting in batch]))
        except BaseException as error:
            for waiting in batch:
                if not waiting.future.done():
                    waiting.future.set_exception(_told(error))
            if not isinstance(error, Exception):
                raise
            return
        # An answer that says less than was asked leaves the rest unsure, not waiting for ever.
        outcomes += [Unsure("the CRM did not say how it went")] * (len(batch) - len(outcomes))
        for waiting, outcome in zip(batch, outcomes, strict=False):
            if not waiting.future.done():
                waiting.future.set_result(outcome)


def _told(error: BaseException) -> Exception:
    return error if isinstance(error, Exception) else ConnectionError("stopped while sending")
