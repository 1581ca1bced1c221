"""What the relay promises: order, nothing lost, one publisher, no waiting behind the impossible."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError
from sqlalchemy import text

from onelead.dead_letters import send_again
from shared.messaging.codec import OutboxMessage
from shared.messaging.relay import Relay, RelayLostError
from shared.messaging.unpublishable import LARGEST_BYTES
from shared.ops.composition import Base
from tests.faults.proxy import half_open
from tests.integration.messaging.bench import (
    TENANT,
    Bench,
    create_topics,
    everything_on,
    owner,
)
from tests.support.linked_postgres import linked_postgres
from tests.support.waiting import wait_until

SOON_LOST = {"relay_publish_timeout_s": 2.0}
"""For a relay that is to be lost, and for its successor, which waits so long. Others keep the default:
on a busy machine two seconds without an answer lose a relay that is well."""


class WatchedRelay(Relay):
    """Keeps its producers, so that a test can close what a dying process would take with it."""

    def __init__(self, base: Base) -> None:
        super().__init__(base.relay_database, base.name, base.settings)
        self.producers: list[AIOKafkaProducer] = []

    def _producer(self) -> AIOKafkaProducer:
        self.producers.append(super()._producer())
        return self.producers[-1]


class Running:
    """A relay at work."""

    def __init__(self, relay: WatchedRelay, task: asyncio.Task[None], base: Base) -> None:
        self.relay = relay
        self.task = task
        self.base = base

    async def holds_all(self) -> None:
        await wait_until(
            lambda: len(self.relay.held_shards) == self.base.settings.relay_shards, "shards held"
        )

    async def die(self) -> None:
        """Ends as a killed process does: its connections just go."""
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task
        await self.base.relay_database.close()


@asynccontextmanager
async def relaying(bench: Bench, **changes: Any) -> AsyncIterator[Running]:
    base = bench.base(**changes)
    relay = WatchedRelay(base)
    task = asyncio.create_task(relay.run())
    try:
        yield Running(relay, task, base)
    finally:
        relay.stop()
        await asyncio.wait([task])
        for producer in relay.producers:
            await producer.stop()
        await base.relay_database.close()


def out(bench: Bench, number: int, **changes: Any) -> OutboxMessage:
    return bench.message(number, **({"topic": bench.output} | changes))


async def until_sent(bench: Bench) -> None:
    async def empty() -> bool:
        return not await bench.rows("outbox")

    _: bool = await wait_until(empty, "the outbox is empty")


async def versions_on(bench: Bench) -> list[int]:
    return [_version(record) for record in await everything_on(bench.stack, bench.output)]


def _version(record: Any) -> int:
    return int(dict(record.headers)["ce_version"])


async def test_messages_go_out_in_the_order_of_their_key_and_only_then_leave_the_outbox(
    bench: Bench,
) -> None:
    await bench.fill([out(bench, number) for number in range(1, 501)])
    assert len(await bench.rows("outbox")) == 500
    async with relaying(bench):
        await until_sent(bench)
    records = await everything_on(bench.stack, bench.output)
    assert len(records) == 500
    for key in {record.key for record in records}:
        numbers = [_version(record) for record in records if record.key == key]
        assert numbers == sorted(numbers)


async def test_more_than_one_chunk_waits_and_all_of_it_goes_out(bench: Bench) -> None:
    await bench.fill([out(bench, number) for number in range(1, 4_502)])
    async with relaying(bench):
        await until_sent(bench)
    assert sorted(await versions_on(bench)) == list(range(1, 4_502))


async def test_a_body_a_tombstone_and_the_headers_arrive_as_written(bench: Bench) -> None:
    written = out(bench, 1, traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01", batch_id="ü 1")
    removed = OutboxMessage(TENANT, bench.output, written.key, {"ce_version": "2"}, None)
    await bench.fill([written, removed])
    async with relaying(bench):
        await until_sent(bench)
    first, second = await everything_on(bench.stack, bench.output)
    assert (first.value, second.value) == (written.body, None)
    assert first.key == second.key == written.key.encode()
    assert dict(first.headers) == {name: raw.encode() for name, raw in written.headers.items()}


async def test_rows_stay_while_the_broker_does_not_answer(bench: Bench) -> None:
    await bench.fill([out(bench, 1)])
    async with relaying(bench, kafka_bootstrap="localhost:1") as running:
        with pytest.raises(KafkaConnectionError):
            await running.task
    assert len(await bench.rows("outbox")) == 1


async def test_a_shard_has_one_holder_and_another_relay_only_watches(bench: Bench) -> None:
    async with relaying(bench) as first:
        await first.holds_all()
        async with relaying(bench) as second:
            await bench.fill([out(bench, number) for number in range(1, 101)])
            await until_sent(bench)
            assert second.relay.held_shards == ()
    assert sorted(await versions_on(bench)) == list(range(1, 101))


async def test_after_a_clean_end_another_takes_over_without_waiting(bench: Bench) -> None:
    # Waiting would last longer than this test may.
    changes = {"relay_publish_timeout_s": 60.0}
    async with relaying(bench, **changes) as first:
        await first.holds_all()
        first.relay.stop()
        await first.task
        assert all(row.clean for row in await bench.rows("relay_holders", tenants=["_relay_"]))
    async with relaying(bench, **changes) as second:
        await second.holds_all()
        await bench.fill([out(bench, 1)])
        await until_sent(bench)
    assert await versions_on(bench) == [1]


async def test_after_an_unclean_end_another_waits_until_nothing_can_be_in_flight(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    async with relaying(bench) as first:
        await first.holds_all()
        await first.die()
        holders = await bench.rows("relay_holders", tenants=["_relay_"])
        assert not any(row.clean for row in holders)
        await bench.fill([out(bench, 1)])
        async with relaying(bench, relay_publish_timeout_s=60.0) as second:
            await asyncio.sleep(1.5)
            assert second.relay.held_shards == ()
            assert len(await bench.rows("outbox")) == 1
        async with relaying(bench, **SOON_LOST) as third:
            await third.holds_all()
            await until_sent(bench)
    assert await versions_on(bench) == [1]


async def test_a_relay_told_to_stop_while_it_waits_stops_and_leaves_the_wait_to_the_next(
    bench: Bench,
) -> None:
    async with relaying(bench) as first:
        await first.holds_all()
        await first.die()
    async with relaying(bench, relay_publish_timeout_s=60.0) as second:
        await wait_until(lambda: second.relay.producers, "the second has begun")
        await asyncio.sleep(0.5)
        second.relay.stop()
        async with asyncio.timeout(20):
            await second.task
    assert not any(row.clean for row in await bench.rows("relay_holders", tenants=["_relay_"]))


async def test_a_relay_whose_lock_is_gone_ends_and_publishes_nothing_more(bench: Bench) -> None:
    async with relaying(bench) as running:
        await running.holds_all()
        await bench.fill([out(bench, 1)])
        await until_sent(bench)
        async with owner(bench.stack) as connection:
            ended = await connection.scalars(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = :name"
                ),
                {"name": f"onelead-{bench.schema}_relay"},
            )
            assert ended.all() == [True]
        await bench.fill([out(bench, 2)])
        with pytest.raises(RelayLostError):
            await running.task
    assert await versions_on(bench) == [1]
    assert len(await bench.rows("outbox")) == 1


async def test_a_lock_whose_holder_is_no_longer_heard_goes_to_the_next(bench: Bench) -> None:
    async with (
        linked_postgres(bench.settings.database_url) as (link, url),
        relaying(bench, database_url=url, **SOON_LOST) as deaf,
    ):
        await deaf.holds_all()
        await link.set(half_open())
        with pytest.raises(RelayLostError):
            await deaf.task
        await bench.fill([out(bench, 1)])
        async with relaying(bench, **SOON_LOST) as running:
            await wait_until(lambda: running.relay.held_shards, "taken over", timeout_s=30)
            await until_sent(bench)
    assert await versions_on(bench) == [1]


async def test_a_row_committed_late_with_a_lower_id_is_published_too(bench: Bench) -> None:
    base = bench.base()
    async with relaying(bench):
        async with base.database.transaction({TENANT}) as slow:
            await base.outbox.add(slow, [out(bench, 1)])
            await bench.fill([out(bench, 2)])

            async def later_is_out() -> bool:
                return await versions_on(bench) == [2]

            _: bool = await wait_until(later_is_out, "the later row is out")
        await until_sent(bench)
    await base.database.close()
    assert await versions_on(bench) == [2, 1]


async def test_a_commit_wakes_the_relay(bench: Bench) -> None:
    """The poll alone would come after a minute."""
    async with relaying(bench, relay_poll_ms=60_000) as running:
        await running.holds_all()
        await asyncio.sleep(0.3)
        await bench.fill([out(bench, 1)])
        await until_sent(bench)


async def test_stopping_publishes_what_is_committed(bench: Bench) -> None:
    async with relaying(bench) as running:
        await running.holds_all()
        await bench.fill([out(bench, number) for number in range(1, 3_001)])
        running.relay.stop()
        await running.task
        assert await bench.rows("outbox") == []
    assert len(await versions_on(bench)) == 3_000


async def test_messages_to_a_topic_that_is_not_there_are_put_aside_and_the_others_go_on(
    bench: Bench,
) -> None:
    lost = [out(bench, n, topic=f"{bench.output}.none", key="default|é") for n in (1, 2)]
    await bench.fill([*lost, out(bench, 3)])
    async with relaying(bench):
        await until_sent(bench)
        letters = await bench.rows("dead_letters", "id")
        assert [(x.tenant_id, x.consumer, x.error_class, x.state) for x in letters] == [
            (TENANT, "relay", "MissingTopic", "open")
        ] * 2
        assert [bytes(x.body) for x in letters] == [m.body for m in lost]
        assert {bytes(x.key).decode() for x in letters} == {"default|é"}
    assert await versions_on(bench) == [3]


async def test_a_topic_that_comes_a_moment_later_still_gets_its_message(bench: Bench) -> None:
    late = f"{bench.output}.late"
    async with relaying(bench) as running:
        await running.holds_all()
        await bench.fill([out(bench, 1, topic=late)])
        await create_topics(bench.stack, late)
        await until_sent(bench)
    sent = len(await everything_on(bench.stack, late))
    assert sent + len(await bench.rows("dead_letters")) == 1


@pytest.mark.parametrize("spare", [0, 1])
async def test_what_is_too_large_for_a_broker_is_put_aside_and_what_just_fits_goes_out(
    bench: Bench, spare: int
) -> None:
    body = b"x" * (LARGEST_BYTES - len("default|1") - len("ce_version") - 1 - 10 + spare)
    huge = OutboxMessage(TENANT, bench.output, "default|1", {"ce_version": "1"}, body)
    await bench.fill([huge, out(bench, 2, key="default|1")])
    async with relaying(bench):
        await until_sent(bench)
    letters = await bench.rows("dead_letters")
    assert [x.error_class for x in letters] == ["TooLarge"] * spare
    assert await versions_on(bench) == ([2] if spare else [1, 2])


async def test_what_was_put_aside_can_be_sent_again_as_it_was(
    bench: Bench, stored: Callable[[Any], Any]
) -> None:
    late = f"{bench.output}.late"
    message = out(bench, 1, topic=late, traceparent="00-" + "c" * 32 + "-" + "d" * 16 + "-01")
    await bench.fill([message])
    async with relaying(bench):
        await until_sent(bench)
    [letter] = await bench.rows("dead_letters")
    await create_topics(bench.stack, late)
    await send_again(bench.stack.bootstrap, [stored(letter)])
    [record] = await everything_on(bench.stack, late)
    assert (record.key, record.value) == (message.key.encode(), message.body)
    assert dict(record.headers) == {name: raw.encode() for name, raw in message.headers.items()}
