"""Samples the memory of this process and all it started, and keeps the highest sum.

PSS where the system tells it (Linux): memory shared between processes is counted once; else RSS.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import psutil

from onelead.reporting import MEGABYTE

_INTERVAL_S = 1.0


class MemoryWatch:
    """`peak_mb` is the highest sum so far."""

    def __init__(self) -> None:
        self.peak_mb = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Samples for the length of a block."""
        task = asyncio.create_task(self._watch(), name="memory")
        try:
            yield
        finally:
            task.cancel()

    async def _watch(self) -> None:
        while True:
            self.sample()
            await asyncio.sleep(_INTERVAL_S)

    def sample(self) -> dict[str, int]:
        """Takes one sample; returns MB by process name."""
        here = psutil.Process()
        found: dict[str, int] = {}
        for process in [here, *here.children(recursive=True)]:
            with suppress(psutil.Error):
                name = _name(process)
                found[name] = found.get(name, 0) + _bytes(process)
        self.peak_mb = max(self.peak_mb, sum(found.values()) // MEGABYTE)
        return {name: size // MEGABYTE for name, size in found.items()}


def _bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.AccessDenied, AttributeError):
        return int(process.memory_info().rss)


def _name(process: psutil.Process) -> str:
    """The module of a Python child, else the program's name."""
    command = process.cmdline()
    if "-m" in command[:-1]:
        return command[command.index("-m") + 1]
    return process.name()
