"""Says why a score was emitted: what changed since the one before, field by field, from and to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from shared.events import LeadScored, Priority

_LEAD_ASIDE = {"lead_id", "account_name", "catalogue_version"}
"""Never change, stand in the account's profile too, or say nothing to a person."""
_ACCOUNT_ASIDE = {"account_id", "territory_averages"}


@dataclass(frozen=True, slots=True)
class Change:
    """One value that is another than at the score before. Values are JSON; money is text, exact.

    `about`: lead, account, day or rules. Fields are named as in the events.
    """

    about: str
    field: str
    before: Any
    after: Any

    def as_json(self) -> dict[str, Any]:
        """As it is stored and shown."""
        return {"about": self.about, "field": self.field, "from": self.before, "to": self.after}

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> "Change":
        """From what `as_json` gave."""
        return cls(stored["about"], stored["field"], stored["from"], stored["to"])


@dataclass(frozen=True, slots=True)
class Cause:
    """What made us score (lead, account, day, rules; first for a lead's first), and all that differs."""

    kind: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class PastScore:
    """A score that was emitted, and why."""

    version: int
    scored_at: datetime
    as_of: date
    rules_version: str
    score: float
    priority: Priority
    state: str
    cause: Cause


def cause_of(trigger: str, previous: LeadScored | None, new: LeadScored) -> Cause:
    """The cause of a new score; `trigger` is the input whose arrival made us look."""
    if previous is None:
        return Cause("first")
    before, after = _values(previous), _values(new)
    names = dict.fromkeys((*before, *after))
    changes = (Change(*name, before.get(name), after.get(name)) for name in names)
    return Cause(trigger, tuple(each for each in changes if each.before != each.after))


def _values(event: LeadScored) -> dict[tuple[str, str], Any]:
    """Everything a score follows from, by (about, field), in the order in which it is told."""
    return dict(_all_values(event))


def _all_values(event: LeadScored) -> Iterator[tuple[tuple[str, str], Any]]:
    yield ("lead", "state"), event.state
    yield ("lead", "reason"), event.reason
    yield ("lead", "office_id"), event.office_id
    for field, value in event.lead.model_dump(mode="json", exclude=_LEAD_ASIDE).items():
        yield ("lead", field), value
    for field, value in event.account.model_dump(mode="json", exclude=_ACCOUNT_ASIDE).items():
        yield ("account", field), value
    average = event.account.territory_average(event.lead.territory_id)
    yield ("account", "territory_average"), None if average is None else str(average)
    yield ("day", "as_of"), event.score.as_of.isoformat()
    yield ("rules", "rules_version"), event.score.rules_version
    yield ("rules", "profile"), event.score.profile
    for name, weight in event.score.weights.model_dump().items():
        yield ("rules", f"weights.{name}"), weight
