"""Moves a lead to another state and assigns it, where rules.md §7 allows it."""

from dataclasses import replace

from services.lifecycle.domain.states import Step, allowed_from, step_between
from services.lifecycle.domain.status import Status
from services.lifecycle.domain.verdict import NOTHING_CHANGES, Changed, Refused, Verdict
from shared.events import LeadChange, LeadRefusal, LeadState

REJECTION_REASONS = (
    "wrong segment",
    "data inaccurate",
    "already a customer",
    "duplicate",
    "other",
)


def move(status: Status, to: LeadState | None, why: str) -> Verdict:
    """The lead in another state. One step back asks for a reason, a rejection for one of
    REJECTION_REASONS, which may go on after a colon ("duplicate: of deal 7")."""
    if to is status.state:
        return NOTHING_CHANGES
    allowed = allowed_from(status.state, withdrawn=status.withdrawn)
    if to is None or to not in allowed:
        return Refused(LeadRefusal.ILLEGAL_TRANSITION, _not_allowed(status, to, allowed), allowed)
    step = step_between(status.state, to)
    if step is Step.BACK and not why:
        detail = f"one step back, from {status.state} to {to}, needs a reason"
        return Refused(LeadRefusal.REASON_MISSING, detail, allowed)
    if step is Step.REJECT:
        reason = rejection_reason(why)
        if reason is None:
            kind = LeadRefusal.NOT_A_REASON if why else LeadRefusal.REASON_MISSING
            detail = f"a rejection needs one of the reasons: {', '.join(REJECTION_REASONS)}"
            return Refused(kind, detail, allowed)
        why = reason
    return Changed(LeadChange.MOVED, replace(status, state=to), why)


def assign(status: Status, owner: str | None, why: str) -> Verdict:
    """The lead with another owner, or none; a new lead that gets an owner becomes assigned with it."""
    if owner == status.owner:
        return NOTHING_CHANGES
    state = status.state
    if owner is not None and state is LeadState.NEW:
        state = LeadState.ASSIGNED
    return Changed(LeadChange.ASSIGNED, replace(status, state=state, owner=owner), why)


def rejection_reason(why: str) -> str | None:
    """The reason as it is kept, in the words of REJECTION_REASONS; None when it is none of them."""
    reason, colon, more = why.partition(":")
    known = " ".join(reason.casefold().split())
    if known not in REJECTION_REASONS:
        return None
    return f"{known}: {more.strip()}" if colon and more.strip() else known


def _not_allowed(status: Status, to: LeadState | None, allowed: tuple[LeadState, ...]) -> str:
    what = "a withdrawn lead" if status.withdrawn else "a lead"
    choices = ", ".join(allowed) or "nothing else"
    return f"{what} that is {status.state} cannot become {to or 'that'}; allowed: {choices}"
