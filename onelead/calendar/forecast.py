"""Foretells an account: derives it on each day that changes something, and asks scoring in between."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from services.ingest.domain.derive import Derivation
from services.ingest.domain.profile import AccountRows
from services.ingest.domain.turning_days import turning_days
from services.scoring.domain.outlook.crossings import Crossing, crossings
from services.scoring.domain.score import score_lead
from shared.events import AccountProfile, LeadFacts, Priority
from shared.rules.model import Rules

_ONE_DAY = timedelta(days=1)


class Turn(StrEnum):
    """What will happen to a lead by itself."""

    FIRES = "fires"
    CROSSES = "crosses"
    ENDS = "ends"


@dataclass(frozen=True)
class Expected:
    """A lead fires, changes priority or ends on a day. `before` is None when it fires, `after` and
    `score` (0–100, of that day) are None when it ends."""

    on: date
    turn: Turn
    lead: LeadFacts
    before: Priority | None
    after: Priority | None
    score: float | None


@dataclass(frozen=True)
class _Standing:
    """A lead as it stands at the end of a stretch of days, and what happened within it."""

    lead: LeadFacts
    first: Priority
    first_score: float
    within: tuple[Crossing, ...]

    @property
    def last(self) -> Priority:
        return self.within[-1].after if self.within else self.first


def forecast(
    rows: AccountRows,
    derive: Callable[[date], Derivation],
    rules: Rules,
    as_of: date,
    days: int,
) -> Iterator[Expected]:
    """What happens to an account's leads in the `days` after `as_of`, if nothing but time passes.

    `derive` gives the account as of a day (rules.md §2–4). In the order of days.
    """
    turns = (as_of, *turning_days(rows, rules, as_of, days))
    ends = (*(day - _ONE_DAY for day in turns[1:]), as_of + timedelta(days=days))
    before: dict[str, _Standing] = {}
    for first, last in zip(turns, ends, strict=True):
        derivation = derive(first)
        now = {
            lead.lead_id: _standing(lead, derivation.profile, rules, first, last)
            for lead in derivation.leads
        }
        if first != as_of:
            yield from _at_turn(first, before, now)
        within = ((each, crossing) for each in now.values() for crossing in each.within)
        for each, crossing in sorted(within, key=lambda pair: pair[1].on):
            yield _crosses(each.lead, crossing.on, crossing.before, crossing.after, crossing.score)
        before = now


def _standing(
    lead: LeadFacts, profile: AccountProfile, rules: Rules, first: date, last: date
) -> _Standing:
    score = score_lead(
        lead, profile, rules.scoring, products=rules.products, as_of=first, rules_version=""
    )
    found = crossings(
        lead,
        profile,
        rules.scoring,
        products=rules.products,
        as_of=first,
        days=(last - first).days,
    )
    return _Standing(lead, score.priority, score.score, tuple(found))


def _at_turn(
    day: date, before: dict[str, _Standing], now: dict[str, _Standing]
) -> Iterator[Expected]:
    """What the day itself brings: leads that are new, other, or no more."""
    for key, each in now.items():
        old = before.get(key)
        if old is None:
            yield Expected(day, Turn.FIRES, each.lead, None, each.first, each.first_score)
        elif old.last is not each.first:
            yield _crosses(each.lead, day, old.last, each.first, each.first_score)
    for key, old in before.items():
        if key not in now:
            yield Expected(day, Turn.ENDS, old.lead, old.last, None, None)


def _crosses(
    lead: LeadFacts, day: date, before: Priority, after: Priority, score: float
) -> Expected:
    return Expected(day, Turn.CROSSES, lead, before, after, score)
