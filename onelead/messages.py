"""Publishes events to the broker, and reads topics from their beginning, for one command."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import KafkaConnectionError, KafkaError

from onelead.broker import no_answer, reaching, telling_of_silence
from shared import clock
from shared.errors import UserError
from shared.messaging.codec import OutboxMessage

_PUBLISH_TIMEOUT_S = 30.0
_READ_TIMEOUT_S = 30.0
_METADATA_TIMEOUT_S = 15.0
_POLL_MS = 200
_FETCHED_AT_ONCE = 2_000


class Publisher:
    """Sends messages and waits until the broker has them on disk."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def send(self, messages: Iterable[OutboxMessage]) -> None:
        """Sends all, then waits for all. Raises UserError when the broker does not take them."""
        try:
            # An idempotent publish never times out by itself.
            async with asyncio.timeout(_PUBLISH_TIMEOUT_S):
                waiting = [await self._send(message) for message in messages]
                await asyncio.gather(*waiting)
        except (KafkaError, TimeoutError) as error:
            raise UserError(
                f"Kafka did not take the messages: {str(error) or type(error).__name__}",
                hint="see Kafka's log (logs/kafka.log in the data folder); is its disk full?",
                exit_code=1,
            ) from None

    async def _send(self, message: OutboxMessage) -> "asyncio.Future[object]":
        sent: asyncio.Future[object] = await self._producer.send(
            message.topic,
            key=message.key.encode(),
            value=message.body,
            headers=[(name, value.encode()) for name, value in message.headers.items()],
        )
        return sent


@asynccontextmanager
async def publisher(bootstrap: str) -> AsyncIterator[Publisher]:
    """A publisher of messages as outboxes hold them. Raises UserError when no broker answers."""
    async with producing(bootstrap, linger_ms=5, max_batch_size=256 * 1024) as producer:
        yield Publisher(producer)


@asynccontextmanager
async def producing(bootstrap: str, **options: int) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that loses and doubles nothing. Raises UserError when no broker answers."""
    producer = AIOKafkaProducer(
        **reaching(bootstrap),
        client_id="onelead-command",
        acks="all",
        enable_idempotence=True,
        **options,
    )
    try:
        await producer.start()
    except KafkaError:
        await producer.stop()
        raise no_answer(bootstrap) from None
    try:
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def reader(bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer outside every group."""
    consumer = AIOKafkaConsumer(
        **reaching(bootstrap),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=50,
        max_poll_records=_FETCHED_AT_ONCE,
    )
    try:
        await consumer.start()
    except KafkaError:
        await consumer.stop()
        raise no_answer(bootstrap) from None
    try:
        with telling_of_silence(bootstrap):
            yield consumer
    finally:
        # Stopped soon after its start it lets a cancellation of its own out: not ours to pass on.
        await asyncio.wait({asyncio.ensure_future(consumer.stop())})


async def partitions_of(consumer: AIOKafkaConsumer, *topics: str) -> list[TopicPartition]:
    """All partitions of topics.

    Raises UserError for a topic that is not there, KafkaError when no broker says which are.
    """
    metadata = await _metadata(consumer)
    found = []
    for topic in topics:
        numbers = metadata.partitions_for_topic(topic)
        if not numbers:
            raise UserError(
                f"there is no topic {topic}", hint="see `onelead topics` and `onelead tenants`"
            )
        found += [TopicPartition(topic, number) for number in sorted(numbers)]
    # Asked for offsets of topics it does not follow, the client waits 0.1 s for each of them.
    await consumer._client.set_topics(topics)
    return found


async def _metadata(consumer: AIOKafkaConsumer) -> ClusterMetadata:
    """Asks again for a while: a Kafka that stood still for seconds takes its own brokers for gone."""
    deadline_s = clock.monotonic_s() + _METADATA_TIMEOUT_S
    while True:
        try:
            # The public `topics()` fetches the same and keeps the partitions to itself.
            return await consumer._client.fetch_all_metadata()
        except KafkaError as error:
            if clock.monotonic_s() > deadline_s:
                raise KafkaConnectionError("no broker says which topics there are") from error
        await asyncio.sleep(_POLL_MS / 1_000)


async def read_from_beginning(bootstrap: str, topic: str) -> list[ConsumerRecord]:
    """Everything that is on a topic now, partition by partition in order."""
    async with reader(bootstrap) as consumer:
        partitions = await partitions_of(consumer, topic)
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[ConsumerRecord] = []
        async with asyncio.timeout(_READ_TIMEOUT_S):
            while [p for p in partitions if await consumer.position(p) < ends[p]]:
                for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                    found += records
        return found
