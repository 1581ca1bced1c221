"""A replica stands still until the others hold it for dead, and is woken: it must not act on what it held."""

import asyncio
import signal

import asyncpg

from tests.faults.fault import Blow, FaultKind, Hit
from tests.faults.replicas import Replica
from tests.faults.world import World

_SERVICES = ("ingest", "scoring", "recommender", "notifier")
STANDS_STILL_S = 9.0
"""Longer than a group membership lives (six seconds in this battery)."""


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
        zombie = await holder_of(blow.world, service)
        what = "holds the relay"
        if zombie is None or blow.round % 2:
            zombie, what = blow.dice.choice(blow.world.keeper.of(service)), "any"
        zombie.signal(signal.SIGSTOP)
        await asyncio.sleep(STANDS_STILL_S)
        zombie.signal(signal.SIGCONT)
        return Hit(f"{zombie.name} ({what})")


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
