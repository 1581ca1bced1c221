"""A header name that is not UTF-8, which only a strange client sends, stops nothing."""

import asyncio
import os
import sys

import pytest

from tests.integration.messaging.bench import Bench, everything_on, producing, send
from tests.integration.messaging.reading import reading
from tests.integration.messaging.test_relay import relaying, until_sent

STRANGE_CLIENT = """
import asyncio, sys
from aiokafka import AIOKafkaProducer

class Name(str):
    def encode(self, *_, **__):
        return b"\\xff\\xfe"

async def main(bootstrap, topic, codec):
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, compression_type=codec or None, linger_ms=200
    )
    await producer.start()
    ours = [("ce_type", b"com.onelead.day.derived.v1"), ("ce_tenant", b"default")]
    sent = []
    for n in (2, 3, 4):
        body = b'{"version": %d, "as_of": "2025-10-09"}' % n
        headers = [*ours, (Name("x"), b"1")] if n == 3 else ours
        sent.append(await producer.send(topic, value=body, headers=headers))
    sent.append(await producer.send(topic, value=b"?", headers=[(Name("x"), None)]))
    await asyncio.gather(*sent)
    await producer.stop()

asyncio.run(main(*sys.argv[1:]))
"""


async def send_strangely(bench: Bench, codec: str) -> None:
    """Three readable records, one with such a name, and an unreadable one, in one Kafka batch."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STRANGE_CLIENT, bench.stack.bootstrap, bench.topic.name, codec),
        env={**os.environ, "AIOKAFKA_NO_EXTENSIONS": "1"},
    )
    assert await process.wait() == 0


@pytest.mark.parametrize("codec", ["", "gzip"])
async def test_it_is_read_with_the_rest_of_its_batch_and_nothing_stops(
    bench: Bench, codec: str
) -> None:
    async with producing(bench.stack) as producer:
        await send(producer, bench.message(1))
        await send_strangely(bench, codec)
        await send(producer, bench.message(5))
    async with reading(bench) as reader:
        await reader.caught_up()
        assert await reader.handled() == [1, 2, 3, 4, 5]
        await reader.read_again()
        assert await reader.told() == [1, 2, 3, 4, 5]
    [letter] = await bench.rows("dead_letters")
    assert bytes(letter.body) == b"?"
    assert letter.headers == [["\\xff\\xfe", None]]
    async with relaying(bench):
        await until_sent(bench)
    assert len(await everything_on(bench.stack, f"{bench.topic.name}.dead-letter")) == 1
