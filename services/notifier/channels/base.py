"""What a channel is: it says where it sends, renders purely, sends with I/O, and reports a value."""

from typing import Any, ClassVar, Protocol, Self, TypeVar

from services.notifier.channels.sink import SinkSettings
from services.notifier.domain.attempt import Certainty, Outcome
from services.notifier.domain.contents import Content
from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.domain.plan import Target
from shared.outbound import OutboundPolicy

R = TypeVar("R")


class Channel(Protocol[R]):
    """One sink of one way of telling somebody.

    `settings_class`: what stands in the notify file for a sink of this channel. `accepts`: what it can
    tell. `certainty`: what can be done after an attempt with an unsure end; `repeatable`: it may be made
    again (idempotent, found missing, or the operator prefers a repeat to a loss). `concurrency`: how
    many messages may be under way to one target at a time, for each tenant.
    """

    name: ClassVar[str]
    settings_class: ClassVar[type[SinkSettings]]
    accepts: ClassVar[frozenset[Purpose]]
    certainty: ClassVar[Certainty]
    repeatable: bool
    concurrency: int

    @classmethod
    def open(cls, settings: Any, policy: OutboundPolicy) -> Self:
        """The sink, ready to send. Raises UserError for settings that cannot work."""

    @property
    def targets(self) -> tuple[Target, ...]:
        """Where this sink sends: one target, or one for each recipient."""
        ...

    def render(self, content: Content, delivery: Delivery) -> R:
        """The message in the channel's own form; the same input gives the same message."""
        ...

    def wire(self, rendered: R) -> bytes:
        """The message as it goes out, without secrets: what is hashed for the ledger and previewed."""
        ...

    async def send(self, rendered: R) -> Outcome:
        """One attempt. Failures are outcomes; anything raised counts as unsure."""
        ...

    async def find(self, rendered: R) -> Outcome | None:
        """Look-up channels: Delivered when the message stands there, None when it does not.

        Retryable or Unsure when the sink cannot be asked now. Other channels are never asked.
        """
        ...

    async def close(self) -> None:
        """Gives connections back."""


AnyChannel = Channel[Any]
