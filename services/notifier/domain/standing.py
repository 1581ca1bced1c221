"""How a lead stands in people's hands, as lifecycle told, and what it means for telling about it:
what is held back, what ends, what is worth another word (rules.md §7, §8)."""

from dataclasses import dataclass
from datetime import datetime

from services.notifier.domain.contents import Change
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.message import Alert, plain, value_text
from shared.events import LeadState, LeadStatusChanged

CLOSED = frozenset((LeadState.CONVERTED, LeadState.WON, LeadState.LOST, LeadState.REJECTED))
"""States in which a lead is announced no more."""

SCORE_STEP = 5.0
"""People hear of a moved score when it moved this far since they last heard of it."""


@dataclass(frozen=True)
class Standing:
    """The newest status consumed; version 0 for none."""

    version: int = 0
    state: LeadState = LeadState.NEW
    owner: str | None = None
    snoozed_until: datetime | None = None
    do_not_contact_until: datetime | None = None
    touched_at: datetime | None = None

    @classmethod
    def of(cls, status: LeadStatusChanged) -> "Standing":
        """What a status fact says."""
        return cls(
            status.version,
            status.state,
            status.owner,
            status.snoozed_until,
            status.do_not_contact_until,
            status.touched_at,
        )

    @property
    def closed(self) -> bool:
        """Whether people are done with the lead."""
        return self.state in CLOSED

    def held_until(self, now: datetime, *, keeps_records: bool) -> datetime:
        """From when on an alert may go out: a snooze holds back people's channels, do-not-contact all."""
        holds = [self.do_not_contact_until, None if keeps_records else self.snoozed_until]
        return max([now, *(moment for moment in holds if moment is not None)])

    def silent(self, now: datetime) -> bool:
        """Whether digests and reminders leave the lead out: snoozed, closed, or not to be contacted."""
        return self.closed or self.held_until(now, keeps_records=False) > now


def news_between(before: Alert, after: Alert) -> tuple[Change, ...]:
    """What differs between two versions of a lead as told, by its name; nothing when nothing does."""
    pairs = (
        ("Title", before.title, after.title),
        ("Priority", str(before.priority), str(after.priority)),
        ("Score", f"{before.score}", f"{after.score}"),
        ("Value", value_text(before), value_text(after)),
        ("Account", before.account, after.account),
        ("Risk", str(before.risk), str(after.risk)),
        ("Services", _services(before), _services(after)),
    )
    return tuple(Change(what=w, before=b, after=a) for w, b, a in pairs if b != a)


def worth_a_word(before: Alert, after: Alert) -> bool:
    """Whether people should hear of it: another priority, account or value, or a score well moved."""
    return (
        before.priority != after.priority
        or before.account_id != after.account_id
        or before.value_max != after.value_max
        or abs(before.score - after.score) >= SCORE_STEP
    )


def status_news(before: Standing, status: LeadStatusChanged) -> tuple[Change, ...]:
    """What a status fact changed that is worth telling: the state and the owner."""
    pairs = (
        ("Status", before.state.value, status.state.value),
        ("Owner", plain(before.owner or "nobody"), plain(status.owner or "nobody")),
    )
    return tuple(Change(what=w, before=b, after=a) for w, b, a in pairs if b != a)


def holds(purpose: Purpose) -> bool:
    """Whether deliveries of this purpose wait while a lead is snoozed or not to be contacted."""
    return purpose in {Purpose.ALERT, Purpose.UPDATE, Purpose.CALL_TASK}


def _services(alert: Alert) -> str:
    return ", ".join(service.name for service in alert.services) or "none"
