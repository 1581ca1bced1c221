"""The proxy of the fault battery: each disorder does to a real connection what its name says, and no more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from onelead.edition.ports import HOST
from shared import clock
from tests.faults.proxy import (
    CUT,
    NONE,
    RESET,
    Disorder,
    Link,
    Stream,
    Way,
    half_open,
    slow,
    throttled,
)

_SILENCE_S = 0.4


class Server:
    """Answers with what it got, and remembers it."""

    def __init__(self) -> None:
        self.got = b""
        self.ends = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while data := await reader.read(1024):
                self.got += data
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            self.ends += 1
            writer.close()


@asynccontextmanager
async def linked() -> AsyncIterator[tuple[Server, Link]]:
    server = Server()
    listening = await asyncio.start_server(server.serve, HOST, 0)
    port = listening.sockets[0].getsockname()[1]
    link = Link("test", partial(asyncio.open_connection, HOST, port))
    await link.set(NONE)
    try:
        yield server, link
    finally:
        await link.close()
        listening.close()


async def connected(link: Link) -> Stream:
    return await asyncio.open_connection(HOST, link.port)


async def echoed(stream: Stream, data: bytes) -> float:
    """Seconds until everything was back."""
    begun_s = clock.monotonic_s()
    stream[1].write(data)
    async with asyncio.timeout(10):
        assert await stream[0].readexactly(len(data)) == data
    return clock.monotonic_s() - begun_s


async def is_silent(stream: Stream) -> bool:
    """Whether neither a byte nor an end comes."""
    try:
        async with asyncio.timeout(_SILENCE_S):
            await stream[0].read(1)
    except TimeoutError:
        return True
    return False


async def until(true: asyncio.Future[None]) -> None:
    async with asyncio.timeout(5):
        await true


async def test_a_link_in_order_carries_everything_both_ways_and_tells_the_end() -> None:
    async with linked() as (server, link):
        stream = await connected(link)
        big = bytes(range(256)) * 4_000
        _ = await echoed(stream, big)
        stream[1].write_eof()
        async with asyncio.timeout(5):
            assert await stream[0].read() == b""
        assert server.got == big
        assert server.ends == 1


async def test_a_slow_link_carries_everything_late_each_way() -> None:
    async with linked() as (_, link):
        stream = await connected(link)
        await link.set(slow(0.2, 0.05))
        assert await echoed(stream, b"both") >= 0.3
        await link.set(slow(0.2, 0.05, frozenset({Way.BACK})))
        assert 0.15 <= await echoed(stream, b"one") < 0.3
        await link.set(NONE)
        assert await echoed(stream, b"none") < 0.15


async def test_a_throttled_link_passes_so_many_bytes_a_second() -> None:
    async with linked() as (_, link):
        stream = await connected(link)
        await link.set(throttled(1_000, frozenset({Way.THERE})))
        assert 0.9 <= await echoed(stream, b"x" * 1_000) < 2.0


async def test_healing_a_throttled_link_lets_what_is_under_way_go_at_once() -> None:
    async with linked() as (_, link):
        stream = await connected(link)
        await link.set(throttled(1_000))
        on_its_way = asyncio.create_task(echoed(stream, b"x" * 100_000))
        await asyncio.sleep(0.2)
        await link.set(NONE)
        assert await on_its_way < 2.0


async def test_a_cut_link_ends_what_there_is_and_refuses_what_comes() -> None:
    async with linked() as (server, link):
        stream = await connected(link)
        _ = await echoed(stream, b"before")
        await link.set(CUT)
        async with asyncio.timeout(5):
            assert await stream[0].read() == b""
        with pytest.raises(ConnectionRefusedError):
            await connected(link)
        await link.set(NONE)
        _ = await echoed(await connected(link), b"after")
        assert server.got == b"beforeafter"


async def test_a_reset_link_resets_what_there_is_and_what_comes() -> None:
    async with linked() as (server, link):
        stream = await connected(link)
        _ = await echoed(stream, b"before")
        await link.set(RESET)
        with pytest.raises(ConnectionResetError):
            await until(asyncio.ensure_future(_read_on(stream)))
        with pytest.raises(ConnectionResetError):
            await until(asyncio.ensure_future(_read_on(await connected(link))))
        await link.set(NONE)
        _ = await echoed(await connected(link), b"after")
        assert server.got == b"beforeafter"


async def _read_on(stream: Stream) -> None:
    while await stream[0].read(1):
        pass


@pytest.mark.parametrize(
    ("disorder", "arrives"),
    [
        (half_open(), b""),
        (half_open(frozenset({Way.THERE})), b""),
        (half_open(frozenset({Way.BACK})), b"lost"),
    ],
    ids=["both ways", "requests", "answers"],
)
async def test_a_half_open_link_takes_bytes_and_is_silent(
    disorder: Disorder, arrives: bytes
) -> None:
    async with linked() as (server, link):
        old = await connected(link)
        await link.set(disorder)
        for stream in (old, await connected(link)):
            server.got = b""
            stream[1].write(b"lost")
            await stream[1].drain()
            assert await is_silent(stream)
            assert server.got == arrives


async def test_what_lived_through_a_half_open_link_stays_dead_and_its_end_is_not_told() -> None:
    async with linked() as (server, link):
        old = await connected(link)
        _ = await echoed(old, b"before")
        await link.set(half_open())
        await link.set(NONE)
        old[1].write(b"lost")
        assert await is_silent(old)
        old[1].close()
        _ = await echoed(await connected(link), b"new")
        assert server.got == b"beforenew"
        assert server.ends == 0


async def test_a_server_that_is_not_there_ends_the_connection(tmp_path: Path) -> None:
    link = Link("nobody", partial(asyncio.open_unix_connection, str(tmp_path / "nobody")))
    await link.set(NONE)
    stream = await connected(link)
    assert await stream[0].read() == b""
    await link.close()


async def test_a_closed_link_leaves_no_task_and_no_connection() -> None:
    before = asyncio.all_tasks()
    async with linked() as (_, link):
        streams = [await connected(link) for _ in range(5)]
        for stream in streams:
            _ = await echoed(stream, b"x")
        await link.set(half_open())
        await link.set(slow(30, 0))
        assert link.connections == 5
    assert link.connections == 0
    for stream in streams:
        stream[1].close()
    await asyncio.sleep(0.1)
    assert asyncio.all_tasks() <= before
