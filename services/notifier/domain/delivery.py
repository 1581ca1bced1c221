"""A delivery: one piece of news to one sink, with an id that never changes."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

_NAMESPACE = uuid.UUID("6f0d3c59-2b0b-5a0e-9a52-0d6f7d0b6c11")
ABOUT_MANY = ""
"""Stands in place of a lead's id in a delivery that is not about one lead."""


class Purpose(StrEnum):
    """Why something is sent. Of what is told about one lead, the alphabet's order is the order told."""

    ALERT = "alert"
    UPDATE = "update"
    WITHDRAWAL = "withdrawal"
    STORM_DIGEST = "storm_digest"
    DAILY_DIGEST = "daily_digest"
    WEEKLY_SUMMARY = "weekly_summary"
    AGEING = "ageing"
    FOLLOW_UP = "follow_up"
    OUTREACH = "outreach"
    CALL_TASK = "call_task"
    NOTICE = "notice"


class State(StrEnum):
    """Where a delivery stands; from `sent` on they are final.

    `folded`: an alert that is told in a digest instead of by itself. `leased` is written by older
    versions only: what is taken is `sending` at once.
    """

    PENDING = "pending"
    LEASED = "leased"
    SENDING = "sending"
    RETRY = "retry"
    SENT = "sent"
    DEAD = "dead"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    FOLDED = "folded"


@dataclass(frozen=True)
class Delivery:
    """What is sent to which sink. `tries` counts the beginnings to send, this one included.

    `number` tells apart what has the same purpose: the lead's version for an update, the period for
    a digest, the step of a campaign; 0 for an alert. `thread` is the receipt of the alert that this
    belongs to, where the channel gave one.
    """

    tenant_id: str
    lead_id: str
    episode: int
    purpose: Purpose
    channel: str
    target: str
    created_at: datetime
    failures: int = 0
    tries: int = 0
    number: int = 0
    thread: Mapping[str, str] | None = field(default=None, hash=False)

    @property
    def id(self) -> str:
        """The same for the same news to the same sink, for ever."""
        key = (self.tenant_id, self.lead_id, str(self.episode), self.purpose.value)
        numbered = (str(self.number),) if self.number else ()
        return str(
            uuid.uuid5(_NAMESPACE, "\x1f".join((*key, self.channel, self.target, *numbered)))
        )
