"""The HTTP transport that reaches allowed addresses only.

A name is resolved once for a connection, every address it has is judged, and the connection goes to
one of those judged; TLS and the Host header keep the name.
"""

import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from shared.outbound import (
    OutboundPolicy,
    Resolver,
    check_url,
    checked_addresses,
    system_addresses,
)

PROGRESS = "onelead.progress"
"""The request's extension that holds its `Progress`, if the caller wants to know."""
_KEPT_ALIVE_S = 5.0
_AS_WRITTEN = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


class Progress:
    """How far a request has come. `sending`: it has a connection, so that it may have arrived."""

    sending = False


class CheckedTransport(httpx.AsyncBaseTransport):
    """Sends requests to allowed addresses only; raises RefusedAddressError for others.

    `keep_alive`: whether a connection may serve several requests. aiohttp carries the requests: its
    parser is compiled, and it looks at one connection for a request where httpcore looks at all.
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
        self._keep_alive = keep_alive
        self._resolver = _CheckedResolver(policy, resolve)
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends one request and follows nothing."""
        check_url(self._policy, request.url)
        if self._session is None:
            self._session = self._opened()
        progress = request.extensions.get(PROGRESS) or Progress()
        timeouts = request.extensions.get("timeout", {})
        body = await request.aread()
        with _as_httpx_errors(progress):
            answer = await self._session.request(
                request.method,
                _address(request.url),
                headers=_headers(request.headers),
                skip_auto_headers=_AS_WRITTEN,
                data=body or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=None, connect=timeouts.get("connect"), sock_read=timeouts.get("read")
                ),
                trace_request_ctx=progress,
            )
        return httpx.Response(
            status_code=answer.status,
            headers=answer.raw_headers,
            stream=_AnswerStream(answer, progress),
        )

    async def aclose(self) -> None:
        """Closes all connections."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        """A session belongs to the loop it is made in, hence not before the first request."""
        kept = {"keepalive_timeout": _KEPT_ALIVE_S} if self._keep_alive else {"force_close": True}
        connector = aiohttp.TCPConnector(
            resolver=self._resolver,
            use_dns_cache=False,
            happy_eyeballs_delay=None,
            ssl=self._tls or _public_tls(),
            limit=0,
            **kept,
        )
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(_has_connection)
        trace.on_connection_reuseconn.append(_has_connection)
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            trace_configs=[trace],
        )


class _CheckedResolver(AbstractResolver):
    """Answers with checked addresses. A host that is an address is judged before, by `check_url`."""

    def __init__(self, policy: OutboundPolicy, resolve: Resolver) -> None:
        self._policy = policy
        self._resolve = resolve

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - every address is judged
    ) -> list[ResolveResult]:
        """Every address of the host. Raises RefusedAddressError if one may not be called, or OSError."""
        try:
            addresses = await checked_addresses(self._policy, host, port, self._resolve)
        except UnicodeError as error:
            raise OSError("the name cannot be asked for") from error
        return [_resolved(host, address, port) for address in addresses]

    async def close(self) -> None:
        """There is nothing to close."""


def _resolved(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    literal = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(
        hostname=host, host=address, port=port, family=family, proto=0, flags=literal
    )


class _AnswerStream(httpx.AsyncByteStream):
    """An answer's body as it comes in."""

    def __init__(self, answer: aiohttp.ClientResponse, progress: Progress) -> None:
        self._answer = answer
        self._progress = progress

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx_errors(self._progress):
            async for part in self._answer.content.iter_any():
                yield part

    async def aclose(self) -> None:
        """A connection whose answer was not read to its end serves no other request."""
        if self._answer.content.at_eof():
            self._answer.release()
        else:
            self._answer.close()


async def _has_connection(_session: aiohttp.ClientSession, context: Any, _params: Any) -> None:
    context.trace_request_ctx.sending = True


def _address(url: httpx.URL) -> URL:
    """The address just as it was written, nothing encoded anew."""
    path, _, query = url.raw_path.decode("ascii").partition("?")
    return URL.build(
        scheme=url.scheme,
        host=url.raw_host.decode("ascii"),
        port=url.port,
        path=path,
        query_string=query,
        encoded=True,
    )


def _headers(headers: httpx.Headers) -> list[tuple[str, str]]:
    """Names in the case that they were written in: some servers only know that."""
    return [(name.decode("ascii"), value.decode(headers.encoding)) for name, value in headers.raw]


@contextmanager
def _as_httpx_errors(progress: Progress) -> Iterator[None]:
    """aiohttp's failures as httpx's: what matters is whether the request had a connection by then."""
    try:
        yield
    except TimeoutError as error:
        raise (httpx.ReadTimeout if progress.sending else httpx.ConnectTimeout)("no end") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise _kind(error, progress)(type(error).__name__) from error


def _kind(error: Exception, progress: Progress) -> type[httpx.TransportError]:
    if not progress.sending:
        return httpx.ConnectError
    bad = isinstance(error, aiohttp.ClientResponseError | aiohttp.ServerDisconnectedError)
    return httpx.RemoteProtocolError if bad else httpx.ReadError


@cache
def _public_tls() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
