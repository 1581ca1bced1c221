"""What the HTTP channels share: a careful client, bounded answers, and errors read as outcomes."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from services.notifier.domain.attempt import Outcome, Retryable, Unsure

TIMEOUT_S = 15.0
MAX_ANSWER_BYTES = 64 * 1024
_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, cut to a size that cannot hurt."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body's beginning on one line, for an operator."""
        return " ".join(self.body[:200].decode(errors="replace").split())

    def pause_s(self, now: datetime) -> float | None:
        """Seconds to stay away, from Retry-After as seconds or as a date; None when not said."""
        wish = self.headers.get("retry-after", "").strip()
        if wish.isdecimal():
            return float(wish)
        try:
            return max(0.0, (parsedate_to_datetime(wish) - now).total_seconds())
        except (ValueError, TypeError):
            return None


def make_client(*, keep_alive: bool) -> httpx.AsyncClient:
    """A client that follows no redirects and takes no proxies or credentials from the environment.

    `keep_alive`: a kept connection may turn out closed after a request has left, which cannot be
    told from a lost answer; only a channel that may repeat itself keeps connections.
    """
    # Their lines for each request hold the whole address, and a webhook's address is a secret.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return httpx.AsyncClient(
        timeout=TIMEOUT_S,
        follow_redirects=False,
        trust_env=False,
        limits=httpx.Limits(max_keepalive_connections=None if keep_alive else 0),
        headers={"User-Agent": "OneLead/1", "Accept-Encoding": "identity"},
    )


async def ask(client: httpx.AsyncClient, method: str, url: str, **options: Any) -> Answer:
    """Sends a request and reads at most 64 KiB of the answer. Raises httpx.HTTPError."""
    async with client.stream(method, url, **options) as response:
        body = b""
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) >= MAX_ANSWER_BYTES:
                break
        return Answer(response.status_code, response.headers, body[:MAX_ANSWER_BYTES])


def transport_outcome(error: httpx.HTTPError) -> Outcome:
    """Whether a failed request may have arrived. The reason holds no address, hence no secret."""
    reason = type(error).__name__
    if isinstance(error, _NOTHING_SENT):
        return Retryable(f"no connection: {reason}")
    return Unsure(f"no answer: {reason}")
