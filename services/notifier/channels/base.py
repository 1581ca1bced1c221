"""What a channel is: it says where it sends, renders purely, sends with I/O, and reports a value."""

from typing import Any, Protocol, Self, TypeVar

from services.notifier.domain.attempt import Outcome
from services.notifier.domain.delivery import Delivery
from services.notifier.domain.message import Content
from services.notifier.domain.routing import Target
from services.notifier.settings import NotifierSettings

R = TypeVar("R")


class Channel(Protocol[R]):
    """One way of telling somebody.

    `repeatable`: an attempt with an unsure end may be made again. `concurrency`: how many messages
    may be under way to one target at a time.
    """

    name: str
    concurrency: int
    repeatable: bool

    @classmethod
    def from_settings(cls, settings: NotifierSettings) -> Self | None:
        """The channel, or None when its settings are missing. Raises UserError for wrong ones."""

    @property
    def targets(self) -> tuple[Target, ...]:
        """The sinks this channel is configured for."""
        ...

    def render(self, content: Content, delivery: Delivery) -> R:
        """The message in the channel's own form; the same input gives the same message."""
        ...

    async def send(self, rendered: R) -> Outcome:
        """One attempt. Failures are outcomes; anything raised counts as unsure."""
        ...

    async def close(self) -> None:
        """Gives connections back."""


AnyChannel = Channel[Any]
