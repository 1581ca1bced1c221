"""Decides when bad messages are no longer single bad messages but a bad deploy."""

from collections import deque
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

MAX_BAD_IN_A_ROW = 50
WINDOW = 1_000
MAX_BAD_IN_WINDOW = 100


@dataclass(frozen=True)
class Outcome:
    """What became of the message at a position: handled, or put aside."""

    topic: str
    partition: int
    offset: int
    good: bool


class PoisonGuard:
    """Counts good and bad messages of an inner topic; `tripped` says why the consumer must stop."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self._bad_in_window = 0
        self._window: deque[bool] = deque(maxlen=WINDOW)
        self._seen: dict[tuple[str, int], int] = {}
        self.tripped: str | None = None

    def foresee(self, outcomes: Sequence[Outcome]) -> str | None:
        """Why the consumer must stop before it commits these outcomes, or None; `tripped` from then on."""
        if not self.tripped and not all(outcome.good for outcome in outcomes):
            ahead = copy(self)
            ahead._window = self._window.copy()
            ahead._seen = self._seen.copy()
            ahead.observe(outcomes)
            self.tripped = ahead.tripped
        return self.tripped

    def observe(self, outcomes: Sequence[Outcome]) -> None:
        """Takes outcomes into account in the order of reading, each position once however often read."""
        for outcome in outcomes:
            where = (outcome.topic, outcome.partition)
            if outcome.offset > self._seen.get(where, -1):
                self._seen[where] = outcome.offset
                self._count(outcome.good)

    def _count(self, good: bool) -> None:
        if len(self._window) == WINDOW:
            self._bad_in_window -= not self._window[0]
        self._window.append(good)
        self._bad_in_window += not good
        self._in_a_row = 0 if good else self._in_a_row + 1
        if self.tripped:
            return
        if self._in_a_row > MAX_BAD_IN_A_ROW:
            self.tripped = f"more than {MAX_BAD_IN_A_ROW} messages in a row could not be handled"
        elif len(self._window) == WINDOW and self._bad_in_window > MAX_BAD_IN_WINDOW:
            self.tripped = (
                f"more than {MAX_BAD_IN_WINDOW} of the last {WINDOW} messages could not be handled"
            )
