"""Decides when bad messages are no longer single bad messages but a bad deploy."""

from collections import deque

MAX_BAD_IN_A_ROW = 50
WINDOW = 1_000
MAX_BAD_IN_WINDOW = 100


class PoisonGuard:
    """Counts good and bad messages of an inner topic; `tripped` says why the consumer must stop."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self._window: deque[bool] = deque(maxlen=WINDOW)
        self.tripped: str | None = None

    def observe(self, good: bool) -> None:
        """Takes one message into account, in the order of reading."""
        self._in_a_row = 0 if good else self._in_a_row + 1
        self._window.append(good)
        bad = len(self._window) - sum(self._window)
        if self._in_a_row > MAX_BAD_IN_A_ROW:
            self.tripped = f"{self._in_a_row} unreadable messages in a row"
        elif len(self._window) == WINDOW and bad > MAX_BAD_IN_WINDOW:
            self.tripped = f"{bad} of the last {WINDOW} messages could not be handled"
