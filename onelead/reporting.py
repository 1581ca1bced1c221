"""How long work tells a person where it stands; rich on a terminal, plain lines elsewhere."""

from typing import Protocol

from rich.console import Console
from rich.status import Status
from rich.text import Text

from shared import clock

_PLAIN_INTERVAL_S = 2.0
MEGABYTE = 1_000_000


class Reporter(Protocol):
    """Told what happens; must return at once."""

    def say(self, text: str) -> None:
        """One line that stays."""

    def doing(self, text: str) -> None:
        """What is going on now; replaces what was said before."""

    def done(self) -> None:
        """Nothing is going on any more."""


class SilentReporter:
    """Tells nobody."""

    def say(self, text: str) -> None:
        """Ignores the line."""

    def doing(self, text: str) -> None:
        """Ignores the state."""

    def done(self) -> None:
        """Ignores the end."""


class ConsoleReporter:
    """A spinner with changing text on a terminal; elsewhere a line now and then."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._said_at_s = -_PLAIN_INTERVAL_S
        self._subject = ""

    def say(self, text: str) -> None:
        """Prints a line."""
        self._console.print(text, highlight=False, markup=False)

    def doing(self, text: str) -> None:
        """Shows the state; without a terminal a new subject at once, a change every two seconds."""
        if self._console.is_terminal:
            self._spin(text)
            return
        subject = text.split(":", 1)[0]
        now_s = clock.monotonic_s()
        if subject != self._subject or now_s - self._said_at_s >= _PLAIN_INTERVAL_S:
            self._subject, self._said_at_s = subject, now_s
            self.say(text)

    def done(self) -> None:
        """Takes the spinner away."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _spin(self, text: str) -> None:
        if self._status is None:
            self._status = self._console.status(Text(text))
            self._status.start()
        self._status.update(Text(text))
