"""The history of a lead: what differs between two statuses, field by field, and the way back."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from services.lifecycle.domain.status import Status
from shared.events import LeadState

MOMENTS = frozenset(("snoozed_until", "follow_up_at", "do_not_contact_until"))
_YES_OR_NO = frozenset(("follow_up_due", "withdrawn"))
OFFICE = "office"
_TOUCH = "touched_at"
"""Says when somebody did something; the entries themselves do."""
FIELDS = tuple(field.name for field in fields(Status) if field.name != _TOUCH)


@dataclass(frozen=True)
class Difference:
    """A field of the status that changed; the values as text, None for nothing."""

    field: str
    before: str | None
    after: str | None


def differences(before: Status | None, after: Status) -> tuple[Difference, ...]:
    """What changed between two statuses, in the order of the fields; of a new lead its state first."""
    found = []
    for name in FIELDS:
        was = None if before is None else as_text(getattr(before, name))
        is_now = as_text(getattr(after, name))
        if was != is_now:
            found.append(Difference(name, was, is_now))
    return tuple(found)


def replay(history: Iterable[Difference]) -> Status:
    """The status that a history, the oldest first, leads to; without the last touch.

    Which office had the lead is history, but no part of its status.
    """
    status = Status()
    for each in history:
        if each.field == OFFICE:
            continue
        status = replace(status, **{each.field: _value(each.field, each.after)})
    return status


def as_text(value: object) -> str | None:
    """A field's value as the history keeps it."""
    match value:
        case None | "" | False:
            return None
        case True:
            return "yes"
        case datetime():
            return value.isoformat()
        case _:
            return str(value)


def _value(name: str, text: str | None) -> Any:
    if name == "state":
        return LeadState(text or LeadState.NEW)
    if name in _YES_OR_NO:
        return text is not None
    if name in MOMENTS:
        return None if text is None else datetime.fromisoformat(text)
    return text or "" if name == "follow_up_note" else text
