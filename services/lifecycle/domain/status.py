"""A lead as lifecycle holds it: what the public topic says of it, and how it stands with people."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from shared.events import LeadChanged, LeadState


@dataclass(frozen=True)
class Status:
    """How a lead stands. `follow_up_due` says that the follow-up's moment has come and was told;
    `touched_at` is when a person last did something about it."""

    state: LeadState = LeadState.NEW
    owner: str | None = None
    snoozed_until: datetime | None = None
    follow_up_at: datetime | None = None
    follow_up_note: str = ""
    follow_up_due: bool = False
    do_not_contact_until: datetime | None = None
    withdrawn: bool = False
    touched_at: datetime | None = None

    @property
    def next_due(self) -> datetime | None:
        """When the next flag falls due, None when none will."""
        follow_up_at = None if self.follow_up_due else self.follow_up_at
        moments = (self.snoozed_until, follow_up_at, self.do_not_contact_until)
        return min((moment for moment in moments if moment is not None), default=None)

    def not_contacted(self, until: datetime | None) -> "Status":
        """The same with another do-not-contact."""
        return replace(self, do_not_contact_until=until)


@dataclass(frozen=True)
class Known:
    """What the public topic said last of a lead; what lists show and choose by. Money in `currency`."""

    version: int
    account_id: str
    office_id: str | None
    account: str
    title: str
    lead_type: str
    priority: str
    score: float
    territory: str | None
    serial_number: str | None
    value_max: Decimal
    currency: str

    @classmethod
    def of(cls, event: LeadChanged) -> "Known":
        """What a version of the public lead says."""
        return cls(
            version=event.version,
            account_id=event.account_id,
            office_id=event.office_id,
            account=event.account,
            title=event.title,
            lead_type=event.lead_type.value,
            priority=event.priority.value,
            score=event.score,
            territory=event.territory,
            serial_number=event.serial_number,
            value_max=event.estimated_value_max,
            currency=event.currency,
        )


@dataclass(frozen=True)
class Lead:
    """A lead; `version` numbers what lifecycle told of it, 0 when it told nothing yet."""

    tenant_id: str
    lead_id: str
    known: Known
    status: Status
    version: int = 0

    @property
    def account(self) -> tuple[str, str]:
        """The key of its account."""
        return self.tenant_id, self.known.account_id

    def known_as(self, known: Known | None, version: int) -> "Lead":
        """The lead as a newer version of the public lead has it; None says nothing but the version."""
        return replace(self, known=known or replace(self.known, version=version))

    def standing(self, status: Status, version: int) -> "Lead":
        """The lead with its next status."""
        return replace(self, status=status, version=version)


@dataclass(frozen=True)
class AccountFlag:
    """An account's do-not-contact, and the office that asked for it (None: the tenant)."""

    until: datetime | None = None
    office_id: str | None = None

    def standing(self, now: datetime) -> datetime | None:
        """Until when it holds; None when it does not, or no more."""
        return self.until if self.until is not None and self.until > now else None


def in_utc(moment: datetime) -> datetime:
    """A moment in UTC; one without a time zone is taken for UTC."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # the last or the first hours of the calendar
        return moment.replace(tzinfo=UTC)
