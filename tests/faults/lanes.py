"""Runs kinds of faults side by side, each lane in a world of its own; gives their lines in their order."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.faults.battery import Battery
from tests.faults.checker import Verdict
from tests.faults.fault import FaultKind
from tests.faults.table import Line
from tests.faults.violation import Violation
from tests.faults.world import World, opened_world

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
    """The verdict on each kind after so many rounds of it; violations are told as they are found.

    Whichever world is free takes the next kind for which its services need not start anew, or just the next
    one. A kind that cannot be run to its end is one that is stuck, and its world is used no more.
    """
    lines: dict[str, Line] = {}
    waiting = list(kinds)
    tenants = [tenant for kind in kinds for tenant in kind.tenants]

    async def drive(number: int) -> None:
        async with opened_world(folder / f"home-{number}", tenants) as world:
            battery = Battery(world, folder, seed, say)
            while waiting:
                kind = _next(waiting, world)
                try:
                    verdict = await battery.run(kind, rounds(kind))
                except Exception as error:  # noqa: BLE001 - what others came to is to be told
                    lines[kind.name] = _stuck(kind, f"not run to its end: {error!r}")
                    say(f"{kind.title}: {error!r}")
                    return
                for violation in verdict.violations[:_SHOWN]:
                    say(f"{kind.title}: {violation}")
                lines[kind.name] = Line(kind.title, verdict)

    async with asyncio.TaskGroup() as driving:
        for number in range(min(LANES, len(kinds))):
            driving.create_task(drive(number))
    return [lines.get(kind.name) or _stuck(kind, "not run: no world was left") for kind in kinds]


def _next(waiting: list[FaultKind], world: World) -> FaultKind:
    """Takes what is next for a world from what waits."""
    kind = next((each for each in waiting if each.manner == world.runs), waiting[0])
    waiting.remove(kind)
    return kind


def _stuck(kind: FaultKind, what: str) -> Line:
    found = [Violation("stuck", kind.name, what)]
    return Line(kind.title, Verdict(found, rounds=0, inputs=0, leads=0, alerts=0, resume_s=[]))
