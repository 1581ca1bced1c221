"""A service ends itself at a named point between two of its steps."""

import asyncio
from collections.abc import Sequence

from shared import clock
from tests.faults.fault import Blow, FaultKind, Hit
from tests.faults.history import Broken
from tests.faults.points import ANY, POINTS, WORKING, Point, arm
from tests.faults.replicas import Replica

_REACHED_WITHIN_S = 20.0
_POLL_S = 0.05
TIMES = 5
"""So often each point, in a long run."""
_FIRST = 9
"""One of the notifier's: what it leaves leased runs out while others are tried."""
_STRIDE = 5
"""A short run takes points from all over the list; it has no factor in common with their number."""


class NamedPoint(FaultKind):
    """kill -9 at each named point in turn."""

    name = "point"
    title = f"kill -9 at {len(POINTS)} named points"
    rounds = len(POINTS) * TIMES
    short_rounds = 6
    boxes = 10
    imported = 8
    launched = True
    within_s = 0.3

    def __init__(self, name: str | None = None, points: Sequence[Point] = POINTS) -> None:
        """`points`: those that are taken in turn."""
        super().__init__(name)
        self._points = points

    async def inject(self, blow: Blow) -> Hit:
        """Arms the point in a process and waits until it has ended there."""
        point = self._points[(_FIRST + blow.round * _STRIDE) % len(self._points)]
        service = blow.dice.choice(WORKING) if point.service == ANY else point.service
        [victim] = blow.world.keeper.of(service)
        arm(victim.arm_file, point, passes=blow.dice.randint(0, point.passes))
        target = f"{service}: {point.name}"
        if await ended_at(victim):
            return Hit(target)
        never = Broken(self.name, blow.round, f"{target} was never reached")
        return Hit(target, entries=[never])


async def ended_at(victim: Replica, within_s: float = _REACHED_WITHIN_S) -> bool:
    """Whether an armed process reaches its point in time; if not, it is armed no longer."""
    deadline_s = clock.monotonic_s() + within_s
    while victim.arm_file.exists():
        if clock.monotonic_s() > deadline_s:
            victim.arm_file.unlink(missing_ok=True)
            return False
        await asyncio.sleep(_POLL_S)
    return True
