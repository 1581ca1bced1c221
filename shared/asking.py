"""One bounded HTTP request: a careful client, 15 seconds in all, 64 kB of answer."""

import asyncio
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from shared.checked_transport import PROGRESS, CheckedTransport, Progress
from shared.outbound import OutboundPolicy, RefusedAddressError, Resolver, system_addresses

TIMEOUT_S = 15.0
MAX_ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `cut`: it was longer, and the rest was not read."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False

    @property
    def text(self) -> str:
        """The body's beginning on one line, for an operator."""
        return self.text_without()

    def text_without(self, *secrets: str) -> str:
        """The body's beginning on one line, secrets that it repeats struck out."""
        found = self.body.decode(errors="replace")
        for secret in filter(None, secrets):
            found = found.replace(secret, "…")
        return " ".join(found[:200].split())

    def pause_s(self, now: datetime) -> float | None:
        """Seconds to stay away, from Retry-After as seconds or as a date; None when not said."""
        wish = self.headers.get("retry-after", "").strip()
        if wish.isdecimal():
            return float(wish)
        try:
            return max(0.0, (parsedate_to_datetime(wish) - now).total_seconds())
        except (ValueError, TypeError):
            return None


def make_client(
    policy: OutboundPolicy,
    *,
    keep_alive: bool,
    resolve: Resolver = system_addresses,
    tls: ssl.SSLContext | None = None,
) -> httpx.AsyncClient:
    """A client that reaches allowed addresses only, follows no redirects and takes no proxies or
    credentials from the environment.

    `keep_alive`: a kept connection may turn out closed after a request has left, which cannot be
    told from a lost answer; only a channel that may repeat itself keeps connections.
    """
    # Its line for each request holds the whole address, and a webhook's address is a secret.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return httpx.AsyncClient(
        transport=CheckedTransport(policy, keep_alive=keep_alive, resolve=resolve, tls=tls),
        timeout=TIMEOUT_S,
        follow_redirects=False,
        trust_env=False,
        headers={"User-Agent": "OneLead/1", "Accept-Encoding": "identity"},
    )


async def ask(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    at_most: int = MAX_ANSWER_BYTES,
    **options: Any,
) -> Answer:
    """Sends a request and reads at most 64 kB of the answer, in 15 seconds. Raises httpx.HTTPError.

    `at_most`: more bytes, for an answer that lists many records.
    """
    progress = Progress()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            extensions = {PROGRESS: progress}
            return await _read(client, method, url, at_most, extensions=extensions, **options)
    except TimeoutError:
        raise (httpx.ReadTimeout if progress.sending else httpx.ConnectTimeout)("no end") from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise RefusedAddressError(_host(url), "it is not the address of a host") from None


async def _read(
    client: httpx.AsyncClient, method: str, url: str, at_most: int, **options: Any
) -> Answer:
    async with client.stream(method, url, **options) as response:
        body = b""
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > at_most:
                break
        return Answer(response.status_code, response.headers, body[:at_most], len(body) > at_most)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "an address without a host"
    except ValueError:
        return "an address that cannot be read"
