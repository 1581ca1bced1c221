"""A delivery: one piece of news to one sink, with an id that never changes."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_NAMESPACE = uuid.UUID("6f0d3c59-2b0b-5a0e-9a52-0d6f7d0b6c11")


class Purpose(StrEnum):
    """Why something is sent."""

    ALERT = "alert"
    WITHDRAWAL = "withdrawal"


class State(StrEnum):
    """Where a delivery stands; the last four are final."""

    PENDING = "pending"
    LEASED = "leased"
    SENDING = "sending"
    RETRY = "retry"
    SENT = "sent"
    DEAD = "dead"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Delivery:
    """What is sent to which sink. `tries` counts the beginnings to send, this one included."""

    tenant_id: str
    lead_id: str
    episode: int
    purpose: Purpose
    channel: str
    target: str
    created_at: datetime
    failures: int = 0
    tries: int = 0

    @property
    def id(self) -> str:
        """The same for the same news to the same sink, for ever."""
        key = (self.tenant_id, self.lead_id, str(self.episode), self.purpose.value)
        return str(uuid.uuid5(_NAMESPACE, "\x1f".join((*key, self.channel, self.target))))
