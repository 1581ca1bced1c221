"""Says in words what becomes of a delivery next, and what a person can do about it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.notifier.domain.attempt import RETRY_AFTER_S
from services.notifier.domain.delivery import State

MOST_ATTEMPTS = len(RETRY_AFTER_S) + 1
WAITS = frozenset({State.PENDING.value, State.RETRY.value})
UNSETTLED = WAITS | {State.LEASED.value, State.SENDING.value}


@dataclass(frozen=True)
class Around:
    """What is known beside the delivery: the time, how its sink fares (None: it never failed).

    `configured`: whether its sink is still told anything; None when nobody can say from here.
    """

    now: datetime
    sink: Any = None
    configured: bool | None = None


def moment(value: datetime | None) -> str:
    """A moment to the second; nothing for none."""
    return "" if value is None else f"{value:%Y-%m-%d %H:%M:%S} UTC"


def standing(sink: Any, now: datetime) -> str:
    """How a sink stands, in words."""
    if sink is None:
        return "fine"
    if sink.disabled_at is not None:
        return f"switched off since {moment(sink.disabled_at)}"
    if sink.open_until is not None:
        if sink.open_until > now:
            return f"rests until {moment(sink.open_until)}"
        return "is tried with one message"
    if sink.paused_until is not None and sink.paused_until > now:
        return f"asked for silence until {moment(sink.paused_until)}"
    return "failing" if sink.failing_since is not None else "fine"


def what_next(row: Any, around: Around) -> str:
    """What happens next by itself, and otherwise what a person can do."""
    return _NEXT[State(row.state)](row, around)


def _waits(row: Any, around: Around) -> str:
    if (held := held_up(row, around)) is not None:
        return held
    begun = f"{row.failures} of {MOST_ATTEMPTS} attempts failed; " if row.failures else ""
    resumes = _resumes(around)
    at = row.due_at if resumes is None else max(row.due_at, resumes)
    if at > around.now:
        why = " (its sink rests until then)" if resumes is not None and resumes == at else ""
        return f"{begun}goes out by itself from {moment(at)}{why}"
    return f"{begun}goes out now; if it stays here, the notifier does not run: see its log"


def held_up(row: Any, around: Around) -> str | None:
    """What keeps a waiting delivery back until a person does something; None when nothing does."""
    if around.configured is False:
        return (
            f"waits for nobody: no sink named here sends to {row.channel} {row.target}; "
            f"`onelead deliveries cancel {row.delivery_id[:8]}`, or put the sink back"
        )
    if around.sink is not None and around.sink.disabled_at is not None:
        why = f" ({around.sink.reason})" if around.sink.reason else ""
        return (
            f"waits: its sink was switched off{why}; when it is mended, "
            f"`onelead deliveries enable {row.channel} '{row.target}'`"
        )
    return None


def _resumes(around: Around) -> datetime | None:
    if around.sink is None:
        return None
    ends = (around.sink.open_until, around.sink.paused_until)
    return max((end for end in ends if end is not None and end > around.now), default=None)


def _under_way(row: Any, around: Around) -> str:
    if row.leased_until is None or row.leased_until > around.now:
        return f"is being sent; settled by {moment(row.leased_until)}"
    return (
        "its sender has not come back; a running notifier takes it over within seconds: it sends "
        "it again where that is safe or can be checked, and else marks it unknown"
    )


def _dead(row: Any, around: Around) -> str:  # noqa: ARG001 - all are called alike
    return (
        "nothing: it did not arrive and is not tried again; mend the cause, then "
        f"`onelead deliveries retry {row.delivery_id[:8]}`"
    )


def _unknown(row: Any, around: Around) -> str:  # noqa: ARG001
    return (
        "nothing: it may have arrived, and sending it again may tell somebody twice; look there, "
        f"and if it is missing `onelead deliveries retry {row.delivery_id[:8]} --yes`"
    )


def _final(words: str) -> Callable[[Any, Around], str]:
    return lambda row, around: words  # noqa: ARG005


_NEXT: dict[State, Callable[[Any, Around], str]] = {
    State.PENDING: _waits,
    State.RETRY: _waits,
    State.LEASED: _under_way,
    State.SENDING: _under_way,
    State.SENT: _final("nothing: the sink took it"),
    State.DEAD: _dead,
    State.UNKNOWN: _unknown,
    State.CANCELLED: _final("nothing: it was taken back before it was sent"),
    State.FOLDED: _final("nothing: a digest told it together with others (purpose storm_digest)"),
}
