"""A TCP proxy for one link, which can be slowed, throttled, cut, reset or left half-open, each way apart.

Our own, for what Python has does not do it: toxic-proxy knows latency and bandwidth only, faultlib wants
Python 3.14, toxiproxy is a Go binary.
"""

import asyncio
import random
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from onelead.edition.ports import HOST

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Stream]]
_CHUNK = 64 * 1024
_SLICES_PER_S = 10


class Way(StrEnum):
    """One of the two ways of a link."""

    THERE = "requests"
    BACK = "answers"


BOTH = frozenset(Way)


class Door(Enum):
    """What happens to a connection: those that are there, and those that come."""

    OPEN = "is carried"
    SHUT = "is closed or refused"
    RESETS = "is reset"


@dataclass(frozen=True)
class Disorder:
    """What is wrong with a link, on these of its ways. What it swallows once it swallows for good.

    `delay_s` each piece waits, give or take `jitter_s`; `bytes_per_s` pass at most.
    """

    name: str = "none"
    ways: frozenset[Way] = BOTH
    delay_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: int | None = None
    swallows: bool = False
    door: Door = Door.OPEN

    def waits_s(self, size: int, dice: random.Random) -> float:
        """How long a piece of so many bytes is under way."""
        drawn_s = self.delay_s + dice.uniform(-self.jitter_s, self.jitter_s)
        return max(0.0, drawn_s) + (size / self.bytes_per_s if self.bytes_per_s else 0.0)

    def piece(self, data: bytes) -> int:
        """How many of these bytes go together."""
        return max(1, self.bytes_per_s // _SLICES_PER_S) if self.bytes_per_s else len(data)


NONE = Disorder()


def slow(delay_s: float, jitter_s: float, ways: frozenset[Way] = BOTH) -> Disorder:
    """Everything arrives, late and unevenly."""
    return Disorder("slow", ways, delay_s=delay_s, jitter_s=jitter_s)


def throttled(bytes_per_s: int, ways: frozenset[Way] = BOTH) -> Disorder:
    """Everything arrives, a few bytes at a time."""
    return Disorder("throttled", ways, bytes_per_s=bytes_per_s)


def half_open(ways: frozenset[Way] = BOTH) -> Disorder:
    """Bytes are taken and passed on never, nor is an end; who lived through it stays so."""
    return Disorder("half-open", ways, swallows=True)


CUT = Disorder("cut", door=Door.SHUT)
RESET = Disorder("reset", door=Door.RESETS)


class Link:
    """The only way of a client to a server: the client connects to `port`, `connect` reaches the server."""

    def __init__(self, name: str, connect: Connect) -> None:
        self.name = name
        self.disorder = NONE
        self.dice = random.Random(name)  # noqa: S311 - jitter guards nothing
        self._connect = connect
        # Held without listening: while the link is cut nobody else may get the port.
        self._place = _bound(0)
        self.port: int = self._place.getsockname()[1]
        self._listening: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        """How many there are, those that are no longer of use among them."""
        return len(self._connections)

    async def set(self, disorder: Disorder) -> None:
        """Puts a disorder in the place of the one before; `NONE` heals."""
        self.disorder = disorder
        if disorder.door is Door.SHUT:
            self._stop_listening()
        elif self._listening is None:
            self._listening = await asyncio.start_server(self._accepted, sock=_bound(self.port))
        for connection in self._connections:
            connection.suffer(disorder)

    async def close(self) -> None:
        """Ends everything that it has begun."""
        self._stop_listening()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._place.close()

    def _stop_listening(self) -> None:
        if self._listening is not None:
            self._listening.close()
            self._listening = None

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry((reader, writer)), name=self.name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, client: Stream) -> None:
        if self.disorder.door is not Door.OPEN:
            _end(client, reset=self.disorder.door is Door.RESETS)
            return
        try:
            server = await self._connect()
        except BaseException as error:
            client[1].transport.abort()
            if isinstance(error, OSError):
                return
            raise
        connection = _Connection(self, client, server)
        self._connections.add(connection)
        connection.suffer(self.disorder)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)


@dataclass(eq=False)
class _Connection:
    """One connection of a client, and the one to the server that belongs to it."""

    link: Link
    client: Stream
    server: Stream
    lost: set[Way] = field(default_factory=set)
    """The ways on which nothing will ever pass again."""

    def suffer(self, disorder: Disorder) -> None:
        """What a disorder does to a connection that is there when it comes, or comes while it is there."""
        if disorder.swallows:
            self.lost |= disorder.ways
        if disorder.door is not Door.OPEN:
            for stream in (self.client, self.server):
                _end(stream, reset=disorder.door is Door.RESETS)

    async def run(self) -> None:
        """Carries both ways until both have ended."""
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._carry(Way.THERE, self.client[0], self.server[1]))
                ways.create_task(self._carry(Way.BACK, self.server[0], self.client[1]))
        except asyncio.CancelledError:
            for _, writer in (self.client, self.server):
                writer.transport.abort()
            raise
        for _, writer in (self.client, self.server):
            writer.close()

    async def _carry(
        self, way: Way, source: asyncio.StreamReader, to: asyncio.StreamWriter
    ) -> None:
        try:
            while data := await source.read(_CHUNK):
                await self._pass_on(way, data, to)
            if way not in self.lost and to.can_write_eof():
                to.write_eof()
        except OSError:
            # Of a lost way nobody hears, not even that its other end is gone.
            if not self.lost:
                for _, writer in (self.client, self.server):
                    writer.transport.abort()

    async def _pass_on(self, way: Way, data: bytes, to: asyncio.StreamWriter) -> None:
        """Looks anew at the disorder for every piece, so that a healed link is healed at once."""
        while data:
            disorder = self.link.disorder if way in self.link.disorder.ways else NONE
            size = disorder.piece(data)
            if wait_s := disorder.waits_s(min(size, len(data)), self.link.dice):
                await asyncio.sleep(wait_s)
            if way in self.lost:
                return
            to.write(data[:size])
            await to.drain()
            data = data[size:]


def _bound(port: int) -> socket.socket:
    place = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    place.bind((HOST, port))
    return place


def _end(stream: Stream, *, reset: bool) -> None:
    """Ends one side; a reset throws away what is under way (over a Unix socket it is a plain end)."""
    _, writer = stream
    if not reset:
        writer.close()
        return
    with suppress(OSError):
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
