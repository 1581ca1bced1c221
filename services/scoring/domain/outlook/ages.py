"""How the score goes with one age, in stretches within which it never falls."""

from collections.abc import Callable, Iterable
from itertools import pairwise

MAX_AGE_DAYS = 36_500
"""Dates are looked for within a hundred years before and after the day."""

Stretch = tuple[int, int]
"""The first and the last age of a stretch."""


def stretches(first: int, last: int, jumps: Iterable[int]) -> list[Stretch]:
    """From `first` to `last`, cut before each jump."""
    starts = sorted({first, *(jump for jump in jumps if first < jump <= last), last + 1})
    return [(start, beyond - 1) for start, beyond in pairwise(starts)]


def first_reaching(threshold: float, low: int, high: int, score_at: Callable[[int], float]) -> int:
    """The first in (low, high] whose score reaches `threshold`.

    The score must never fall between them, miss it at `low` and reach it at `high`.
    """
    while high - low > 1:
        middle = (low + high) // 2
        if score_at(middle) >= threshold:
            high = middle
        else:
            low = middle
    return high


def nearest_reaching(
    threshold: float, now: int, jumps: Iterable[int], score_at: Callable[[int], float]
) -> int | None:
    """The age nearest to `now` whose score reaches `threshold`, of two the older; None without one."""
    edges = tuple(jumps)
    older = _older_reaching(threshold, stretches(now, MAX_AGE_DAYS, edges), score_at)
    # Below `now` the best age of a stretch is its last, which is also the nearest.
    below = reversed(stretches(-MAX_AGE_DAYS, now - 1, edges))
    younger = next((last for _, last in below if score_at(last) >= threshold), None)
    found = [age for age in (older, younger) if age is not None]
    return min(found, key=lambda age: abs(age - now), default=None)


def _older_reaching(
    threshold: float, cut: list[Stretch], score_at: Callable[[int], float]
) -> int | None:
    for first, last in cut:
        if score_at(first) >= threshold:
            return first
        if score_at(last) >= threshold:
            return first_reaching(threshold, first, last, score_at)
    return None
