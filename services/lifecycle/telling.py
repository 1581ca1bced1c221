"""Collects what one transaction changes about leads: their next statuses, history, facts and answers."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.lifecycle.domain.history import OFFICE, Difference, differences
from services.lifecycle.domain.status import AccountFlag, Lead, Status
from services.lifecycle.domain.verdict import Refused
from services.lifecycle.repository import Key
from shared import clock
from shared.events import (
    Actor,
    Event,
    LeadChange,
    LeadCommand,
    LeadCommandRefused,
    LeadStatusChanged,
)
from shared.messaging.codec import OutboxMessage, encode
from shared.messaging.versions import next_version
from shared.ops.tracing import next_traceparent
from shared.topics import LEAD_STATUS

SOURCE = "/onelead/lifecycle"


@dataclass(frozen=True)
class Cause:
    """Who or what makes a change, when and why; by default it comes by itself."""

    now: datetime
    actor: Actor = field(default_factory=Actor)
    why: str = ""
    command_id: str | None = None
    causes: tuple[str, ...] = ()
    traceparent: str | None = None

    def unsaid(self) -> "Cause":
        """The same for another office, which learns neither who nor why."""
        return Cause(now=self.now, traceparent=self.traceparent)


@dataclass
class Telling:
    """The leads and accounts held by a transaction, and what comes of them, in its order."""

    leads: dict[Key, Lead] = field(default_factory=dict)
    accounts: dict[Key, AccountFlag] = field(default_factory=dict)
    changed: set[Key] = field(default_factory=set)
    flagged: set[Key] = field(default_factory=set)
    history: list[dict[str, Any]] = field(default_factory=list)
    messages: list[OutboxMessage] = field(default_factory=list)

    def flag_of(self, account: Key) -> AccountFlag:
        """The do-not-contact of an account."""
        return self.accounts.get(account, AccountFlag())

    def change(self, lead: Lead, status: Status, change: LeadChange, by: Cause) -> Event:
        """A lead gets its next status; returns the fact that tells of it."""
        before = lead.status if lead.version else None
        after = lead.standing(status, next_version(lead.version or None))
        key = (lead.tenant_id, lead.lead_id)
        self.leads[key] = after
        self.changed.add(key)
        self.history += _entries(before, after, change, by)
        fact = _fact(before, after, change, by)
        self._tell(fact, after.tenant_id, after.lead_id, after.lead_id, by.traceparent)
        return fact

    def route(self, lead: Lead, left: str | None, by: Cause) -> None:
        """A lead is another office's now: told and kept, its status is as it was."""
        after = lead.standing(lead.status, next_version(lead.version or None))
        key = (lead.tenant_id, lead.lead_id)
        self.leads[key] = after
        self.changed.add(key)
        moved = Difference(OFFICE, left, after.known.office_id)
        self.history.append(_entry(moved, after, LeadChange.ROUTED, by))
        fact = _fact(lead.status, after, LeadChange.ROUTED, by)
        self._tell(fact, after.tenant_id, after.lead_id, after.lead_id, by.traceparent)

    def refuse(self, tenant_id: str, command: LeadCommand, refused: Refused, by: Cause) -> Event:
        """A command is not carried out; returns the answer that says so."""
        answer = LeadCommandRefused(
            version=clock.now_us(),
            causes=by.causes,
            actor=command.actor,
            office_id=command.office_id,
            command_id=command.command_id,
            lead_id=command.lead_id,
            action=command.action,
            refusal=refused.refusal,
            detail=refused.detail,
            allowed=refused.allowed,
        )
        self.answer_again(tenant_id, answer, by.traceparent)
        return answer

    def answer_again(self, tenant_id: str, answer: Event, traceparent: str | None) -> None:
        """Publishes an answer as it was: the same event under the same id."""
        assert isinstance(answer, LeadStatusChanged | LeadCommandRefused)
        refused = isinstance(answer, LeadCommandRefused)
        subject = answer.command_id if refused else answer.lead_id
        self._tell(answer, tenant_id, str(subject), answer.lead_id, traceparent)

    def _tell(
        self, event: Event, tenant_id: str, subject: str, lead_id: str, traceparent: str | None
    ) -> None:
        message = encode(
            event,
            tenant_id=tenant_id,
            source=SOURCE,
            subject=subject,
            topic=LEAD_STATUS.name,
            key=f"{tenant_id}|{lead_id}",
            traceparent=next_traceparent(traceparent),
        )
        self.messages.append(message)


def _fact(before: Status | None, lead: Lead, change: LeadChange, by: Cause) -> LeadStatusChanged:
    status = lead.status
    return LeadStatusChanged(
        version=lead.version,
        causes=by.causes,
        actor=by.actor,
        office_id=lead.known.office_id,
        lead_id=lead.lead_id,
        account_id=lead.known.account_id,
        change=change,
        state=status.state,
        state_before=before.state if before is not None else None,
        owner=status.owner,
        snoozed_until=status.snoozed_until,
        follow_up_at=status.follow_up_at,
        follow_up_note=status.follow_up_note,
        do_not_contact_until=status.do_not_contact_until,
        withdrawn=status.withdrawn,
        touched_at=status.touched_at,
        changed_at=by.now,
        why=by.why,
        command_id=by.command_id,
    )


def _entries(
    before: Status | None, lead: Lead, change: LeadChange, by: Cause
) -> Iterable[dict[str, Any]]:
    return (_entry(each, lead, change, by) for each in differences(before, lead.status))


def _entry(each: Difference, lead: Lead, change: LeadChange, by: Cause) -> dict[str, Any]:
    return {
        "tenant_id": lead.tenant_id,
        "lead_id": lead.lead_id,
        "version": lead.version,
        "field": each.field,
        "before": each.before,
        "after": each.after,
        "change": change.value,
        "changed_at": by.now,
        "actor_kind": by.actor.kind,
        "actor_id": by.actor.id,
        "why": by.why,
        "command_id": by.command_id,
        "causes": list(by.causes),
    }
