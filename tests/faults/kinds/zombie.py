"""A replica stands still until the others hold it for dead, and is woken: it must not act on what it held."""

import asyncio
import random
import signal
from collections.abc import Sequence

import asyncpg

from tests.faults.fault import Blow, FaultKind, Hit
from tests.faults.replicas import Replica
from tests.faults.world import World

_SERVICES = ("ingest", "scoring", "recommender", "notifier")
STANDS_STILL_S = 9.0
"""Longer than a group membership lives (six seconds in this battery)."""
HOLDER_STANDS_STILL_S = 14.0
"""Longer than PostgreSQL leaves a relay its lock, and than the next holder waits before it publishes."""


class Zombie(FaultKind):
    """SIGSTOP, woken after its group membership has ended; in every other round a relay's holder."""

    name = "zombie"
    title = "SIGSTOP, woken after its membership ended"
    rounds = 5
    short_rounds = 1
    replicas = 2
    boxes = 20

    async def inject(self, blow: Blow) -> Hit:
        """Stops one for longer than its membership lives."""
        service = _SERVICES[blow.round % len(_SERVICES)]
        holder = None if blow.round % 2 else await holder_of(blow.world, service)
        return await stood_still(holder, blow.world.keeper.of(service), blow.dice)


async def stood_still(
    holder: Replica | None, others: Sequence[Replica], dice: random.Random
) -> Hit:
    """Stops the holder of a relay until another one holds it, or any until it is no member any more."""
    zombie = holder or dice.choice(others)
    zombie.signal(signal.SIGSTOP)
    await asyncio.sleep(HOLDER_STANDS_STILL_S if holder else STANDS_STILL_S)
    zombie.signal(signal.SIGCONT)
    return Hit(f"zombie {zombie.name} ({'held the relay' if holder else 'any'})")


async def holder_of(world: World, service: str) -> Replica | None:
    """The replica that publishes the service's outbox."""
    connection = await asyncpg.connect(world.owner_url.replace("+asyncpg", "", 1), timeout=10)
    try:
        statement = f"SELECT holder FROM {service}.relay_holders ORDER BY shard LIMIT 1"
        holder = str(await connection.fetchval(statement) or "")
    finally:
        await connection.close()
    names = {f"{service}/r{replica.number}": replica for replica in world.keeper.of(service)}
    return names.get(holder)
