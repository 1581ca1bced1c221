"""Kafka is killed and stays away for a while."""

import asyncio

from tests.faults.fault import Blow, FaultKind, Hit
from tests.faults.world import START_TIMEOUT_S


class KafkaKilled(FaultKind):
    """kill -9 of the only broker."""

    name = "kafka"
    title = "kill -9 of Kafka"
    rounds = 3
    short_rounds = 1
    boxes = 20

    async def inject(self, blow: Blow) -> Hit:
        """Kills it, and leaves the services alone without it."""
        blow.world.kafka.kill()
        await asyncio.sleep(blow.dice.uniform(1, 4))
        return Hit("Kafka")

    async def heal(self, blow: Blow) -> None:
        """Starts it over the same data."""
        await blow.world.kafka.start(START_TIMEOUT_S)
