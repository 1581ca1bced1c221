"""A lead as a CRM keeps it: reads contents and what a CRM holds, decides what OneLead writes there and
what it leaves alone (rules.md §8)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from services.notifier.domain.attempt import Delivered, Outcome, Rejected
from services.notifier.domain.contents import CallTask, Content, Update, Withdrawal
from services.notifier.domain.message import Alert, plain, service_text, value_text
from shared.events import LeadType


class Owner(StrEnum):
    """Who may change a field after the record was created."""

    ONELEAD = "OneLead"
    CRM = "CRM"


class Field(StrEnum):
    """What a CRM's record of a lead has, whatever the CRM calls it."""

    NAME = "name"
    AMOUNT = "amount"
    DESCRIPTION = "description"
    TYPE = "type"
    SOURCE = "source"
    SCORE = "score"
    STATUS = "status"
    STAGE = "stage"
    CLOSE_DATE = "close date"
    ACCOUNT = "account"
    OWNER = "owner"


OWNED_BY: Mapping[Field, Owner] = {
    Field.NAME: Owner.ONELEAD,
    Field.AMOUNT: Owner.ONELEAD,
    Field.DESCRIPTION: Owner.ONELEAD,
    Field.TYPE: Owner.ONELEAD,
    Field.SOURCE: Owner.ONELEAD,
    Field.SCORE: Owner.ONELEAD,
    Field.STATUS: Owner.ONELEAD,
    Field.STAGE: Owner.CRM,
    Field.CLOSE_DATE: Owner.CRM,
    Field.ACCOUNT: Owner.CRM,
    Field.OWNER: Owner.CRM,
}
"""What OneLead owns it may write again; what the CRM owns is written at creation and never again.

An account is written as long as the record has none; the owner is never written.
"""

CLOSE_AFTER: Mapping[LeadType, timedelta] = {
    LeadType.RENEWAL: timedelta(days=45),
    LeadType.SERVICE_ATTACH: timedelta(days=60),
    LeadType.HARDWARE_REFRESH: timedelta(days=90),
    LeadType.UNKNOWN: timedelta(days=90),
}
"""From the day of the score to the expected close (rules.md §8)."""

OPEN, WITHDRAWN = "Open", "Withdrawn"
LEFT_OPEN = "\n\nOneLead: account left open: "
FieldValue = str | Decimal | date


@dataclass(frozen=True)
class Entry:
    """What OneLead has to say about a lead. `account`: the name to look up; None: not looked for.

    `at_creation` holds what only a new record gets; None creates nothing.
    """

    lead_id: str
    account: str | None
    ours: Mapping[Field, FieldValue]
    at_creation: Mapping[Field, FieldValue] | None


@dataclass(frozen=True)
class Call:
    """A task for a person: call the contact about a lead. `task_id` is the same however often it is sent."""

    task_id: str
    lead_id: str
    subject: str
    description: str
    due: date


@dataclass(frozen=True)
class CrmRecord:
    """A record as the CRM has it, with those of its fields that were asked for."""

    external_id: str
    lead_id: str
    changed_at: datetime
    values: Mapping[Field, FieldValue] = field(default_factory=dict)

    @property
    def stage(self) -> str:
        """The stage, as the CRM spells it."""
        return str(self.values.get(Field.STAGE, ""))


@dataclass(frozen=True)
class Write:
    """The fields of one record to create or to change; `note` is what a person should know of it."""

    lead_id: str
    values: Mapping[Field, FieldValue]
    note: str | None = None


def entry_of(content: Content, opening_stage: str) -> Entry:
    """What a content says to a CRM (rules.md §8). Raises TypeError for one that no record is made of."""
    match content:
        case Withdrawal(alert=alert, reason=reason):
            words = f"Withdrawn by OneLead: {plain(reason)}.\n\n{_description(alert)}"
            ours = {Field.STATUS: WITHDRAWN, Field.DESCRIPTION: words}
            return Entry(alert.lead_id, None, ours, None)
        case Update(alert=alert):
            return Entry(alert.lead_id, alert.account, _ours(alert), None)
        case Alert():
            closes = content.as_of + CLOSE_AFTER[content.lead_type]
            first: dict[Field, FieldValue] = {
                Field.STAGE: opening_stage,
                Field.CLOSE_DATE: closes,
            }
            return Entry(content.lead_id, content.account, _ours(content), first)
    raise TypeError(f"a CRM keeps no record of {type(content).__name__}")


def call_of(task: CallTask, task_id: str) -> Call:
    """The task a campaign ends with (rules.md §8)."""
    words = (
        f"The campaign {plain(task.campaign)} ended without an answer.",
        _description(task.alert),
    )
    subject = f"Call {plain(task.contact)}: {task.alert.title}"
    return Call(task_id, task.alert.lead_id, subject, "\n\n".join(words), task.due)


def write_of(
    entry: Entry, held: Sequence[CrmRecord], accounts: Sequence[str]
) -> Write | Delivered | Rejected:
    """What to write, given the records that the lead has there and the accounts of that name.

    Never guessed: several records or accounts are a person's to sort out. What the CRM owns is not
    written to a record that stands (rules.md §8).
    """
    if len(held) > 1:
        ids = ", ".join(record.external_id for record in held)
        return Rejected(f"several records in the CRM are of this lead: {ids}", error="ambiguous")
    if not held and entry.at_creation is None:
        return Delivered("nothing to change: the CRM holds no record of this lead")
    values = dict(entry.ours) | (dict(entry.at_creation or {}) if not held else {})
    if entry.account is None or (held and held[0].values.get(Field.ACCOUNT)):
        return Write(entry.lead_id, values)
    if len(accounts) == 1:
        return Write(entry.lead_id, {**values, Field.ACCOUNT: accounts[0]})
    found = "no account has" if not accounts else f"{len(accounts)} accounts have"
    left = f"{found} the name {plain(entry.account)}"
    values[Field.DESCRIPTION] = f"{values[Field.DESCRIPTION]}{LEFT_OPEN}{left}."
    return Write(entry.lead_id, values, f"account left open: {left}")


def noted(outcome: Outcome, note: str | None) -> Outcome:
    """An outcome with the note of its write, where it succeeded."""
    if note and isinstance(outcome, Delivered):
        return Delivered(note, outcome.status, outcome.receipt)
    return outcome


def folded(text: str) -> str:
    """A name as it is compared: without case, blanks as one."""
    return " ".join(text.casefold().split())


def _ours(alert: Alert) -> dict[Field, FieldValue]:
    return {
        Field.NAME: alert.title,
        Field.AMOUNT: alert.value_max,
        Field.DESCRIPTION: _description(alert),
        Field.TYPE: "Existing Business",
        Field.SOURCE: "OneLead AI",
        Field.SCORE: Decimal(str(alert.score)),
        Field.STATUS: OPEN,
    }


def _description(alert: Alert) -> str:
    services = [f"- {service_text(service)}" for service in alert.services] or ["- none"]
    lines = [
        alert.description,
        f"Account: {alert.account}",
        f"Value: {value_text(alert)}",
        f"Score: {alert.score} of 100 ({alert.priority}), as of {alert.as_of.isoformat()}",
        "Services to offer:",
        *services,
        alert.link,
    ]
    return "\n".join(lines)
