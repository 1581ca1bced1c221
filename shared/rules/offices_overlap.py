"""Finds two ranges that some code would belong to on some day: reads them as compared, names the pair.

In one pass over the codes: ranges that hold at a code must not meet in their days, so that a new one
needs to be compared with its neighbours in time only, however many there are.
"""

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from operator import attrgetter

from shared.rules.offices_codes import Key
from shared.rules.offices_ranges import Span

_begins = attrgetter("of.begins")


class _InTime:
    """Ranges no two of which hold on one day, in the order of their days."""

    def __init__(self) -> None:
        self._spans: list[Span] = []

    def meeting(self, span: Span) -> Span | None:
        """One that holds on a day on which this one does."""
        place = bisect_right(self._spans, span.of.begins, key=_begins)
        before, after = self._spans[max(0, place - 1) : place], self._spans[place : place + 1]
        if before and before[0].of.ends >= span.of.begins:
            return before[0]
        return after[0] if after and after[0].of.begins <= span.of.ends else None

    def add(self, span: Span) -> None:
        insort(self._spans, span, key=_begins)

    def remove(self, span: Span) -> None:
        del self._spans[bisect_left(self._spans, span.of.begins, key=_begins)]


def first_overlap(found: Sequence[Span]) -> tuple[Span, Span] | None:
    """Two ranges with a code and a day in common, the one that stands first in the file first."""
    pair = _among_rest(found) or _among_codes(found)
    if pair is None:
        return None
    one, other = sorted(pair, key=attrgetter("index"))
    return one, other


def _among_rest(found: Sequence[Span]) -> tuple[Span, Span] | None:
    """Two for every other code of the same country, or of all."""
    held: dict[str | None, _InTime] = defaultdict(_InTime)
    for span in found:
        if span.first is None:
            if (other := held[span.country].meeting(span)) is not None:
                return other, span
            held[span.country].add(span)
    return None


def _among_codes(found: Sequence[Span]) -> tuple[Span, Span] | None:
    """Two with codes, of one country or one of them of all."""
    held: dict[str | None, _InTime] = defaultdict(_InTime)
    reaching: list[tuple[Key, int, Span]] = []
    for first, last, span in sorted(_with_codes(found), key=lambda each: (each[0], each[2].index)):
        while reaching and reaching[0][0] <= first:
            gone = heappop(reaching)[2]
            held[gone.country].remove(gone)
        for country in tuple(held) if span.country is None else (span.country, None):
            if (other := held[country].meeting(span)) is not None:
                return other, span
        held[span.country].add(span)
        heappush(reaching, (last, span.index, span))
    return None


def _with_codes(found: Sequence[Span]) -> Iterator[tuple[Key, Key, Span]]:
    for span in found:
        if span.first is not None and span.last is not None:
            yield span.first, span.last, span
