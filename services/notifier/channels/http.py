"""What the HTTP channels share: answers and failures of a request, read as outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from services.notifier.domain.attempt import Delivered, Outcome, Rejected, Retryable, Unsure
from shared import clock
from shared.asking import MAX_ANSWER_BYTES, TIMEOUT_S, Answer, ask, make_client
from shared.outbound import RefusedAddressError

_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
_AUTH = frozenset({401, 403, 407})


@dataclass(frozen=True)
class Manners:
    """How a sink means its answers.

    `refuses`: statuses that mean this message; other 4xx an operator can mend. `ends`: those that say
    the sink is gone. `pause_s`: the rest to give after a 429 that names none. `again`: whether a
    message may be sent again after a server error. `mendable`: words by which a refusal is not of the
    message after all.
    """

    name: str
    refuses: frozenset[int]
    ends: frozenset[int] = frozenset()
    pause_s: float | None = None
    again: bool = False
    mendable: tuple[str, ...] = ()


def answer_outcome(answer: Answer, manners: Manners, *secrets: str) -> Outcome:
    """What an answer means for the delivery; `secrets` are struck out of what is quoted of it."""
    status = answer.status
    said = f"{manners.name} answered {status} {answer.text_without(*secrets)}".strip()
    if httpx.codes.is_success(status):
        return Delivered(status=status)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        pause_s = answer.pause_s(clock.now())
        return Retryable(said, manners.pause_s if pause_s is None else pause_s, status, "limited")
    if status == httpx.codes.SERVICE_UNAVAILABLE:
        return Retryable(said, answer.pause_s(clock.now()), status, "server")
    mendable = any(word in answer.text for word in manners.mendable)
    if status in manners.refuses | manners.ends and not mendable:
        gone = status in manners.ends
        return Rejected(said, status, "gone" if gone else "rejected", gone)
    if status >= httpx.codes.INTERNAL_SERVER_ERROR and not manners.again:
        return Unsure(said, status, "server")
    return Retryable(said, status=status, error=_class_of(status))


def _class_of(status: int) -> str:
    if status in _AUTH:
        return "auth"
    return "server" if status >= httpx.codes.INTERNAL_SERVER_ERROR else "refused"


async def post(
    client: httpx.AsyncClient,
    url: str,
    body: bytes,
    manners: Manners,
    *secrets: str,
    headers: Mapping[str, str] | None = None,
) -> Outcome:
    """Posts JSON once; what is quoted of the answer is without the secrets."""
    headers = {"Content-Type": "application/json", **(headers or {})}
    try:
        answer = await ask(client, "POST", url, content=body, headers=headers)
    except httpx.HTTPError as error:
        return transport_outcome(error)
    return answer_outcome(answer, manners, *secrets)


def transport_outcome(error: httpx.HTTPError) -> Outcome:
    """Whether a failed request may have arrived. The reason holds no path, hence no secret."""
    if isinstance(error, RefusedAddressError):
        return Rejected(str(error), error="refused_address")
    reason = type(error).__name__
    late = isinstance(error, httpx.TimeoutException)
    if isinstance(error, _NOTHING_SENT):
        return Retryable(f"no connection: {reason}", error="timeout" if late else "connect")
    return Unsure(f"no answer: {reason}", error="timeout" if late else "lost")


__all__ = [
    "MAX_ANSWER_BYTES",
    "TIMEOUT_S",
    "Answer",
    "Manners",
    "answer_outcome",
    "ask",
    "make_client",
    "post",
    "transport_outcome",
]
