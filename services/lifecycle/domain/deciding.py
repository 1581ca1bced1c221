"""Decides a command about a lead: whether there is such a lead, whose it is, and what follows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from services.lifecycle.domain import flags, transitions
from services.lifecycle.domain.states import allowed_from
from services.lifecycle.domain.status import AccountFlag, Lead, Status
from services.lifecycle.domain.verdict import Refused, Verdict
from shared.events import LeadAction, LeadCommand, LeadRefusal

MAX_TEXT = 2_000
"""A reason or a note is kept up to so many characters."""
_BY_ITSELF = "system"
"""An actor of this kind is no person: what it does is no touch."""


@dataclass(frozen=True)
class _Wish:
    """A command with its texts cleaned, and what it is judged by."""

    command: LeadCommand
    account: AccountFlag
    now: datetime
    why: str
    note: str
    owner: str | None


def decide(command: LeadCommand, lead: Lead | None, account: AccountFlag, now: datetime) -> Verdict:
    """What comes of a command; `account` is the flag of the lead's account.

    A refusal to another office says nothing of the lead but that it is not its own.
    """
    if lead is None:
        return Refused(LeadRefusal.UNKNOWN_LEAD, "there is no such lead")
    if command.office_id is not None and command.office_id != lead.known.office_id:
        return Refused(LeadRefusal.OTHER_OFFICE, "the lead is another office's")
    judge = _JUDGES.get(command.action)
    if judge is None:
        return Refused(LeadRefusal.UNKNOWN_ACTION, "lifecycle does not know what that command asks")
    if lead.status.withdrawn and _is_new_work(command):
        allowed = allowed_from(lead.status.state, withdrawn=True)
        detail = "the lead was withdrawn; it can be closed, no more be worked on"
        return Refused(LeadRefusal.WITHDRAWN, detail, allowed)
    verdict = judge(lead.status, _wish(command, account, now))
    if isinstance(verdict, Refused) or command.actor.kind == _BY_ITSELF:
        return verdict
    return replace(verdict, status=replace(verdict.status, touched_at=now))


def clean(text: str) -> str:
    """A text without control characters, its white space made single, up to MAX_TEXT characters."""
    kept = "".join(" " if ord(each) < ord(" ") or each == "\x7f" else each for each in text)
    return " ".join(kept.split())[:MAX_TEXT]


def _wish(command: LeadCommand, account: AccountFlag, now: datetime) -> _Wish:
    owner = clean(command.owner or "") or None
    return _Wish(command, account, now, clean(command.why), clean(command.note), owner)


def _is_new_work(command: LeadCommand) -> bool:
    if command.action is LeadAction.ASSIGN:
        return True
    flag = command.action in {LeadAction.SNOOZE, LeadAction.FOLLOW_UP}
    return flag and command.until is not None


def _move(status: Status, wish: _Wish) -> Verdict:
    return transitions.move(status, wish.command.to, wish.why)


def _assign(status: Status, wish: _Wish) -> Verdict:
    return transitions.assign(status, wish.owner, wish.why)


def _snooze(status: Status, wish: _Wish) -> Verdict:
    return flags.snooze(status, wish.command.until, wish.now, wish.why)


def _follow_up(status: Status, wish: _Wish) -> Verdict:
    return flags.follow_up(status, wish.command.until, wish.note, wish.now, wish.why)


def _do_not_contact(status: Status, wish: _Wish) -> Verdict:
    asking = (wish.command.office_id, wish.now)
    return flags.do_not_contact(status, wish.account, wish.command.until, asking, wish.why)


_JUDGES: Mapping[LeadAction, Callable[[Status, _Wish], Verdict]] = {
    LeadAction.MOVE: _move,
    LeadAction.ASSIGN: _assign,
    LeadAction.SNOOZE: _snooze,
    LeadAction.FOLLOW_UP: _follow_up,
    LeadAction.DO_NOT_CONTACT: _do_not_contact,
}
