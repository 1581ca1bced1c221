"""The life of a service process: start in order, watch, stop in order, end when it must not go on."""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import uvicorn
from faststream.kafka import KafkaBroker

from shared.messaging.relay import Relay
from shared.ops.health import Health
from shared.ops.logs import get_logger
from shared.ops.watchdog import Watchdog
from shared.settings import ServiceSettings

_log = get_logger(__name__)
_WATCH_INTERVAL_S = 5.0
EXIT_RESTART_ME = 75

Worker = Callable[[], Awaitable[None]]


@dataclass
class Service:
    """Everything a composition root has put together.

    `workers` run beside the consumers until cancelled (ticks, dispatchers); `before` is awaited
    first (start-up checks), `after` last (closing pools).
    """

    name: str
    settings: ServiceSettings
    health: Health
    broker: KafkaBroker
    relay: Relay
    workers: tuple[Worker, ...] = ()
    before: tuple[Worker, ...] = ()
    after: tuple[Worker, ...] = ()
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


class _OpsServer(uvicorn.Server):
    """Uvicorn without its own signal handlers: the runtime has the only ones."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals to the runtime."""
        yield


async def run_until_signalled(make: Callable[[], Service]) -> None:
    """Runs a service until SIGTERM or SIGINT; ends the process with 75 when it must be restarted."""
    service = make()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(service, stop)


async def serve(service: Service, stop: asyncio.Event) -> None:
    """Starts a service, waits for `stop` and stops it again; leaves signals to the caller."""
    for check in service.before:
        await check()
    ops = await _start_ops(service)
    relay = asyncio.create_task(service.relay.run(), name="relay")
    await service.broker.start()
    workers = (*service.workers, service.health.watch, Watchdog(_end_because).run)
    service.tasks += [asyncio.create_task(_forever(w), name=_name(w)) for w in workers]
    service.health.ready = True
    _log.info("service started", ops_port=ops.config.port)
    await _until_stopped_or_lost(service, relay, stop)
    await _stop(service, relay, ops)


def _name(worker: Worker) -> str:
    return getattr(worker, "__qualname__", "worker")


async def _forever(worker: Worker) -> None:
    await worker()


async def _start_ops(service: Service) -> uvicorn.Server:
    settings = service.settings
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((settings.ops_host, settings.ops_port))
        port = probe.getsockname()[1]
    config = uvicorn.Config(
        service.health.app(), host=settings.ops_host, port=port, log_config=None, lifespan="off"
    )
    server = _OpsServer(config)
    service.tasks.append(asyncio.create_task(server.serve(), name="ops"))
    if settings.ops_port_file:
        settings.ops_port_file.write_text(str(port))
    return server


async def _until_stopped_or_lost(
    service: Service, relay: asyncio.Task[None], stop: asyncio.Event
) -> None:
    """Returns on a stop signal; a lost relay, worker or coordinator ends the process at once."""
    stopping = asyncio.create_task(stop.wait(), name="stop")
    while not stopping.done():
        watched: set[asyncio.Task[None] | asyncio.Task[bool]] = {stopping, relay, *service.tasks}
        done, _ = await asyncio.wait(
            watched, timeout=_WATCH_INTERVAL_S, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done - {stopping}:
            _end_process(f"{task.get_name()} ended", task.exception())
        for reason in service.health.dead():
            _end_process(reason, None)


def _end_process(reason: str, error: BaseException | None) -> None:
    """Ends without flushing anything; a supervisor starts a clean process."""
    _log.error("ending this process to be restarted", reason=reason, error=repr(error))
    os._exit(EXIT_RESTART_ME)


def _end_because(reason: str) -> None:
    _end_process(reason, None)


async def _stop(service: Service, relay: asyncio.Task[None], ops: uvicorn.Server) -> None:
    """Consumers first, then workers, then what they committed goes out, then the pools."""
    service.health.ready = False
    _log.info("service stopping")
    await service.broker.stop()
    workers = [task for task in service.tasks if task.get_name() != "ops"]
    for task in workers:
        task.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    service.relay.stop()
    with suppress(TimeoutError):
        async with asyncio.timeout(service.settings.stop_timeout_s):
            await relay
    for close in service.after:
        await close()
    ops.should_exit = True
    _log.info("service stopped")
