"""The life of a service: it starts, says how it is, and stops in an order that leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx import ASGITransport
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import UserError
from shared.messaging.codec import Received
from shared.ops.composition import Base
from shared.ops.runtime import Service, serve
from tests.integration.messaging.bench import TENANT, Bench, everything_on, owner
from tests.integration.messaging.reading import Reader, reading
from tests.integration.messaging.test_consumer import failing_times, send_good
from tests.support.waiting import wait_until


@dataclass
class Life:
    """A running service and what happened to it, in order."""

    base: Base
    reader: Reader
    stop: asyncio.Event
    task: asyncio.Task[None]
    port_file: Path
    happened: list[str] = field(default_factory=list)

    async def ask(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient() as client:
            port = self.port_file.read_text()
            return await client.get(f"http://127.0.0.1:{port}{path}", timeout=10)

    async def started(self) -> None:
        await wait_until(lambda: self.base.health.ready or self.task.done(), "the service runs")

    async def ended(self) -> None:
        self.stop.set()
        async with asyncio.timeout(30):
            await self.task


@asynccontextmanager
async def living(bench: Bench, folder: Path) -> AsyncIterator[Life]:
    port_file = folder / "port"
    base = bench.base(ops_port_file=port_file)
    reader = Reader(bench, base)
    base.consume(bench.topic, reader.handle)
    stop = asyncio.Event()
    happened: list[str] = []
    service = _noting(base, happened)
    task = asyncio.create_task(serve(service, stop))
    life = Life(base, reader, stop, task, port_file, happened)
    try:
        yield life
    finally:
        stop.set()
        await asyncio.wait([task], timeout=30)
        await asyncio.wait(service.tasks, timeout=10)


def _noting(base: Base, happened: list[str]) -> Service:
    """The service with a worker that writes, and a note of each step of its life."""

    async def checked() -> None:
        happened.append("checked")

    async def work() -> None:
        happened.append("worker started")
        try:
            await asyncio.Event().wait()
        finally:
            happened.append(f"worker ended, ready is {base.health.ready}")

    async def closing() -> None:
        held = "held" if base.health.ready else "not ready"
        happened.append(f"closing, {held}")

    service = base.service(work)
    return replace(service, before=(*service.before, checked), after=(closing, *service.after))


async def test_it_starts_and_says_that_it_is_alive_and_ready(bench: Bench, tmp_path: Path) -> None:
    async with living(bench, tmp_path) as life:
        await life.started()
        for path, word in (("/healthz", "alive"), ("/readyz", "ready")):
            answer = await life.ask(path)
            assert answer.status_code == 200
            told = {"service": bench.schema, word: True, "problems": _none(word)}
            assert {name: answer.json()[name] for name in told} == told
        await life.ended()


def _none(word: str) -> Any:
    return [] if word == "alive" else {}


async def test_messages_go_through_it_from_topic_to_topic(bench: Bench, tmp_path: Path) -> None:
    await send_good(bench, range(1, 51))
    async with living(bench, tmp_path) as life:
        await life.started()
        await life.reader.caught_up()
        await life.ended()
    assert len(await everything_on(bench.stack, bench.output)) == 50
    assert await bench.rows("outbox") == []


async def test_it_stops_in_order_and_publishes_everything_committed(
    bench: Bench, tmp_path: Path
) -> None:
    async with living(bench, tmp_path) as life:
        await life.started()
        await wait_until(lambda: "worker started" in life.happened, "the worker runs")
        await bench.fill([bench.message(n, topic=bench.output) for n in range(1, 2_501)])
        await life.ended()
        assert life.happened == [
            "checked",
            "worker started",
            "worker ended, ready is False",
            "closing, not ready",
        ]
    assert await bench.rows("outbox") == []
    assert len(await everything_on(bench.stack, bench.output)) == 2_500
    holders = await bench.rows("relay_holders", tenants=["_relay_"])
    assert holders
    assert all(row.clean for row in holders)


async def test_after_a_stop_no_connection_and_no_ops_port_is_left(
    bench: Bench, tmp_path: Path
) -> None:
    async with living(bench, tmp_path) as life:
        await life.started()
        await life.ended()

        async def connections() -> int:
            async with owner(bench.stack) as connection:
                statement = text("SELECT count(*) FROM pg_stat_activity WHERE usename LIKE :role")
                role = {"role": f"onelead_{bench.schema}%"}
                return int(await connection.scalar(statement, role) or 0)

        async def gone() -> bool:
            return await connections() == 0

        _: bool = await wait_until(gone, "its connections are closed")
    with pytest.raises(httpx.ConnectError):
        await life.ask("/healthz")


async def test_it_does_not_start_with_a_role_that_sees_too_much(
    bench: Bench, tmp_path: Path
) -> None:
    async with owner(bench.stack) as connection:
        await connection.execute(text(f"ALTER ROLE onelead_{bench.schema} BYPASSRLS"))
    base = bench.base(ops_port_file=tmp_path / "port")
    with pytest.raises(UserError, match="BYPASSRLS"):
        await serve(base.service(), asyncio.Event())
    await base._close()
    assert not (tmp_path / "port").exists()


async def ask(base: Base, path: str) -> httpx.Response:
    transport = ASGITransport(app=base.health.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://ops") as client:
        return await client.get(path)


def sample(metrics: str, name: str, *labels: str) -> float:
    """The value of the one sample with this name and these label values."""
    [line] = [
        line
        for line in metrics.splitlines()
        if line.split("{")[0].split(" ")[0] == name and all(f'"{each}"' in line for each in labels)
    ]
    return float(line.rsplit(" ", 1)[1])


async def test_metrics_show_what_waits_for_the_broker_and_for_how_long(bench: Bench) -> None:
    base = bench.base()
    base.service()
    base.health.ready = True
    await bench.fill([bench.message(n) for n in range(1, 8)])
    await asyncio.sleep(0.2)
    shown = (await ask(base, "/metrics")).text
    assert sample(shown, "onelead_outbox_rows") == 7
    assert sample(shown, "onelead_outbox_oldest_seconds") >= 0.2
    assert (await ask(base, "/readyz")).status_code == 200
    await base._close()


async def test_a_message_that_waits_too_long_for_the_broker_turns_readiness_red(
    bench: Bench,
) -> None:
    base = bench.base()
    base.service()
    base.health.ready = True
    await bench.fill([bench.message(1)])
    async with owner(bench.stack) as connection:
        await connection.execute(text("SELECT set_config('app.tenants', :t, true)"), {"t": TENANT})
        await connection.execute(
            text(f"UPDATE {bench.schema}.outbox SET created_at = now() - interval '61 seconds'")
        )
    answer = await ask(base, "/readyz")
    assert answer.status_code == 503
    assert "1 messages wait for the broker" in answer.json()["problems"]["outbox"]
    await base._close()


async def test_metrics_show_open_dead_letters_and_a_database_that_does_not_answer(
    bench: Bench,
) -> None:
    async def refuse(_: AsyncConnection, __: Sequence[Received]) -> None:
        raise KeyError("no")

    await send_good(bench, [1, 2, 3])
    async with reading(bench, refuse) as reader:
        await reader.caught_up()
        reader.base.service()
        shown = (await ask(reader.base, "/metrics")).text
        assert sample(shown, "onelead_dead_letters_open") == 3
        name = reader.consumer.name
        assert sample(shown, "onelead_dead_letters_total", name, "KeyError") == 3
    base = bench.base(database_url="postgresql+asyncpg://nobody:no@127.0.0.1:1/none")
    base.service()
    problems = (await ask(base, "/readyz")).json()["problems"]
    assert {"database", "outbox", "start"} <= set(problems)
    await base._close()


async def test_lag_counts_what_is_not_handled_yet_even_while_its_batch_waits(
    bench: Bench,
) -> None:
    await send_good(bench, range(1, 11))
    sql = "DO $$ BEGIN RAISE EXCEPTION 'soon' USING ERRCODE = '40001'; END $$"
    async with reading(bench, failing_times(4, sql)) as reader:
        labels = (reader.consumer.name, bench.topic.name, "0")
        await wait_until(lambda: reader.consumer._attempt >= 3, "it waits for its next attempt")
        shown = (await ask(reader.base, "/metrics")).text
        assert sample(shown, "onelead_consumer_lag", *labels) == 10
        assert sample(shown, "onelead_handler_retries_total", labels[0]) >= 3
        await reader.caught_up()
        shown = (await ask(reader.base, "/metrics")).text
        assert sample(shown, "onelead_consumer_lag", *labels) == 0
        assert sample(shown, "onelead_messages_handled_total", *labels[:2]) == 10


async def test_a_consumer_that_makes_no_progress_turns_readiness_red_and_one_at_rest_does_not(
    bench: Bench,
) -> None:
    held = asyncio.Event()

    async def wait(_: AsyncConnection, __: Sequence[Received]) -> None:
        await held.wait()

    async with reading(bench, wait) as reader:
        await reader.caught_up()
        reader.consumer.last_progress_s -= 61
        assert reader.subscription.problem() is None
        await send_good(bench, [1])
        await wait_until(lambda: reader.batches, "the handler runs")
        assert reader.subscription.problem() is None
        reader.consumer.last_progress_s -= 61
        assert "no progress" in (reader.subscription.problem() or "")
        held.set()
        await reader.caught_up()
        assert reader.subscription.problem() is None


async def test_a_dead_coordinator_is_a_reason_to_end_the_process(bench: Bench) -> None:
    async with reading(bench) as reader:
        await reader.caught_up()
        assert reader.base.health.dead() == []
        coordinator = reader.subscription.kafka._coordinator  # type: ignore[union-attr]
        coordinator._coordination_task.cancel()
        await wait_until(reader.base.health.dead, "the probe sees it")
        assert (await ask(reader.base, "/healthz")).status_code == 503
