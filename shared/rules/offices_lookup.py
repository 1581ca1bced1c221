"""The offices as they are on a day: reads a tenant's ranges, answers which office a postal code has."""

from bisect import bisect_right
from collections import defaultdict
from datetime import date
from functools import lru_cache

from shared.rules.offices import UNASSIGNED, Offices, Span, home_country, spans
from shared.rules.offices_codes import Key, has_digits, key_of


class OfficeMap:
    """Which office each postal code belongs to on one day (rules.md §7)."""

    def __init__(self, offices: Offices, day: date) -> None:
        self._names = {
            word.casefold(): country
            for country, words in offices.country_names.items()
            for word in words
        }
        self._home = home_country(offices)
        self._is_empty = not offices.ranges
        self._rest: dict[str | None, Span] = {}
        in_force: dict[str | None, list[Span]] = defaultdict(list)
        for span in spans(offices):
            if span.of.holds_on(day):
                if span.first is None:
                    self._rest[span.country] = span
                else:
                    in_force[span.country].append(span)
        self._spans = {
            country: sorted(found, key=lambda span: span.first or ())
            for country, found in in_force.items()
        }
        self._firsts = {
            country: [span.first or () for span in found] for country, found in self._spans.items()
        }

    def office_of(self, code: str | None, country: str | None = None) -> str | None:
        """The office of a postal code: `unassigned` without one, None where there are no offices."""
        if self._is_empty:
            return None
        span = self.span_of(code, country)
        return UNASSIGNED if span is None else span.of.office

    def span_of(self, code: str | None, country: str | None = None) -> Span | None:
        """The range that a postal code lies in: one with its codes first, else one for all others."""
        of = self.country_called(country)
        key = None if code is None else key_of(code, of)
        if key is None or not has_digits(key):
            return None
        for each in (of, None):
            if (span := self._enclosing(key, each)) is not None:
                return span
        return self._rest.get(of) or self._rest.get(None)

    def country_called(self, written: str | None) -> str | None:
        """The two letters of a country, however a row names it; of one that names none, the tenant's."""
        word = (written or "").strip()
        if not word:
            return self._home
        return self._names.get(word.casefold(), word.upper())

    def _enclosing(self, key: Key, country: str | None) -> Span | None:
        place = bisect_right(self._firsts.get(country, ()), key)
        if not place:
            return None
        span = self._spans[country][place - 1]
        return span if span.last is not None and key < span.last else None


def office_map(offices: Offices, day: date) -> OfficeMap:
    """The offices as they are on a day; made once for the same rules and day."""
    return _made(_Held(offices), day)


class _Held:
    """Offices that are equal when they are the same object: comparing thousands of ranges takes longer."""

    def __init__(self, offices: Offices) -> None:
        self.offices = offices

    def __hash__(self) -> int:
        return id(self.offices)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and self.offices is other.offices


@lru_cache(maxsize=64)
def _made(held: _Held, day: date) -> OfficeMap:
    return OfficeMap(held.offices, day)
