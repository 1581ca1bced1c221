"""What can be told, by purpose: each kind of content is a value that any channel can render.

Texts in it are plain (one line, nothing a sink interprets); money is in `currency`, days are dates.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from services.notifier.domain.delivery import Purpose
from services.notifier.domain.message import Alert
from shared.events import Priority, Value


class Withdrawal(Value):
    """An announced lead that no longer holds, with the alert that a record was made from."""

    alert: Alert
    reason: str


class Change(Value):
    """One thing that changed, as people name it: `Score`, `Status`, `Owner`, `Value`."""

    what: str
    before: str
    after: str


class Update(Value):
    """A later change of an announced lead; `alert` is the lead as it is now."""

    alert: Alert
    changes: tuple[Change, ...]
    status: str | None = None


class DigestLine(Value):
    """One lead in a digest."""

    lead_id: str
    title: str
    account: str
    territory: str | None
    priority: Priority
    score: float
    value_max: Decimal
    link: str
    note: str = ""

    @classmethod
    def of(cls, alert: Alert) -> "DigestLine":
        """The line of a lead that an alert tells of."""
        return cls(
            lead_id=alert.lead_id,
            title=alert.title,
            account=alert.account,
            territory=alert.territory,
            priority=alert.priority,
            score=alert.score,
            value_max=alert.value_max,
            link=alert.link,
        )


class TerritoryLine(Value):
    """One territory in a weekly summary; `trend` is its pipeline in the last weeks, oldest first."""

    territory: str
    leads: int
    critical: int
    pipeline: Decimal
    trend: tuple[float, ...]


class Digest(Value):
    """Several leads in one message.

    `lines` are the best of `total`; `pipeline` is the sum of the open leads' highest values.
    """

    kind: Literal["storm", "daily", "weekly", "ageing"]
    tenant_id: str
    title: str
    day: date
    total: int
    critical: int
    pipeline: Decimal
    currency: str
    lines: tuple[DigestLine, ...]
    territories: tuple[TerritoryLine, ...] = ()
    link: str


class FollowUp(Value):
    """A follow-up that a person set (an invitation to it) or that has fallen due (a reminder).

    `sequence` rises with each change of the same follow-up; `cancelled` takes it back.
    """

    kind: Literal["set", "due"]
    alert: Alert
    at: datetime
    note: str
    owner: str | None
    sequence: int = 0
    cancelled: bool = False


class Outreach(Value):
    """A campaign's mail to a customer, as its template was rendered when it fell due."""

    tenant_id: str
    lead_id: str
    campaign: str
    step: int
    subject: str
    text: str
    html: str
    unsubscribe_url: str
    to: str = ""


class CallTask(Value):
    """A campaign ended without an answer: somebody should call."""

    alert: Alert
    campaign: str
    contact: str
    due: date


class Notice(Value):
    """Something that people who run OneLead must know: a test, a sink that was switched off."""

    tenant_id: str
    title: str
    text: str


Content = Alert | Update | Withdrawal | Digest | FollowUp | Outreach | CallTask | Notice


def office_of(content: Content) -> str | None:
    """The office whose lead it is about; None for what is about many leads, or none."""
    about = content if isinstance(content, Alert) else getattr(content, "alert", None)
    return about.office_id if isinstance(about, Alert) else None


CONTENTS: Mapping[Purpose, type[Content]] = {
    Purpose.ALERT: Alert,
    Purpose.UPDATE: Update,
    Purpose.WITHDRAWAL: Withdrawal,
    Purpose.STORM_DIGEST: Digest,
    Purpose.DAILY_DIGEST: Digest,
    Purpose.WEEKLY_SUMMARY: Digest,
    Purpose.AGEING: Digest,
    Purpose.FOLLOW_UP: FollowUp,
    Purpose.OUTREACH: Outreach,
    Purpose.CALL_TASK: CallTask,
    Purpose.NOTICE: Notice,
}
"""What is stored with a delivery of each purpose."""
