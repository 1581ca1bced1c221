"""The links of a world: of each service to Kafka and to PostgreSQL, of the notifier to its sinks."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from onelead.edition import ports
from onelead.edition.kafka import Listener
from onelead.edition.postgres import DATABASE, SUPERUSER
from onelead.edition.service import SERVICES
from tests.faults.proxy import NONE, Link
from tests.support.lasting_port import lasting_port

KAFKA, POSTGRES = "Kafka", "PostgreSQL"
SINKS = ("webhook", "slack", "salesforce")
"""By their channels."""
_SOCKET = ".s.PGSQL.5432"


class Network:
    """A proxy on every link. Whoever feeds or observes a world goes past them."""

    def __init__(self, sockets: Path) -> None:
        """`sockets`: the folder of PostgreSQL's socket."""
        self.links: dict[tuple[str, str], Link] = {}
        """By who calls and who is called."""
        self._kafka = {service: lasting_port() for service in SERVICES}
        for service, port in self._kafka.items():
            self._add(service, KAFKA, partial(asyncio.open_connection, ports.HOST, port))
            connect = partial(asyncio.open_unix_connection, str(sockets / _SOCKET))
            self._add(service, POSTGRES, connect)

    def _add(self, client: str, server: str, connect: Any) -> None:
        self.links[client, server] = Link(f"{client}–{server}", connect)

    async def open(self) -> None:
        """Opens the links, all in order."""
        for link in self.links.values():
            await link.set(NONE)

    async def close(self) -> None:
        """Ends all links."""
        await asyncio.gather(*(link.close() for link in self.links.values()))

    def listeners(self) -> Sequence[Listener]:
        """Kafka's, one for each service: it must name the link's port to that service only."""
        return [
            Listener(service.upper(), port, self.links[service, KAFKA].port)
            for service, port in self._kafka.items()
        ]

    def bootstrap(self, service: str) -> str:
        """Kafka's address for a service."""
        return f"{ports.HOST}:{self.links[service, KAFKA].port}"

    def owner_url(self, service: str) -> str:
        """PostgreSQL's address for a service, as its owner's."""
        place = f"{ports.HOST}:{self.links[service, POSTGRES].port}"
        return f"postgresql+asyncpg://{SUPERUSER}@{place}/{DATABASE}"

    async def add_sinks(self, addresses: Mapping[str, Any]) -> None:
        """Opens the notifier's links to its stand-ins."""
        port = urlsplit(addresses["page_url"]).port
        for sink in SINKS:
            self._add("notifier", sink, partial(asyncio.open_connection, ports.HOST, port))
            await self.links["notifier", sink].set(NONE)

    def sink(self, sink: str, addresses: Mapping[str, Any]) -> dict[str, Any]:
        """The stand-ins' addresses as they are reached over the link to one of them."""
        place = f"{ports.HOST}:{self.links['notifier', sink].port}"
        return {
            name: urlunsplit(urlsplit(addresses[name])._replace(netloc=place))
            for name in ("page_url", "salesforce_url")
        }
