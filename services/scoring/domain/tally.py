"""Adds up a component: a Tally its points alone, a Ledger also the lines and the inputs it read."""

from collections.abc import Callable
from dataclasses import dataclass
from math import fsum
from typing import TypeVar

from services.scoring.domain import explain
from shared.events import JsonScalar, LedgerLine

LOWEST, HIGHEST = 0.0, 100.0

T = TypeVar("T")


class Tally:
    """Collects the points of one component while a factor judges it; the words are not spoken."""

    __slots__ = ("_points",)

    def __init__(self) -> None:
        self._points: list[float] = []

    def read(self, _name: str, value: T | None) -> T | None:
        """`value`, an input that the factor asks for."""
        return value

    def add(
        self,
        points: float,
        given: JsonScalar,  # noqa: ARG002 - the ledger's
        words: Callable[..., str],  # noqa: ARG002
        *about: object,  # noqa: ARG002
    ) -> float:
        """`points`, judged from `given`, for the reason `words(*about)`. Returns the points."""
        self._points.append(points)
        return points

    def cap(self, limit: float, points: list[float], words: Callable[[float], str]) -> None:
        """Negative points of their own when `points` exceed their common `limit`."""
        total = fsum(points)
        if total > limit:
            self.add(_missing_to(limit, points), total, words, limit)

    def total(self) -> float:
        """The component, held between 0 and 100 (rules.md §4)."""
        total = fsum(self._points)
        bounded = min(HIGHEST, max(LOWEST, total))
        if bounded != total:
            self.add(_missing_to(bounded, self._points), total, explain.bound, bounded)
        return bounded


@dataclass(frozen=True, slots=True)
class Component:
    """A judged component: its points, the lines that sum to them, and the inputs it needed."""

    name: str
    points: float
    lines: tuple[LedgerLine, ...]
    present: int
    missing: tuple[str, ...]


class Ledger(Tally):
    """A tally that writes a line for all points and counts the inputs that were there."""

    __slots__ = ("_lines", "_missing", "_name", "_present")

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name
        self._lines: list[LedgerLine] = []
        self._present = 0
        self._missing: list[str] = []

    def read(self, name: str, value: T | None) -> T | None:
        """`value`, noted as an input that was present, or as a missing one when it is None."""
        if value is None:
            self._missing.append(name)
        else:
            self._present += 1
        return value

    def add(
        self, points: float, given: JsonScalar, words: Callable[..., str], *about: object
    ) -> float:
        """The points, and their line."""
        self._lines.append(
            LedgerLine.trusted(
                component=self._name, reason=words(*about), input=given, points=points
            )
        )
        self._points.append(points)
        return points

    def close(self) -> Component:
        """The component with its lines."""
        points = self.total()
        return Component(
            self._name, points, tuple(self._lines), self._present, tuple(self._missing)
        )


def _missing_to(limit: float, points: list[float]) -> float:
    """What is to be added to `points` so that they are `limit`, without the error of their sum."""
    return fsum((limit, *(-each for each in points)))
