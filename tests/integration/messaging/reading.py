"""A service that reads the bench's topic, notes what it handles and tells of it once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.messaging.codec import Received
from shared.messaging.consumer import Consumer
from shared.ops.composition import Base
from shared.ops.health_consumer import Subscription
from tests.integration.messaging.bench import TENANT, Bench
from tests.support.waiting import wait_until

Step = Callable[[AsyncConnection, Sequence[Received]], Awaitable[None]]


async def _nothing(_connection: AsyncConnection, _messages: Sequence[Received]) -> None:
    return


@dataclass
class Reader:
    """What a test looks at while the service reads."""

    bench: Bench
    base: Base
    step: Step = _nothing
    batches: list[list[Received]] = field(default_factory=list)

    async def handle(self, connection: AsyncConnection, messages: Sequence[Received]) -> None:
        """Notes messages and tells of the new ones on the output topic; `step` may fail after that."""
        self.batches.append(list(messages))
        new = {
            (row.topic, row.partition, row.kafka_offset)
            for row in await self.bench.keep(connection, messages)
        }
        told = [
            self.bench.message(
                m.event.version,
                topic=self.bench.output,
                tenant_id=m.envelope.tenant_id,
                subject=f"{m.topic}/{m.partition}/{m.offset}",
            )
            for m in messages
            if m.event and (m.topic, m.partition, m.offset) in new
        ]
        await self.base.outbox.add(connection, told)
        await self.step(connection, messages)

    @property
    def subscription(self) -> Subscription:
        return self.base.health.subscriptions[0]

    @property
    def consumer(self) -> Consumer:
        return self.subscription.consumer

    async def caught_up(self) -> None:
        """Waits until everything was read and its offsets are committed."""

        async def read() -> bool:
            client = self.subscription.kafka
            if client is None or not client.assignment():
                return False
            ends = await client.end_offsets(list(client.assignment()))
            held = [await client.committed(part) or 0 for part in ends]
            return held == list(ends.values()) and self.consumer._attempt == 0

        _: bool = await wait_until(read, "everything is read and committed")

    async def committed(self) -> int:
        """The offset up to which partition 0 of the bench's topic is done."""
        client = self.subscription.kafka
        assert client is not None
        return await client.committed(TopicPartition(self.bench.topic.name, 0)) or 0

    async def read_again(self) -> None:
        """As after a crash before the commit: from the beginning."""
        before = len(self.batches)
        client = self.subscription.kafka
        assert client is not None
        await client.seek_to_beginning()
        await wait_until(lambda: len(self.batches) > before, "something is read again")
        await asyncio.sleep(0.3)
        await self.caught_up()

    async def handled(self, *tenants: str) -> list[int]:
        """The versions noted, sorted."""
        rows = await self.bench.rows("handled", tenants=tenants or (TENANT,))
        return sorted(row.version for row in rows)

    async def told(self) -> list[int]:
        """The versions told of in the outbox, sorted; nothing publishes here."""
        rows = await self.bench.rows("outbox")
        return sorted(
            int(row.headers["ce_version"]) for row in rows if row.topic == self.bench.output
        )


@asynccontextmanager
async def reading(bench: Bench, step: Step = _nothing, **changes: Any) -> AsyncIterator[Reader]:
    """The service reads for the length of the block; its relay does not run."""
    base = bench.base(**changes)
    reader = Reader(bench, base, step)
    base.consume(bench.topic, reader.handle)
    await base.broker.start()
    try:
        yield reader
    finally:
        await base.broker.stop()
        await base._close()
