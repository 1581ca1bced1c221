"""The disk under PostgreSQL, or under Kafka, is full for a while."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.faults.fault import Blow, FaultKind, Hit
from tests.faults.small_disk import START_TIMEOUT_S, SmallDisk, may_mount
from tests.faults.world import World

_LOOKS, _LOOK_S = 10, 0.3


class DiskFull(FaultKind):
    """Not a byte is left on it; whether the part goes on, refuses or ends is its own affair."""

    name = "disk"
    title = "the disk of PostgreSQL or Kafka full"
    rounds = 6
    short_rounds = 2
    boxes = 20

    def __init__(self, name: str | None = None) -> None:
        """Without disks: they are made when it is prepared."""
        super().__init__(name)
        self._disks: list[SmallDisk] = []

    async def refusal(self) -> str | None:
        """It needs the right to mount."""
        return None if await may_mount() else "a full disk (nothing may be mounted here)"

    @asynccontextmanager
    async def prepared(self, world: World) -> AsyncIterator[None]:
        """Both data folders lie on small disks until all rounds are over."""
        self._disks = [SmallDisk(world.postgres), SmallDisk(world.kafka)]
        try:
            await asyncio.gather(*(disk.move_in() for disk in self._disks))
            await world.keeper.until_ready()
            yield
        finally:
            await asyncio.gather(*(disk.move_out() for disk in self._disks))

    async def inject(self, blow: Blow) -> Hit:
        """Fills one of the disks, and leaves it full."""
        disk = self._disk(blow)
        await asyncio.to_thread(disk.fill)
        await asyncio.sleep(blow.dice.uniform(4, 8))
        return Hit(disk.part.name)

    async def heal(self, blow: Blow) -> None:
        """Gives the space back, and starts the part when it has ended, or does so over what it missed."""
        disk = self._disk(blow)
        disk.free()
        for _ in range(_LOOKS):
            child = disk.part.child
            if child is None or child.exit_code is not None:
                await disk.part.start(START_TIMEOUT_S)
                return
            await asyncio.sleep(_LOOK_S)

    def _disk(self, blow: Blow) -> SmallDisk:
        return self._disks[blow.round % len(self._disks)]
