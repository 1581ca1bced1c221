"""Adds up a component: every point becomes a ledger line, every input it needed is counted."""

from dataclasses import dataclass
from math import fsum
from typing import TypeVar

from services.scoring.domain import explain
from shared.events import JsonScalar, LedgerLine

LOWEST, HIGHEST = 0.0, 100.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Component:
    """A judged component: its points, the lines that sum to them, and the inputs it needed."""

    name: str
    points: float
    lines: tuple[LedgerLine, ...]
    present: int
    missing: tuple[str, ...]


class Tally:
    """Collects the lines of one component while a factor judges it."""

    __slots__ = ("_lines", "_missing", "_name", "_points", "_present")

    def __init__(self, name: str) -> None:
        self._name = name
        self._lines: list[LedgerLine] = []
        self._points: list[float] = []
        self._present = 0
        self._missing: list[str] = []

    def read(self, name: str, value: T | None) -> T | None:
        """`value`, noted as an input that was present, or as a missing one when it is None."""
        if value is None:
            self._missing.append(name)
        else:
            self._present += 1
        return value

    def add(self, reason: str, points: float, given: JsonScalar = None) -> float:
        """A line: `points` for `reason`, which was judged from `given`. Returns the points."""
        self._points.append(points)
        self._lines.append(
            LedgerLine(component=self._name, reason=reason, input=given, points=points)
        )
        return points

    def cap(self, limit: float, points: list[float], reason: str) -> None:
        """A line of negative points when `points` exceed their common `limit`."""
        total = fsum(points)
        if total > limit:
            self.add(reason, limit - total, total)

    def close(self) -> Component:
        """The component, held between 0 and 100 by a line of its own (rules.md §4)."""
        total = fsum(self._points)
        bounded = min(HIGHEST, max(LOWEST, total))
        if bounded != total:
            self.add(explain.bound(bounded), bounded - total, total)
        return Component(
            self._name, bounded, tuple(self._lines), self._present, tuple(self._missing)
        )
