"""Offices as people read them: what each has on a day, its ranges, what would change."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from rich.markup import escape
from rich.table import Table

from onelead.offices.holes import holes, turns
from shared.rules.offices import UNASSIGNED, OfficeRange, Offices
from shared.rules.offices_lookup import OfficeMap

_SHOWN = 10


def offices_table(offices: Offices, day: date) -> Table:
    """A line for each office: the codes it has on the day."""
    table = Table()
    for heading in ("office", "codes", "later or before"):
        table.add_column(heading, overflow="fold")
    for name, ranges in _by_office(offices).items():
        now = [each for each in ranges if each.holds_on(day)]
        other = [each for each in ranges if not each.holds_on(day)]
        table.add_row(escape(name), *(escape(_listed(each)) for each in (now, other)))
    return table


def office_table(ranges: Sequence[OfficeRange], day: date) -> Table:
    """Every range of one office, and whether it holds on the day."""
    table = Table()
    for heading in ("codes", "country", "from", "until", f"on {day}"):
        table.add_column(heading, overflow="fold")
    for each in ranges:
        days = (str(each.valid_from or "ever"), str(each.valid_until or "for good"))
        holds = "holds" if each.holds_on(day) else "does not hold"
        table.add_row(escape(each.codes), each.country or "", *days, holds)
    return table


def as_json(offices: Offices, day: date) -> list[dict[str, Any]]:
    """Each office with its ranges, and whether they hold on the day."""
    return [
        {
            "office": name,
            "ranges": [
                {**each.model_dump(mode="json"), "holds": each.holds_on(day)} for each in ranges
            ],
        }
        for name, ranges in _by_office(offices).items()
    ]


def summary(offices: Offices, day: date) -> Iterator[str]:
    """What a file of offices says, in words: offices, ranges, what is left open, what comes."""
    if not offices.ranges:
        yield "No offices: leads belong to none"
        return
    names = _by_office(offices)
    yield f"{len(names)} offices, {len(offices.ranges)} ranges: {', '.join(names)}"
    if found := holes(offices, day):
        more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        yield f"Left open on {day}: {', '.join(map(str, found[:_SHOWN]))}{more}"
    if not any(each.first is None and each.holds_on(day) for each in offices.ranges):
        yield f"No office has every other code on {day}: such leads are {UNASSIGNED}"
    if coming := turns(offices, day):
        yield f"Changes by itself on {', '.join(map(str, coming[:_SHOWN]))}"


def found_in_words(offices: Offices, code: str, country: str | None, day: date) -> str:
    """Which office has a postal code on a day, and by which range."""
    lookup = OfficeMap(offices, day)
    office = lookup.office_of(code, country)
    if office is None:
        return "There are no offices"
    span = lookup.span_of(code, country)
    if span is None:
        return f"{code} is {UNASSIGNED} on {day}: no range has it"
    return f"{code} belongs to {office} on {day}: range {span.index + 1}, {span.of}"


def differences(before: Offices, after: Offices) -> Iterator[str]:
    """What applying new offices takes away and adds, range by range."""
    old, new = ({str(each): None for each in of.ranges} for of in (before, after))
    yield from (f"- {each}" for each in old if each not in new)
    yield from (f"+ {each}" for each in new if each not in old)
    if before.country != after.country:
        yield f"country: {before.country or 'none'} → {after.country or 'none'}"


def _by_office(offices: Offices) -> dict[str, list[OfficeRange]]:
    found: dict[str, list[OfficeRange]] = {}
    for each in offices.ranges:
        found.setdefault(each.office, []).append(each)
    return dict(sorted(found.items()))


def _listed(ranges: Sequence[OfficeRange]) -> str:
    lines = (" ".join(filter(None, (each.codes, each.country, each.days))) for each in ranges)
    shown = list(lines)
    more = [f"and {len(shown) - _SHOWN} more"] if len(shown) > _SHOWN else []
    return "\n".join([*shown[:_SHOWN], *more])
