"""What offices leave open on a day: reads the ranges, names the codes between them that nobody has."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from shared.rules.offices import Offices, Span, spans
from shared.rules.offices_codes import DIGITS


@dataclass(frozen=True)
class Hole:
    """Numbers between two ranges of a country (None: of any) that no office has."""

    country: str | None
    first: str
    last: str

    def __str__(self) -> str:
        codes = self.first if self.first == self.last else f"{self.first}–{self.last}"
        return f"{codes} ({self.country})" if self.country else codes


def holes(offices: Offices, day: date) -> list[Hole]:
    """The numbers between the first and the last range that nobody has on a day.

    Nothing is open where an office has every other code. Codes with letters are not counted.
    """
    in_force = [span for span in spans(offices) if span.of.holds_on(day)]
    rest = {span.country for span in in_force if span.first is None}
    numbers = sorted(
        (span.country or "", length, low, high)
        for span in in_force
        if (found := _numbers(span)) is not None and not rest & {span.country, None}
        for length, low, high in (found,)
    )
    return list(_between(numbers))


def turns(offices: Offices, after: date) -> list[date]:
    """The days after a day on which some code gets another office."""
    begins = {each.valid_from for each in offices.ranges if each.valid_from}
    ends = {
        each.valid_until + timedelta(days=1)
        for each in offices.ranges
        if each.valid_until and each.valid_until < date.max
    }
    return sorted(day for day in begins | ends if day > after)


def _between(numbers: list[tuple[str, int, int, int]]) -> Iterator[Hole]:
    reached: dict[tuple[str, int], int] = {}
    for country, length, low, high in numbers:
        key = (country, length)
        if key in reached and low > reached[key] + 1:
            first, last = (f"{n:0{length}d}" for n in (reached[key] + 1, low - 1))
            yield Hole(country or None, first, last)
        reached[key] = max(high, reached.get(key, high))


def _numbers(span: Span) -> tuple[int, int, int] | None:
    """(digits, first, last) of a range of numbers; None for codes with letters."""
    if span.first is None or span.last is None or len(span.first) > 1 or span.first[0][0] != 0:
        return None
    _, length, low = span.first[0]
    high = span.last[0][2]
    if DIGITS.get(span.country or "", length) != length:
        return None
    return length, int(low), int(high)
