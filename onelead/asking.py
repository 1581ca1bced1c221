"""Publishes a command and waits on another topic for the answer to it."""

import asyncio
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from onelead.messages import partitions_of, publisher, reader
from shared import clock
from shared.errors import UserError
from shared.messaging.codec import OutboxMessage, Received, UnreadableMessageError, decode
from shared.topics import Topic

_POLL_MS = 200


async def answer_to(
    bootstrap: str,
    message: OutboxMessage,
    answers: Topic,
    is_answer: Callable[[Received], bool],
    *,
    timeout_s: float,
) -> Received | None:
    """Publishes the message and returns the first answer to it, None when none comes in time.

    Raises UserError when Kafka does not answer before anything is sent.
    """
    async with reader(bootstrap) as consumer:
        await _stand_at_the_end(consumer, bootstrap, answers, timeout_s)
        async with publisher(bootstrap) as out:
            await out.send([message])
        return await _first(consumer, is_answer, message.tenant_id, timeout_s)


async def _stand_at_the_end(
    consumer: AIOKafkaConsumer, bootstrap: str, answers: Topic, timeout_s: float
) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            partitions = await partitions_of(consumer, answers.name)
            consumer.assign(partitions)
            await consumer.seek_to_end(*partitions)
            for partition in partitions:
                # Seeks are lazy: settle them before anything is sent.
                await consumer.position(partition)
    except (TimeoutError, KafkaError):
        raise UserError(
            f"Kafka at {bootstrap} stopped answering; nothing was sent", exit_code=1
        ) from None


async def _first(
    consumer: AIOKafkaConsumer,
    is_answer: Callable[[Received], bool],
    tenant_id: str,
    timeout_s: float,
) -> Received | None:
    deadline_s = clock.monotonic_s() + timeout_s
    while clock.monotonic_s() < deadline_s:
        for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
            for record in records:
                try:
                    received = decode(record)
                except UnreadableMessageError:
                    continue
                if received.envelope.tenant_id == tenant_id and is_answer(received):
                    return received
    return None
