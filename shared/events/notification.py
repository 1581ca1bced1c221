"""What became of a delivery, published by the notifier on `onelead.notifications.v1`."""

from typing import ClassVar

from shared.events.base import Event, OpenEnum


class DeliveryOutcome(OpenEnum):
    """The final state of a delivery. `folded`: told in a digest instead."""

    SENT = "sent"
    DEAD = "dead"
    UNSURE = "unsure"
    CANCELLED = "cancelled"
    FOLDED = "folded"
    UNKNOWN = "unknown"


class NotificationSettled(Event):
    """A delivery reached a final state. `unsure`: it may have arrived and is not sent again.

    `lead_id` is empty for what is about many leads.
    """

    event_type: ClassVar[str] = "com.onelead.notification.settled.v1"

    delivery_id: str
    lead_id: str
    episode: int
    purpose: str
    channel: str
    target: str
    outcome: DeliveryOutcome
    attempts: int
    detail: str | None = None
