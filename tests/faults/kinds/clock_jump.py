"""The clock of one process, or of all, jumps by a day and back; the database's and the broker's do not."""

import asyncio
from collections.abc import Sequence

from tests.faults.fault import Blow, FaultKind, Hit
from tests.faults.replicas import Replica
from tests.faults.wrong_clock import set_wrong

_DAY_S = 86_400.0


class ClockJump(FaultKind):
    """A day forward or back, and right again; in every third round one is killed while its clock is wrong."""

    name = "clock"
    title = "a clock a day ahead or behind"
    rounds = 8
    short_rounds = 2
    boxes = 20
    launched = True

    async def inject(self, blow: Blow) -> Hit:
        """Sets the clocks while inputs flow, and lets the processes work with them for a while."""
        by_s = -_DAY_S if blow.round % 4 in (1, 2) else _DAY_S
        there = [replica for replica in blow.world.keeper.replicas if replica.runs]
        hit = there if blow.round % 2 == 0 else [blow.dice.choice(there)]
        _set(hit, by_s)
        await asyncio.sleep(blow.dice.uniform(2, 4))
        killed = blow.dice.choice(hit) if blow.round % 3 == 2 else None
        if killed is not None:
            killed.kill()
        await asyncio.sleep(blow.dice.uniform(3, 5))
        told = "every process" if len(hit) > 1 else hit[0].name
        told += f" {'behind' if by_s < 0 else 'ahead'}"
        return Hit(f"{told}, {killed.name} killed" if killed else told)

    async def heal(self, blow: Blow) -> None:
        """All clocks are right again."""
        _set(blow.world.keeper.replicas, 0)


def _set(replicas: Sequence[Replica], by_s: float) -> None:
    for replica in replicas:
        set_wrong(replica.clock_file, by_s)
