"""The addresses that must not be called, asked for by the real client and watched at the socket."""

import asyncio
import ipaddress
import ssl
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.notifier.channels.http import ask, make_client, transport_outcome
from services.notifier.domain.attempt import Rejected, Retryable
from shared import asking
from shared.outbound import OutboundPolicy, RefusedAddressError
from tests.support.certificates import server_tls, trusting_tls
from tests.support.outbound_cases import PUBLIC, answers, literal_urls

NOBODY = OutboundPolicy()
_watching: list[tuple[str, int]] | None = None


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Notes each connection of this process, and lets none out of this machine."""
    if _watching is not None and event == "socket.connect" and isinstance(arguments[1], tuple):
        host, port = arguments[1][:2]
        _watching.append((host, port))
        if not ipaddress.ip_address(host).is_loopback:
            raise ConnectionRefusedError("a test calls nobody outside")


sys.addaudithook(_watch)


@contextmanager
def watched() -> Iterator[list[tuple[str, int]]]:
    """The connections that the block opens or tries to open."""
    global _watching  # noqa: PLW0603 - audit hooks stay for ever, so one hook asks one list
    _watching = []
    try:
        yield _watching
    finally:
        _watching = None


class Listener:
    """A server on this machine's addresses, one port for all; counts who comes."""

    def __init__(self) -> None:
        self.port = 0
        self.visits = 0
        self.asked: list[bytes] = []

    async def visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        self.asked.append(await reader.read(4_096))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    found = Listener()
    first = await asyncio.start_server(found.visited, "127.0.0.1", 0)
    found.port = first.sockets[0].getsockname()[1]
    second = await asyncio.start_server(found.visited, "::1", found.port)
    yield found
    first.close()
    second.close()


def resolving(*rounds: Sequence[str]) -> tuple[Any, list[str]]:
    """A resolver that gives one answer after the other, the last one again and again."""
    asked: list[str] = []

    async def resolve(name: str, port: int) -> Sequence[str]:
        asked.append(name)
        return rounds[min(len(asked), len(rounds)) - 1]

    return resolve, asked


async def outcome_of(policy: OutboundPolicy, url: str, resolve: Any) -> object:
    client = make_client(policy, keep_alive=False, resolve=resolve)
    try:
        return await ask(client, "POST", url, content=b"{}")
    except httpx.HTTPError as error:
        return transport_outcome(error)
    finally:
        await client.aclose()


async def test_no_address_that_is_refused_sees_a_connection(listener: Listener) -> None:
    urls = literal_urls(listener.port)
    named = answers()
    called = []
    with watched() as connections:
        for url in urls:
            resolve, _ = resolving(("127.0.0.1",))
            if not _refused(await outcome_of(NOBODY, url, resolve)):
                called.append(url)
        for answer in named:
            resolve, _ = resolving(answer)
            url = f"https://hooks.example:{listener.port}/secret"
            if not _refused(await outcome_of(NOBODY, url, resolve)):
                called.append(f"hooks.example → {answer}")
    assert called == [], f"{len(urls) + len(named)} tried, {len(called)} not refused"
    assert connections == []
    assert listener.visits == 0
    assert len(urls) >= 150
    assert len(named) >= 100


async def test_the_same_watch_sees_the_connections_that_are_allowed(listener: Listener) -> None:
    policy = OutboundPolicy(frozenset({"127.0.0.1", "demo.example"}))
    resolve, asked = resolving(("::1",))
    with watched() as connections:
        literal = await outcome_of(policy, f"http://127.0.0.1:{listener.port}/", resolve)
        named = await outcome_of(policy, f"http://demo.example:{listener.port}/", resolve)
    assert [getattr(answer, "status", None) for answer in (literal, named)] == [200, 200]
    assert connections == [("127.0.0.1", listener.port), ("::1", listener.port)]
    assert (asked, listener.visits) == (["demo.example"], 2)


async def test_a_name_that_is_bound_anew_is_called_where_it_was_checked(listener: Listener) -> None:
    resolve, asked = resolving((PUBLIC[0],), ("127.0.0.1",))
    url = f"https://rebinding.example:{listener.port}/"
    with watched() as connections:
        outcome = await outcome_of(NOBODY, url, resolve)
    assert outcome == Retryable("no connection: ConnectError", error="connect")
    assert connections == [(PUBLIC[0], listener.port)]
    assert (len(asked), listener.visits) == (1, 0)
    with watched() as connections:
        assert _refused(await outcome_of(NOBODY, url, resolve))
    assert connections == []


async def test_each_connection_is_checked_anew_by_the_same_client(listener: Listener) -> None:
    resolve, asked = resolving((PUBLIC[1],), ("169.254.169.254",), (PUBLIC[0], "10.0.0.1"))
    client = make_client(NOBODY, keep_alive=True, resolve=resolve)
    refused = []
    with watched() as connections:
        for _ in range(4):
            with pytest.raises(httpx.TransportError) as failed:
                await ask(client, "GET", f"https://hooks.example:{listener.port}/")
            refused.append(isinstance(failed.value, RefusedAddressError))
    await client.aclose()
    assert refused == [False, True, True, True]
    assert connections == [(PUBLIC[1], listener.port)]
    assert len(asked) == 4


async def test_the_next_address_is_tried_when_the_first_does_not_answer(listener: Listener) -> None:
    policy = OutboundPolicy(frozenset({"two.example"}))
    resolve, _ = resolving(("127.0.0.9", "::1"))
    with watched() as connections:
        answer = await outcome_of(policy, f"http://two.example:{listener.port}/", resolve)
    assert getattr(answer, "status", None) == 200
    assert connections == [("127.0.0.9", listener.port), ("::1", listener.port)]


async def test_tls_and_host_header_name_the_host_that_the_address_was_found_for(
    tmp_path: Path,
) -> None:
    hosts: list[str] = []
    found = Listener()
    tls = server_tls(tmp_path, "hooks.example")

    def heard(_: ssl.SSLObject, name: str, __: ssl.SSLContext) -> None:
        hosts.append(name)

    tls.sni_callback = heard
    server = await asyncio.start_server(found.visited, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    policy = OutboundPolicy(frozenset({"hooks.example", "other.example"}))
    resolve, _ = resolving(("127.0.0.1",))
    client = make_client(policy, keep_alive=False, resolve=resolve, tls=trusting_tls(tmp_path))
    assert (await ask(client, "GET", f"https://hooks.example:{port}/")).status == 200
    assert hosts == ["hooks.example"]
    assert f"Host: hooks.example:{port}".encode() in found.asked[0]
    with pytest.raises(httpx.ConnectError):
        await ask(client, "GET", f"https://other.example:{port}/")
    await client.aclose()
    server.close()
    assert found.visits == 1


async def test_an_answer_that_never_ends_is_left_after_the_time_and_64_kb(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4_096)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.05)

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4_096)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1_000_000)

    policy = OutboundPolicy(frozenset({"127.0.0.1"}))
    client = make_client(policy, keep_alive=False)
    monkeypatch.setattr(asking, "TIMEOUT_S", 0.5)
    slow = await asyncio.start_server(drip, "127.0.0.1", 0)
    large = await asyncio.start_server(flood, "127.0.0.1", 0)
    with pytest.raises(httpx.ReadTimeout):
        await ask(client, "GET", f"http://127.0.0.1:{slow.sockets[0].getsockname()[1]}/")
    answer = await ask(client, "GET", f"http://127.0.0.1:{large.sockets[0].getsockname()[1]}/")
    assert (len(answer.body), answer.cut) == (64 * 1024, True)
    await client.aclose()
    slow.close()
    large.close()


async def test_a_proxy_and_a_password_file_of_the_environment_are_not_used(
    listener: Listener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password word\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    policy = OutboundPolicy(frozenset({"127.0.0.1"}))
    with watched() as connections:
        await outcome_of(policy, f"http://127.0.0.1:{listener.port}/", resolving(())[0])
    assert connections == [("127.0.0.1", listener.port)]
    assert b"authorization" not in listener.asked[0].lower()


def _refused(outcome: object) -> bool:
    return isinstance(outcome, Rejected) and outcome.error == "refused_address"
