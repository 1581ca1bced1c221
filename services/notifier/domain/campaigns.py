"""A drip campaign: mails on set days, then a call task; stopped as soon as anything says so
(rules.md §8)."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from services.notifier.domain.message import Alert, amount_text
from services.notifier.domain.standing import Standing
from shared.events import LeadState

ROUND, ROUNDS = 100, 10_000
"""A campaign has fewer steps than the one, and is begun for a contact fewer times than the other."""

THROUGH = "all steps done"
"""Why a campaign is over that nothing stopped: its last letters may still go out."""


@dataclass(frozen=True)
class Step:
    """On `day` after the start: the mail of a template, or, without one, a call task."""

    day: int
    template: str | None = None


@dataclass(frozen=True)
class Campaign:
    """Its steps, by day."""

    name: str
    steps: tuple[Step, ...]


STANDARD = Campaign(
    "drip", (Step(0, "first_outreach"), Step(3, "value"), Step(7, "last_reminder"), Step(14))
)
CAMPAIGNS = {STANDARD.name: STANDARD}


@dataclass(frozen=True)
class Enrolment:
    """A contact that a campaign writes to about a lead. `state_at_start`: the lead's, then."""

    tenant_id: str
    lead_id: str
    contact: str
    campaign: str
    round: int
    started_at: datetime
    next_step: int
    state_at_start: LeadState
    owner: str | None = None

    def number(self) -> int:
        """What tells the next step's delivery apart from those of other steps, rounds and contacts."""
        contact = int.from_bytes(hashlib.sha256(self.contact.encode()).digest()[:5])
        return (contact * ROUNDS + self.round) * ROUND + self.next_step


@dataclass(frozen=True)
class Write:
    """The next mail is due."""

    template: str


@dataclass(frozen=True)
class Call:
    """The mails are done: somebody should call."""


@dataclass(frozen=True)
class Stop:
    """The campaign ends, for a reason that people read."""

    reason: str


Action = Write | Call | Stop


@dataclass(frozen=True)
class Circumstances:
    """What is known when a step is due. `suppressed`: why the address is not written to any more."""

    alert: Alert | None
    standing: Standing
    suppressed: str | None
    now: datetime


def stop_reason(enrolment: Enrolment, known: Circumstances) -> str | None:
    """Why a campaign must not go on; None when it may (rules.md §8)."""
    if known.suppressed is not None:
        return known.suppressed
    if known.alert is None:
        return "the lead was withdrawn"
    if known.standing.state is not enrolment.state_at_start:
        return f"the lead is {known.standing.state.value} now"
    until = known.standing.do_not_contact_until
    if until is not None and until > known.now:
        return "the account is not to be contacted"
    return None


def next_action(campaign: Campaign, enrolment: Enrolment, known: Circumstances) -> Action:
    """What a step that is due asks for."""
    if (reason := stop_reason(enrolment, known)) is not None:
        return Stop(reason)
    step = campaign.steps[enrolment.next_step]
    return Call() if step.template is None else Write(step.template)


def due_at(campaign: Campaign, enrolment: Enrolment, step: int) -> datetime | None:
    """When a step falls due; None when there is no such step: the campaign is through."""
    if step >= len(campaign.steps):
        return None
    return enrolment.started_at + timedelta(days=campaign.steps[step].day)


def variables(alert: Alert, owner: str | None) -> dict[str, Any]:
    """What a campaign's template may name, all of it text."""
    return {
        "title": alert.title,
        "account": alert.account,
        "product": alert.product,
        "serial_number": alert.serial_number or "",
        "years_since_end_of_life": _years(alert.end_of_life, alert.as_of),
        "value": amount_text(alert.value_max, alert.currency),
        "services": [service.name for service in alert.services],
        "lead_type": alert.lead_type.value,
        "owner": owner or "",
    }


def _years(day: date | None, as_of: date) -> str:
    return "" if day is None or day >= as_of else str((as_of - day).days // 365)
