"""Runs the inbound pages beside the consumers, and puts together all that listens and asks."""

import asyncio
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from services.notifier.channels import AnyChannel
from services.notifier.channels.crm.channel import CrmChannel
from services.notifier.domain.plan import Plan
from services.notifier.inbound.pages import Inbound, Unsubscribe
from services.notifier.inbound.polling import CrmSync
from services.notifier.inbound.settings import InboundSettings
from shared.ops.composition import Base
from shared.ops.logs import get_logger
from shared.ops.runtime import Worker

_log = get_logger(__name__)


def inbound_workers(
    base: Base,
    opened: Mapping[str, AnyChannel],
    settings: InboundSettings,
    unsubscribe: Unsubscribe,
    plan: Plan | None = None,
) -> tuple[Worker, ...]:
    """What asks the CRMs among the sinks for changes, and what listens when a port is set.

    Raises UserError for half of the settings of unsubscribing.
    """
    crms = crm_channels(opened)
    workers: list[Worker] = []
    if crms:
        workers.append(CrmSync(base, crms, settings.crm_poll_s, plan).run)
    if settings.inbound_port is not None:
        inbound = Inbound(base, crms, settings.unsubscribing(), unsubscribe, plan)
        door = Door(settings.inbound_host, settings.inbound_port)
        workers.append(InboundServer(inbound, door).run)
    return tuple(workers)


def crm_channels(opened: Mapping[str, object]) -> dict[str, CrmChannel]:
    """Those of the sinks that are CRMs, by name."""
    return {name: sink for name, sink in opened.items() if isinstance(sink, CrmChannel)}


@dataclass(frozen=True)
class Door:
    """Where the server listens; port 0 takes a free one."""

    host: str
    port: int


class InboundServer:
    """Runs the application beside the consumers."""

    def __init__(self, inbound: Inbound, door: Door) -> None:
        self._inbound = inbound
        self._door = door
        self.port = 0

    async def run(self) -> None:
        """Serves until cancelled; then lets requests under way come to their end."""
        family = socket.AF_INET6 if ":" in self._door.host else socket.AF_INET
        listening = socket.create_server((self._door.host, self._door.port), family=family)
        self.port = listening.getsockname()[1]
        # No access log: an address to unsubscribe stands in the path.
        config = uvicorn.Config(
            self._inbound.app(),
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            limit_concurrency=200,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=5,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve([listening]), name="inbound server")
        _log.info("inbound", port=self.port)
        try:
            await asyncio.shield(serving)
        finally:
            server.should_exit = True
            await serving


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handlers: the runtime has the only ones."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals to the runtime."""
        yield
