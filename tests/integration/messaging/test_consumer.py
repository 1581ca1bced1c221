"""A consumer loses nothing and does nothing twice, whatever its handler and its database do."""

import asyncio
from collections.abc import Sequence

import httpx
import pytest
from httpx import ASGITransport
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.messaging.codec import Received
from tests.integration.messaging.bench import TENANT, Bench, owner, producing, send
from tests.integration.messaging.reading import Step, reading
from tests.support.waiting import wait_until


async def send_good(bench: Bench, numbers: Sequence[int], topic: str = "") -> None:
    async with producing(bench.stack) as producer:
        for number in numbers:
            await send(
                producer,
                bench.message(number, topic=topic or bench.topic.name),
                partition=number % bench.topic.partitions,
            )


async def send_bad(bench: Bench, count: int, topic: str = "") -> None:
    async with producing(bench.stack) as producer:
        for _ in range(count):
            await producer.send_and_wait(topic or bench.topic.name, value=b"?")


def failing_on(numbers: set[int]) -> Step:
    """A handler that a certain message always breaks."""

    async def step(_: AsyncConnection, messages: Sequence[Received]) -> None:
        bad = [m.event.version for m in messages if m.event and m.event.version in numbers]
        if bad:
            raise KeyError(f"cannot handle {bad}")

    return step


def failing_times(times: int, sql: str) -> Step:
    """A database that fails so many times."""
    left = iter(range(times))

    async def step(connection: AsyncConnection, _: Sequence[Received]) -> None:
        if next(left, None) is not None:
            await connection.execute(text(sql))

    return step


async def test_a_record_its_handler_cannot_take_is_put_aside_alone(bench: Bench) -> None:
    await send_good(bench, range(1, 101))
    async with reading(bench, failing_on({17, 18, 90})) as reader:
        await reader.caught_up()
        assert await reader.handled() == sorted(set(range(1, 101)) - {17, 18, 90})
        assert await reader.told() == await reader.handled()
        letters = await bench.rows("dead_letters", "kafka_offset")
        assert [x.kafka_offset for x in letters] == [16, 17, 89]
        assert {(x.tenant_id, x.error_class) for x in letters} == {(TENANT, "KeyError")}
        await reader.read_again()
        assert len(await bench.rows("dead_letters")) == 3
        assert len(await reader.told()) == 97


async def test_what_an_error_says_cannot_keep_its_letter_from_being_stored(bench: Bench) -> None:
    async def step(_: AsyncConnection, __: Sequence[Received]) -> None:
        raise ValueError("NUL \0 and a lone surrogate \ud800")

    await send_good(bench, [1])
    async with reading(bench, step) as reader:
        await reader.caught_up()
    [letter] = await bench.rows("dead_letters")
    assert letter.error == "NUL \\x00 and a lone surrogate \\ud800"


@pytest.mark.parametrize(
    "state", ["40001", "40P01", "08006", "53300", "53100", "55P03", "57P01", "58030"]
)
async def test_a_failure_that_passes_is_waited_for_and_nothing_is_lost(
    bench: Bench, state: str
) -> None:
    await send_good(bench, range(1, 21))
    sql = f"DO $$ BEGIN RAISE EXCEPTION 'soon' USING ERRCODE = '{state}'; END $$"
    async with reading(bench, failing_times(2, sql)) as reader:
        await wait_until(lambda: len(reader.batches) >= 3, "two repeats")
        await reader.caught_up()
        assert await reader.told() == await reader.handled() == list(range(1, 21))
    assert await bench.rows("dead_letters") == []


async def test_a_connection_lost_in_the_middle_loses_nothing(bench: Bench) -> None:
    await send_good(bench, range(1, 21))
    kill = "SELECT pg_terminate_backend(pg_backend_pid())"
    async with reading(bench, failing_times(1, kill)) as reader:
        await wait_until(lambda: len(reader.batches) >= 2, "a repeat")
        await reader.caught_up()
        assert await reader.told() == await reader.handled() == list(range(1, 21))
    assert await bench.rows("dead_letters") == []


async def test_while_the_database_refuses_logins_nothing_is_committed_and_later_all_is_handled(
    bench: Bench,
) -> None:
    role = f"onelead_{bench.schema}"
    await send_good(bench, range(1, 21))
    async with owner(bench.stack) as connection:
        await connection.execute(text(f"ALTER ROLE {role} CONNECTION LIMIT 0"))
    async with reading(bench) as reader:
        await wait_until(lambda: reader.consumer._attempt >= 2, "two attempts")
        assert await reader.committed() == 0
        async with owner(bench.stack) as connection:
            await connection.execute(text(f"ALTER ROLE {role} CONNECTION LIMIT -1"))
        await reader.caught_up()
        assert await reader.handled() == list(range(1, 21))
    assert await bench.rows("dead_letters") == []


async def test_a_batch_over_several_partitions_is_read_again_whole(wide_bench: Bench) -> None:
    bench = wide_bench
    await send_good(bench, range(1, 301))
    sql = "DO $$ BEGIN RAISE EXCEPTION 'soon' USING ERRCODE = '40001'; END $$"
    async with reading(bench, failing_times(3, sql)) as reader:
        await reader.caught_up()
        assert await reader.handled() == list(range(1, 301))
        assert await reader.told() == list(range(1, 301))
        assert {m.partition for batch in reader.batches for m in batch} == {0, 1, 2}


async def test_a_value_that_fits_no_column_is_the_messages_fault_and_not_the_connections(
    bench: Bench,
) -> None:
    async def step(connection: AsyncConnection, messages: Sequence[Received]) -> None:
        if any(m.event and m.event.version == 3 for m in messages):
            await connection.execute(text("SELECT CAST(:n AS bigint)"), {"n": 2**70})

    await send_good(bench, range(1, 6))
    async with reading(bench, step) as reader:
        await reader.caught_up()
        assert await reader.handled() == [1, 2, 4, 5]
    [letter] = await bench.rows("dead_letters")
    assert "DataError" in letter.error


async def test_fifty_one_unreadable_in_a_row_stop_an_inner_topic_before_any_is_committed(
    bench: Bench,
) -> None:
    await send_good(bench, range(1, 11))
    async with reading(bench) as reader:
        await reader.caught_up()
        reader.base.health.ready = True
        assert await _ready(reader.base.health.app()) == (200, {})
        await send_bad(bench, 51)
        await send_good(bench, [11])
        await wait_until(lambda: reader.consumer.stopped_because, "the consumer has stopped")
        code, problems = await _ready(reader.base.health.app())
        assert code == 503
        assert "in a row" in problems[reader.consumer.name]
        await asyncio.sleep(1.0)
        letters = await bench.rows("dead_letters", "kafka_offset")
        assert len(letters) <= 50
        assert await reader.committed() == 10 + len(letters)
        assert await reader.handled() == list(range(1, 11))


async def _ready(app: object) -> tuple[int, dict[str, str]]:
    transport = ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://ops") as client:
        answer = await client.get("/readyz")
        return answer.status_code, answer.json()["problems"]


async def test_fifty_in_a_row_are_put_aside_and_reading_goes_on(bench: Bench) -> None:
    await send_bad(bench, 50)
    await send_good(bench, [1])
    await send_bad(bench, 50)
    await send_good(bench, [2])
    async with reading(bench) as reader:
        await reader.caught_up()
        assert await reader.handled() == [1, 2]
        assert reader.consumer.stopped_because is None
    assert len(await bench.rows("dead_letters")) == 100


async def test_a_handler_that_fails_on_everything_stops_after_fifty(bench: Bench) -> None:
    """A bad deploy: in one batch of hundreds just as in many small ones."""
    await send_good(bench, range(1, 201))
    async with reading(bench, failing_on(set(range(1, 201)))) as reader:
        await wait_until(lambda: reader.consumer.stopped_because, "the consumer has stopped")
        await asyncio.sleep(0.5)
    assert len(await bench.rows("dead_letters")) == 50


async def test_it_stops_too_when_each_message_comes_alone(bench: Bench) -> None:
    await send_good(bench, range(1, 81))
    step = failing_on(set(range(1, 81)))
    async with reading(bench, step, batch_max_records=1) as reader:
        await wait_until(lambda: reader.consumer.stopped_because, "the consumer has stopped")
    assert len(await bench.rows("dead_letters")) == 50


async def test_a_stopped_consumer_starts_where_it_stopped_once_the_deploy_is_mended(
    bench: Bench,
) -> None:
    await send_good(bench, range(1, 121))
    async with reading(bench, failing_on(set(range(1, 121)))) as reader:
        await wait_until(lambda: reader.consumer.stopped_because, "the consumer has stopped")
    async with reading(bench) as mended:
        await mended.caught_up()
        handled = await mended.handled()
    assert set(range(51, 121)) <= set(handled)


async def test_what_outsiders_send_badly_stops_nothing(tenants_bench: Bench) -> None:
    bench = tenants_bench
    topic = bench.topic.for_tenant(TENANT)
    await send_bad(bench, 120, topic)
    await send_good(bench, [1], topic)
    async with reading(bench) as reader:
        await reader.caught_up()
        assert await reader.handled() == [1]
        assert reader.consumer.stopped_because is None
        assert reader.subscription.problem() is None
    assert len(await bench.rows("dead_letters")) == 120
