"""One attempt to deliver: renders, asks where asking helps, sends, and says what it came to."""

import asyncio
import hashlib
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from services.notifier.channels import AnyChannel
from services.notifier.domain.attempt import (
    Certainty,
    Outcome,
    Rejected,
    Retryable,
    RetryAt,
    Step,
    Unsure,
    after_crash,
    next_step,
)
from services.notifier.repository import Leased
from services.notifier.repository.ledger import Attempt
from services.notifier.repository.queue import Unreadable
from services.notifier.settings import DEADLINE_S
from shared import clock
from shared.ops.logs import get_logger

_log = get_logger(__name__)
RESTING = "resting"
Found = TypeVar("Found", bound=Outcome | None)


@dataclass(frozen=True)
class Made:
    """An attempt that was made, and what the delivery becomes by it."""

    item: Leased
    step: Step
    attempt: Attempt


@dataclass(frozen=True)
class Retries:
    """How long is waited between attempts: a random number from -1 to 1, and a factor."""

    jitter: float
    scale: float


async def deliver(channel: AnyChannel, item: Leased, retries: Retries) -> Made:
    """Sends a delivery that is marked as sending; one in doubt is looked for first."""
    started_at, began_s = clock.now(), clock.monotonic_s()
    try:
        rendered, request_hash = _rendered(channel, item)
    except Exception as error:  # noqa: BLE001 - nothing was sent, and it will not get better
        _log.exception("cannot render", delivery=item.delivery.id)
        bad = Rejected(f"cannot be rendered: {type(error).__name__}", error="render")
        return _made(channel, item, bad, retries, (started_at, None, None))
    outcome = found = await _looked_for(channel, item, rendered)
    if outcome is None:
        outcome = await _bounded(channel, channel.send(rendered), _within_s(channel, item))
    latency_ms = round((clock.monotonic_s() - began_s) * 1_000)
    made = _made(channel, item, outcome, retries, (started_at, latency_ms, request_hash))
    still_in_doubt = found is not None and isinstance(made.step, RetryAt)
    return replace(made, step=_doubted(made.step)) if still_in_doubt else made


async def put_back(item: Leased, rest_s: float) -> Made:
    """A delivery whose sink rests, or whose lease runs out, when its turn comes: no attempt burned."""
    outcome = Retryable(
        "its sink was not to be called when its turn came", pause_s=rest_s, error=RESTING
    )
    step = RetryAt(rest_s, item.delivery.failures, outcome.reason, in_doubt=item.in_doubt)
    delivery = item.delivery
    attempt = Attempt(
        delivery.tenant_id, delivery.id, delivery.tries, clock.now(), None, None, outcome
    )
    return Made(item, step, attempt)


async def settle(channel: AnyChannel, item: Leased, retries: Retries) -> Made:
    """What becomes of a delivery whose sender never came back: looked for where that is possible.

    It stays in doubt: a sender that was frozen may still wake and send.
    """
    started_at = clock.now()
    outcome: Outcome = after_crash()
    if channel.certainty is Certainty.LOOK_UP:
        try:
            rendered, _ = _rendered(channel, item)
        except Exception:  # noqa: BLE001 - what cannot be rendered was never sent
            outcome = Rejected("cannot be rendered", error="render")
        else:
            missing = Retryable("the notifier stopped before it was sent", error="stopped")
            outcome = await _looked_for(channel, item, rendered) or missing
    made = _made(channel, item, outcome, retries, (started_at, None, None))
    return replace(made, step=_doubted(made.step))


def _rendered(channel: AnyChannel, item: Leased) -> tuple[Any, str]:
    """The message in the channel's form, and its SHA-256 as it goes out. Raises for what cannot be read."""
    if isinstance(item.content, Unreadable):
        raise TypeError(f"content of {item.delivery.id} cannot be read: {item.content.fields}")
    rendered = channel.render(item.content, item.delivery)
    return rendered, hashlib.sha256(channel.wire(rendered)).hexdigest()


async def _looked_for(channel: AnyChannel, item: Leased, rendered: Any) -> Outcome | None:
    """What the sink says of a delivery in doubt; None when it is not there, or nobody can be asked."""
    if not item.in_doubt or channel.certainty is not Certainty.LOOK_UP:
        return None
    return await _bounded(channel, channel.find(rendered), _within_s(channel, item))


def _within_s(channel: AnyChannel, item: Leased) -> float:
    """How long a call may take: looking and sending share what one call has otherwise."""
    looks = item.in_doubt and channel.certainty is Certainty.LOOK_UP
    return DEADLINE_S / 2 if looks else DEADLINE_S


async def _bounded(channel: AnyChannel, call: Awaitable[Found], within_s: float) -> Found | Unsure:
    """A call of the sink; whatever it raises after it may have begun counts as unsure."""
    try:
        async with asyncio.timeout(within_s):
            return await call
    except TimeoutError:
        return Unsure(f"no end after {within_s:.0f} s", error="timeout")
    except Exception as error:  # noqa: BLE001 - one sink's fault must not end the others
        # Its text could hold what was sent; the type is enough to find the place.
        _log.error("channel failed", channel=channel.name, error=type(error).__name__)
        return Unsure(f"failed while sending: {type(error).__name__}", error="bug")


def _made(
    channel: AnyChannel,
    item: Leased,
    outcome: Outcome,
    retries: Retries,
    call: tuple[datetime, int | None, str | None],
) -> Made:
    step = next_step(
        outcome,
        failures=item.delivery.failures,
        repeatable=channel.repeatable or channel.certainty is not Certainty.BLIND,
        jitter=retries.jitter,
        scale=retries.scale,
    )
    started_at, latency_ms, request_hash = call
    delivery = item.delivery
    attempt = Attempt(
        delivery.tenant_id,
        delivery.id,
        delivery.tries,
        started_at,
        latency_ms,
        request_hash,
        outcome,
    )
    return Made(item, step, attempt)


def _doubted(step: Step) -> Step:
    return replace(step, in_doubt=True) if isinstance(step, RetryAt) else step
