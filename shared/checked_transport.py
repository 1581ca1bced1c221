"""The HTTP transport that reaches allowed addresses only.

A name is resolved once for a connection, every address it has is judged, and the connection goes to
one of those judged; TLS and the Host header keep the name.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpcore
import httpx

from shared.outbound import (
    OutboundPolicy,
    Resolver,
    check_url,
    checked_addresses,
    system_addresses,
)

_KEPT_ALIVE_S = 5.0


class CheckedTransport(httpx.AsyncBaseTransport):
    """Sends requests to allowed addresses only; raises RefusedAddressError for others.

    `keep_alive`: whether a connection may serve several requests.
    """

    def __init__(
        self,
        policy: OutboundPolicy,
        *,
        keep_alive: bool,
        resolve: Resolver = system_addresses,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or _public_tls(),
            max_connections=None,
            max_keepalive_connections=None if keep_alive else 0,
            keepalive_expiry=_KEPT_ALIVE_S,
            network_backend=_CheckedNetwork(policy, resolve),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends one request and follows nothing."""
        check_url(self._policy, request.url)
        asked = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _as_httpx_errors():
            answer = await self._pool.handle_async_request(asked)
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_AnswerStream(answer.stream),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._pool.aclose()


class _CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Opens connections to checked addresses; there is no other way out of the pool."""

    def __init__(self, policy: OutboundPolicy, resolve: Resolver) -> None:
        self._policy = policy
        self._resolve = resolve
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,  # noqa: ARG002 - and this one too
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Tries a host's addresses in turn, all of them within the time."""
        try:
            async with asyncio.timeout(timeout):
                addresses = await checked_addresses(self._policy, host, port, self._resolve)
                return await self._first_open(addresses, port, socket_options)
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(type(error).__name__) from None

    async def _first_open(
        self, addresses: Sequence[str], port: int, options: Iterable[Any] | None
    ) -> httpcore.AsyncNetworkStream:
        *others, last = addresses
        for address in others:
            try:
                return await self._sockets.connect_tcp(address, port, socket_options=options)
            except httpcore.ConnectError:
                continue
        return await self._sockets.connect_tcp(last, port, socket_options=options)


class _AnswerStream(httpx.AsyncByteStream):
    """An answer's body as it comes in."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx_errors():
            async for part in self._stream:
                yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


@contextmanager
def _as_httpx_errors() -> Iterator[None]:
    """httpcore's failures as httpx's: they have the same names."""
    try:
        yield
    except (
        httpcore.TimeoutException,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.UnsupportedProtocol,
    ) as error:
        kind = getattr(httpx, type(error).__name__, httpx.NetworkError)
        raise kind(str(error)) from error


@cache
def _public_tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
