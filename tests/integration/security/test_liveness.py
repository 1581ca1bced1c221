"""A consumer that cannot go on turns red and ends its process within 30 s; one that only waits does not."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx import ASGITransport
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import clock
from shared.messaging.codec import Received
from shared.ops.composition import Base
from shared.ops.health_consumer import HANDLER_STUCK_AFTER_S, LOOKS_IN_VAIN, Subscription
from shared.ops.health_probes import UNHELD_TOO_LONG_S
from shared.ops.runtime import EXIT_RESTART_ME
from shared.ops.watchdog import Watchdog
from tests.integration.messaging.bench import Bench, new_bench
from tests.integration.messaging.reading import Reader, reading
from tests.integration.messaging.test_consumer import failing_times, send_good
from tests.integration.messaging.test_process import is_ready, port_of
from tests.integration.security import failing_service
from tests.support.stack import Stack
from tests.support.waiting import wait_until

RED_WITHIN_S = 30.0


@pytest.fixture
async def bench(migrated: Stack) -> AsyncIterator[Bench]:
    async with new_bench(migrated) as made:
        yield made


async def ask(base: Base, path: str) -> httpx.Response:
    transport = ASGITransport(app=base.health.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://ops") as client:
        return await client.get(path)


async def look(subscription: Subscription, times: int = LOOKS_IN_VAIN) -> None:
    for _ in range(times):
        await subscription.look()


@asynccontextmanager
async def at_rest(bench: Bench, **changes: Any) -> AsyncIterator[Reader]:
    async with reading(bench, **changes) as reader:
        await reader.caught_up()
        yield reader


async def stall(reader: Reader) -> None:
    """From now on the loop takes nothing; the wait that was under way is over."""
    failing_service.stall_loop(reader.subscription)
    await asyncio.sleep(10 * reader.bench.settings.fetch_max_wait_ms / 1_000)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (failing_service.end_coordinator, "coordinator task has ended"),
        (failing_service.end_fetching, "fetching task has ended"),
        (failing_service.end_loop, "consuming task has ended"),
    ],
)
async def test_each_task_under_a_consumer_is_a_reason_to_end_when_it_has_ended(
    bench: Bench, fault: Callable[[Subscription], None], said: str
) -> None:
    async with at_rest(bench) as reader:
        assert reader.base.health.dead() == []
        fault(reader.subscription)
        [reason] = await wait_until(reader.base.health.dead, "the probe sees it")
        assert said in reason
        for path in ("/healthz", "/readyz"):
            answer = await ask(reader.base, path)
            assert answer.status_code == 503
            assert said in answer.text


async def test_a_loop_that_takes_nothing_of_what_waits_is_a_reason_to_end(bench: Bench) -> None:
    async with at_rest(bench) as reader:
        await stall(reader)
        await send_good(bench, [1])
        await look(reader.subscription, LOOKS_IN_VAIN - 1)
        assert reader.base.health.dead() == []
        await look(reader.subscription, 1)
        [reason] = reader.base.health.dead()
        assert "nothing of what waits was taken" in reason
        assert reader.subscription.shown()["lag"] == 1


async def test_a_consumer_at_rest_and_one_that_retries_are_left_alone(bench: Bench) -> None:
    sql = "DO $$ BEGIN RAISE EXCEPTION 'soon' USING ERRCODE = '40001'; END $$"
    async with reading(bench, failing_times(5, sql)) as reader:
        await look(reader.subscription)
        assert reader.base.health.dead() == []
        await send_good(bench, [1])
        while reader.consumer._attempt < 4:
            await look(reader.subscription, 1)
            assert reader.base.health.dead() == []
            await asyncio.sleep(0.02)
        await reader.caught_up()
        await look(reader.subscription)
        assert reader.base.health.dead() == []


async def test_a_turn_of_the_handler_begins_the_count_anew(bench: Bench) -> None:
    async with at_rest(bench) as reader:
        await stall(reader)
        await send_good(bench, [1])
        await look(reader.subscription, LOOKS_IN_VAIN - 1)
        reader.consumer.last_turn_s += 0.001
        await look(reader.subscription, LOOKS_IN_VAIN - 1)
        assert reader.base.health.dead() == []


async def test_a_broker_that_does_not_answer_is_not_held_against_the_consumer(
    bench: Bench,
) -> None:
    async with at_rest(bench) as reader:
        await stall(reader)
        await send_good(bench, [1])
        await look(reader.subscription, LOOKS_IN_VAIN - 1)
        client = reader.subscription.kafka
        assert client is not None

        async def no_answer(*_: object) -> None:
            raise TimeoutError

        answering, client.end_offsets = client.end_offsets, no_answer
        await look(reader.subscription, 1)
        client.end_offsets = answering
        await look(reader.subscription, LOOKS_IN_VAIN - 1)
        assert reader.base.health.dead() == []


async def test_a_handler_that_does_not_come_back_is_a_reason_to_end(bench: Bench) -> None:
    held = asyncio.Event()

    async def wait(_: AsyncConnection, __: Sequence[Received]) -> None:
        await held.wait()

    await send_good(bench, [1])
    async with reading(bench, wait) as reader:
        await wait_until(lambda: reader.batches, "the handler runs")
        await look(reader.subscription)
        assert reader.base.health.dead() == []
        reader.consumer.last_turn_s -= HANDLER_STUCK_AFTER_S + 1
        assert "has not come back" in reader.base.health.dead()[0]
        held.set()
        await reader.caught_up()
        assert reader.base.health.dead() == []


async def test_readiness_shows_consumers_database_outbox_and_relay(bench: Bench) -> None:
    async with at_rest(bench) as reader:
        await bench.fill([bench.message(1)])
        reader.base.service()
        reader.base.health.ready = True
        shown = (await ask(reader.base, "/readyz")).json()
    consumer = shown["consumers"][reader.consumer.name]
    assert consumer["coordinator"] == "known"
    assert (consumer["partitions"], consumer["lag"], consumer["in_hand"]) == (1, 0, 0)
    assert consumer["seconds_since_progress"] >= 0
    assert shown["database"] == "answers"
    assert shown["outbox"]["waiting"] == 1
    assert shown["outbox"]["oldest_s"] >= 0
    assert shown["relay"] == {"ours": [], "others": [], "nobodys": [0, 1, 2, 3]}


async def test_shards_that_nobody_publishes_for_long_turn_readiness_red(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = bench.base()
    service = base.service()
    base.health.ready = True
    assert (await ask(base, "/readyz")).status_code == 200
    now_s = clock.monotonic_s()
    monkeypatch.setattr(clock, "monotonic_s", lambda: now_s + UNHELD_TOO_LONG_S + 5)
    assert "nobody publishes" in (await ask(base, "/readyz")).json()["problems"]["relay"]
    monkeypatch.undo()
    other = bench.base()
    elsewhere = other.service().relay
    task = asyncio.create_task(elsewhere.run())
    await wait_until(lambda: len(elsewhere.held_shards) == 4, "the other holds them")
    answer = await ask(base, "/readyz")
    assert answer.status_code == 200
    assert answer.json()["relay"] == {"ours": [], "others": [0, 1, 2, 3], "nobodys": []}
    assert service.relay.held_shards == ()
    elsewhere.stop()
    await task
    await base._close()
    await other._close()


async def test_a_probe_that_does_not_come_back_is_told_and_holds_up_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs() -> str | None:
        await asyncio.Event().wait()
        return None

    monkeypatch.setattr("shared.ops.health.PROBE_TIMEOUT_S", 0.2)
    base = bench.base()
    base.service()
    base.health.probes["slow"] = hangs
    base.health.ready = True
    answer = await ask(base, "/readyz")
    assert answer.json()["problems"] == {"slow": "no answer within 0.2 s"}
    assert answer.json()["database"] == "answers"
    await base._close()


@asynccontextmanager
async def process(
    bench: Bench, folder: Path, how: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The service whose consumer can be made to fail, once it is ready."""
    port_file = folder / "port"
    settings = bench.settings.model_copy(update={"ops_port_file": port_file})
    environment = {
        f"ONELEAD_{name}".upper(): str(value)
        for name, value in settings.model_dump(exclude_none=True).items()
    }
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.security.failing_service"),
        *(bench.schema, bench.topic.name, how),
        env=os.environ | environment,
    )
    try:

        async def ready() -> bool:
            return await is_ready(port_of(port_file))

        _: bool = await wait_until(ready, "the process is ready")
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["coordinator", "fetching", "loop", "stalled"])
async def test_the_process_ends_within_30_seconds_to_be_restarted(
    bench: Bench, tmp_path: Path, how: str
) -> None:
    async with process(bench, tmp_path, how) as service:
        service.send_signal(signal.SIGUSR1)
        await asyncio.sleep(0.5)
        await send_good(bench, [1])
        async with asyncio.timeout(RED_WITHIN_S):
            assert await service.wait() == EXIT_RESTART_ME


async def test_the_watchdog_barks_at_a_loop_that_stands_still_and_at_no_other() -> None:
    heard: list[str] = []
    barked = threading.Event()

    def bark(reason: str) -> None:
        heard.append(reason)
        barked.set()

    task = asyncio.create_task(Watchdog(bark, interval_s=0.05, patience=10).run())
    await asyncio.sleep(1)
    assert heard == []
    assert barked.wait(10)
    assert heard == ["the event loop stands still for 0.5 s"]
    task.cancel()
    await asyncio.wait([task])


async def test_the_watchdogs_thread_ends_with_it() -> None:
    task = asyncio.create_task(Watchdog(lambda _: None, interval_s=0.05).run())
    await wait_until(lambda: _watchdogs() == 1, "its thread runs")
    task.cancel()
    await wait_until(lambda: _watchdogs() == 0, "its thread has ended")


def _watchdogs() -> int:
    return sum(thread.name == "watchdog" for thread in threading.enumerate())
