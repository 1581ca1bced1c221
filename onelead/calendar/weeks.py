"""Counts what is foretold by week, Monday to Sunday."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from onelead.calendar.forecast import Expected, Turn
from shared.events import LeadFacts, Priority


@dataclass(frozen=True)
class Week:
    """What a week brings. `critical_value`: of each box with a lead that becomes CRITICAL the
    highest value, in the tenant's currency."""

    monday: date
    fires: int
    to_critical: int
    to_high: int
    other_changes: int
    ends: int
    critical_value: Decimal


def by_week(expected: Iterable[Expected], as_of: date, days: int) -> list[Week]:
    """Every week from the one after the day `as_of` on, those in which nothing happens too."""
    of_week: dict[date, list[Expected]] = defaultdict(list)
    for each in expected:
        of_week[_monday(each.on)].append(each)
    monday, last = _monday(as_of + timedelta(days=1)), as_of + timedelta(days=days)
    weeks = []
    while monday <= last:
        weeks.append(_week(monday, of_week[monday]))
        monday += timedelta(weeks=1)
    return weeks


def _week(monday: date, expected: Sequence[Expected]) -> Week:
    critical = [each for each in expected if each.after is Priority.CRITICAL]
    crossed = [each for each in expected if each.turn is Turn.CROSSES]
    high = [each for each in crossed if each.after is Priority.HIGH]
    crossed_to_critical = [each for each in critical if each.turn is Turn.CROSSES]
    return Week(
        monday=monday,
        fires=sum(each.turn is Turn.FIRES for each in expected),
        to_critical=len(critical),
        to_high=len(high),
        other_changes=len(crossed) - len(high) - len(crossed_to_critical),
        ends=sum(each.turn is Turn.ENDS for each in expected),
        critical_value=_once_per_box(each.lead for each in critical),
    )


def _once_per_box(leads: Iterable[LeadFacts]) -> Decimal:
    """The highest value of each box's plays, as an open pipeline counts it (rules.md §3)."""
    best: dict[str, Decimal] = {}
    for lead in leads:
        value = lead.estimated_value_max
        best[lead.box_id] = max(value, best.get(lead.box_id, value))
    return sum(best.values(), Decimal(0))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
