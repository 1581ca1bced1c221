"""All services are restarted by SIGTERM, one replica after the other, as a roll-out does."""

import asyncio
from collections.abc import Sequence

from tests.faults.checker import LONGEST_STOP_S
from tests.faults.fault import Blow, FaultKind, Hit
from tests.faults.replicas import Replica

_KILLED_AFTER_S = 30.0


class RollingRestart(FaultKind):
    """First the first replicas of all services, then the second ones; the other half goes on."""

    name = "rolling"
    title = f"SIGTERM, 2 replicas, each stop < {LONGEST_STOP_S:.0f} s"
    rounds = 20
    short_rounds = 1
    replicas = 2

    async def inject(self, blow: Blow) -> Hit:
        """Restarts both halves; the slowest stop counts."""
        keeper = blow.world.keeper
        slowest_s = 0.0
        for number in range(self.replicas):
            half = [replica for replica in keeper.replicas if replica.number == number]
            slowest_s = max(slowest_s, await _stop(half))
            await keeper.until_ready()
        return Hit("every service", stop_s=round(slowest_s, 2))


async def _stop(half: Sequence[Replica]) -> float:
    """Stops replicas side by side; the supervisor starts them again. Returns the longest time."""
    for replica in half:
        replica.held = True
    took_s = await asyncio.gather(*(replica.stop(_KILLED_AFTER_S) for replica in half))
    for replica in half:
        replica.held = False
        replica.start()
    return max(took_s)
