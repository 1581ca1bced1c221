"""A service that must not go on ends its process at once, and the next one loses nothing."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from shared.ops.runtime import EXIT_RESTART_ME
from tests.integration.messaging.bench import Bench, everything_on, owner
from tests.integration.messaging.test_relay import SOON_LOST, until_sent
from tests.support.waiting import wait_until


@asynccontextmanager
async def process(
    bench: Bench, folder: Path, **changes: Any
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The service as a process, once it is ready."""
    port_file = folder / "port"
    port_file.unlink(missing_ok=True)
    settings = bench.settings.model_copy(update={"ops_port_file": port_file} | changes)
    environment = {
        f"ONELEAD_{name}".upper(): str(value)
        for name, value in settings.model_dump(exclude_none=True).items()
    }
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.messaging.service_process"),
        *(bench.schema, bench.topic.name),
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


def port_of(port_file: Path) -> str:
    return port_file.read_text() if port_file.exists() else ""


async def is_ready(port: str) -> bool:
    if not port:
        return False
    async with httpx.AsyncClient() as client:
        try:
            answer = await client.get(f"http://127.0.0.1:{port}/readyz", timeout=5)
        except httpx.TransportError:
            return False
        return answer.status_code == 200


async def test_a_lost_relay_ends_the_process_to_be_restarted_and_nothing_is_lost_or_doubled(
    bench: Bench, tmp_path: Path
) -> None:
    async with process(bench, tmp_path) as first:
        await bench.fill([bench.message(1, topic=bench.output)])
        await until_sent(bench)
        async with owner(bench.stack) as connection:
            await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = :name"
                ),
                {"name": f"onelead-{bench.schema}_relay"},
            )
        await bench.fill([bench.message(2, topic=bench.output)])
        async with asyncio.timeout(30):
            assert await first.wait() == EXIT_RESTART_ME
    assert len(await bench.rows("outbox")) == 1
    async with process(bench, tmp_path, **SOON_LOST):
        await until_sent(bench)
    assert len(await everything_on(bench.stack, bench.output)) == 2


async def test_a_signal_to_stop_ends_it_with_nothing_left_to_do(
    bench: Bench, tmp_path: Path
) -> None:
    async with process(bench, tmp_path) as service:
        await bench.fill([bench.message(n, topic=bench.output) for n in range(1, 501)])
        service.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await service.wait() == 0
    assert await bench.rows("outbox") == []
    assert len(await everything_on(bench.stack, bench.output)) == 500


async def test_a_killed_process_leaves_what_it_had_not_published_to_the_next(
    bench: Bench, tmp_path: Path
) -> None:
    async with process(bench, tmp_path) as service:
        await bench.fill([bench.message(n, topic=bench.output) for n in range(1, 3_001)])
        service.kill()
        await service.wait()
    async with process(bench, tmp_path, **SOON_LOST):
        await until_sent(bench)
    sent = await everything_on(bench.stack, bench.output)
    assert {dict(r.headers)["ce_version"] for r in sent} == {b"%d" % n for n in range(1, 3_001)}
