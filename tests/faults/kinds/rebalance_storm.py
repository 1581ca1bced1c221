"""Replicas come and go while inputs flow, some of them zombies: partitions and relays change hands."""

import asyncio

from onelead.edition.service import SERVICES
from tests.faults.fault import Blow, FaultKind, Hit
from tests.faults.kinds.zombie import holder_of, stood_still

_FEW, _MANY = 1, 3
_ALL_EVERY = 10
"""Every so many rounds all services change at once."""
_ZOMBIE_EVERY, _FIRST_ZOMBIE = 6, 2
_OF_ZOMBIES = ("scoring", "ingest", "recommender", "notifier")


class RebalanceStorm(FaultKind):
    """One replica becomes three or three become one; in every sixth round one of three is a zombie.

    Nobody waits until what was started is ready, or has a partition: the next change may come before.
    """

    name = "storm"
    title = f"replicas {_FEW}↔{_MANY}, one round in {_ZOMBIE_EVERY} with a zombie"
    rounds = 30
    short_rounds = 4
    boxes = 12

    async def inject(self, blow: Blow) -> Hit:
        """Changes a service's replicas, or every service's; or stops one for longer than it is a member."""
        if blow.round % _ZOMBIE_EVERY == _FIRST_ZOMBIE:
            return await _zombie(blow)
        every = blow.round % _ALL_EVERY == _ALL_EVERY - 1
        services = SERVICES if every else (blow.dice.choice(SERVICES),)
        changed = [await _changed(blow, service) for service in services]
        stops = [stop_s for _, stop_s in changed if stop_s is not None]
        told = ", ".join(what for what, _ in changed)
        return Hit(told, stop_s=round(max(stops), 2) if stops else None)


async def _changed(blow: Blow, service: str) -> tuple[str, float | None]:
    """What was done to a service, and how long the slowest stop took."""
    keeper = blow.world.keeper
    there = keeper.of(service)
    if len(there) == _FEW:
        blow.world.add_replicas(service, _MANY)
        return f"{service} {_FEW}→{_MANY}", None
    leaving = blow.dice.sample(there, len(there) - _FEW)
    took_s = await asyncio.gather(*(keeper.remove(replica) for replica in leaving))
    return f"{service} {_MANY}→{_FEW}", max(took_s)


async def _zombie(blow: Blow) -> Hit:
    """Among three replicas one stands still; the first zombie, and every other one, holds the relay."""
    number = blow.round // _ZOMBIE_EVERY
    service = _OF_ZOMBIES[number % len(_OF_ZOMBIES)]
    world = blow.world
    world.add_replicas(service, _MANY)
    await world.keeper.until_ready()
    holder = None if number % 2 else await holder_of(world, service)
    return await stood_still(holder, world.keeper.of(service), blow.dice)
