"""What becomes of a lead in people's hands: commands on `onelead.lead-commands.v1`, lifecycle's facts on
`onelead.lead-status.v1` (rules.md §7)."""

from datetime import datetime
from typing import ClassVar

from shared.events.base import Event, OpenEnum


class LeadState(OpenEnum):
    """Where a lead stands. Open: all but the last three, in this order."""

    NEW = "new"
    ASSIGNED = "assigned"
    CONTACTED = "contacted"
    QUALIFIED = "qualified"
    MEETING = "meeting"
    PROPOSAL = "proposal"
    CONVERTED = "converted"
    WON = "won"
    LOST = "lost"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class LeadAction(OpenEnum):
    """What a command asks for; the flags are set with a moment and cleared without one."""

    MOVE = "move"
    ASSIGN = "assign"
    SNOOZE = "snooze"
    FOLLOW_UP = "follow_up"
    DO_NOT_CONTACT = "do_not_contact"
    UNKNOWN = "unknown"


class LeadChange(OpenEnum):
    """What a status fact reports; `due` comes by itself when a snooze or a follow-up falls due."""

    APPEARED = "appeared"
    MOVED = "moved"
    ASSIGNED = "assigned"
    SNOOZED = "snoozed"
    SNOOZE_DUE = "snooze_due"
    FOLLOW_UP_SET = "follow_up_set"
    FOLLOW_UP_DUE = "follow_up_due"
    DO_NOT_CONTACT_SET = "do_not_contact_set"
    DO_NOT_CONTACT_ENDED = "do_not_contact_ended"
    WITHDRAWN = "withdrawn"
    RETURNED = "returned"
    ROUTED = "routed"
    UNKNOWN = "unknown"


class LeadRefusal(OpenEnum):
    """Why a command was refused."""

    UNKNOWN_LEAD = "unknown_lead"
    ILLEGAL_TRANSITION = "illegal_transition"
    REASON_MISSING = "reason_missing"
    NOT_A_REASON = "not_a_reason"
    OTHER_OFFICE = "other_office"
    IN_THE_PAST = "in_the_past"
    NOTHING_CHANGES = "nothing_changes"
    WITHDRAWN = "withdrawn"
    UNKNOWN_ACTION = "unknown_action"
    FAILED = "failed"
    UNKNOWN = "unknown"


class LeadCommand(Event):
    """Asks lifecycle to change a lead's state, owner or flags; the same `command_id` counts once.

    move: `to`, with `why` where a reason is asked for. assign: `owner`, empty to take it away.
    snooze, follow_up, do_not_contact: `until`, nothing to clear; `note` goes with a follow-up.
    """

    event_type: ClassVar[str] = "com.onelead.lead.commanded.v1"

    command_id: str
    lead_id: str
    action: LeadAction
    to: LeadState | None = None
    owner: str | None = None
    until: datetime | None = None
    why: str = ""
    note: str = ""


class LeadStatusChanged(Event):
    """A lead's whole status after a change; `change` says which, `before` what stood there.

    `do_not_contact_until` holds for the whole account, whoever of the tenant asked for it; `touched_at`
    is the last time a person did something about it; `command_id` is None for what came by itself.
    """

    event_type: ClassVar[str] = "com.onelead.lead.status-changed.v1"

    lead_id: str
    account_id: str
    change: LeadChange
    state: LeadState
    state_before: LeadState | None = None
    owner: str | None = None
    snoozed_until: datetime | None = None
    follow_up_at: datetime | None = None
    follow_up_note: str = ""
    do_not_contact_until: datetime | None = None
    withdrawn: bool = False
    touched_at: datetime | None = None
    changed_at: datetime
    why: str = ""
    command_id: str | None = None


class LeadCommandRefused(Event):
    """A command that was not carried out; `allowed` names the states the lead may be moved to."""

    event_type: ClassVar[str] = "com.onelead.lead.command-refused.v1"

    command_id: str
    lead_id: str
    action: LeadAction
    refusal: LeadRefusal
    detail: str
    allowed: tuple[LeadState, ...] = ()
