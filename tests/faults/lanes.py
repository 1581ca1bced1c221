"""Runs kinds of faults side by side, each lane in a world of its own; gives their lines in their order."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.faults.battery import Battery
from tests.faults.fault import FaultKind
from tests.faults.table import Line
from tests.faults.world import opened_world

LANES = 2
"""One is idle half of the time, waiting for what was broken: two keep two cores busy."""
_SHOWN = 30

Rounds = Callable[[FaultKind], int]


async def run(
    folder: Path,
    kinds: Sequence[FaultKind],
    seed: int,
    rounds: Rounds,
    say: Callable[[str], None] = lambda _: None,
) -> list[Line]:
    """The verdict on each kind after so many rounds of it; violations are told as they are found."""
    lines: dict[str, Line] = {}

    async def drive(number: int, lane: Sequence[FaultKind]) -> None:
        tenants = [tenant for kind in lane for tenant in kind.tenants]
        async with opened_world(folder / f"home-{number}", tenants) as world:
            battery = Battery(world, folder, seed, say)
            for kind in lane:
                verdict = await battery.run(kind, rounds(kind))
                for violation in verdict.violations[:_SHOWN]:
                    say(f"{kind.title}: {violation}")
                lines[kind.name] = Line(kind.title, verdict)

    async with asyncio.TaskGroup() as driving:
        for number, lane in enumerate(lanes_of(kinds, rounds)):
            driving.create_task(drive(number, lane))
    return [lines[kind.name] for kind in kinds if kind.name in lines]


def lanes_of(kinds: Sequence[FaultKind], rounds: Rounds) -> list[list[FaultKind]]:
    """Lanes of about as many rounds each; within a lane the kinds keep their order. No lane is empty."""
    lanes: list[list[FaultKind]] = [[] for _ in range(LANES)]
    for kind in sorted(kinds, key=rounds, reverse=True):
        min(lanes, key=lambda lane: sum(map(rounds, lane))).append(kind)
    return [sorted(lane, key=kinds.index) for lane in lanes if lane]
