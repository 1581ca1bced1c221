"""Keeps processes running: starts them, restarts one that ended with a growing pause, stops them all."""

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from onelead.edition.process import Child
from onelead.reporting import Reporter
from shared import clock
from shared.errors import UserError

_WATCH_INTERVAL_S = 0.2
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 15.0
_RAN_WELL_S = 30.0


class Part(Protocol):
    """Something that runs as one process and can be started again and again."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    @property
    def child(self) -> Child | None:
        """The process, once it was started; also one that is still getting ready."""

    async def start(self, timeout_s: float) -> Child:
        """Starts it and returns when it is ready. Raises UserError when it does not get there."""

    async def stop(self, timeout_s: float) -> None:
        """Stops it; kills it when it does not end in time."""


@dataclass
class _Watched:
    part: Part
    running_since_s: float
    failures: int = 0
    restart: asyncio.Task[None] | None = field(default=None)

    def pause_s(self) -> float:
        """How long to wait before the next start: doubled for every end that came soon."""
        if clock.monotonic_s() - self.running_since_s > _RAN_WELL_S:
            self.failures = 0
        self.failures += 1
        return float(min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** (self.failures - 1)))


class Supervisor:
    """The parts of one edition. `start` them in order; the last ones started are stopped first."""

    def __init__(self, reporter: Reporter, start_timeout_s: float) -> None:
        self._reporter = reporter
        self._start_timeout_s = start_timeout_s
        self._started: list[tuple[Part, ...]] = []
        self._watched: list[_Watched] = []
        self._watching: asyncio.Task[None] | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every part that was started."""
        return tuple(part for group in self._started for part in group)

    async def start(self, *parts: Part) -> None:
        """Starts parts side by side and keeps them running from then on."""
        self._started.append(parts)
        await together(*(self._start(part) for part in parts))
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch(), name="supervisor")

    async def _start(self, part: Part) -> None:
        await part.start(self._start_timeout_s)
        self._watched.append(_Watched(part, clock.monotonic_s()))

    async def _watch(self) -> None:
        while True:
            for watched in self._watched:
                child = watched.part.child
                if child is not None and child.exit_code is not None and not watched.restart:
                    watched.restart = asyncio.create_task(self._restart(watched, child.exit_code))
            await asyncio.sleep(_WATCH_INTERVAL_S)

    async def _restart(self, watched: _Watched, exit_code: int) -> None:
        name = watched.part.name
        self._reporter.say(f"{name} ended ({_meaning(exit_code)}); starting it again")
        while True:
            await asyncio.sleep(watched.pause_s())
            try:
                await watched.part.start(self._start_timeout_s)
            except UserError as error:
                self._reporter.say(f"{name} did not start: {error.message}")
                await watched.part.stop(0)
            else:
                break
        self._reporter.say(f"{name} runs again")
        watched.running_since_s = clock.monotonic_s()
        watched.restart = None

    async def stop(self, timeout_s: float) -> None:
        """Stops everything, group by group in reverse order; each group has `timeout_s`."""
        tasks = [self._watching, *(watched.restart for watched in self._watched)]
        for task in filter(None, tasks):
            task.cancel()
        for group in reversed(self._started):
            await asyncio.gather(*(part.stop(timeout_s) for part in group), return_exceptions=True)


def _meaning(exit_code: int) -> str:
    return f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"


async def together(*work: Coroutine[Any, Any, Any]) -> Sequence[Any]:
    """Runs coroutines side by side; the first failure cancels the others and is raised by itself."""
    failure: Exception | None = None
    tasks: list[asyncio.Task[Any]] = []
    with contextlib.suppress(ExceptionGroup):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part) for part in work]
    for task in tasks:
        if not task.cancelled() and isinstance(found := task.exception(), Exception):
            failure = failure or found
    if failure is not None:
        raise failure
    return [task.result() for task in tasks]
