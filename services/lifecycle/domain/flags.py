"""The flags beside the state: sets and clears them by command, and lets them fall due (rules.md §7)."""

from dataclasses import replace
from datetime import datetime

from services.lifecycle.domain.status import AccountFlag, Status, in_utc
from services.lifecycle.domain.verdict import NOTHING_CHANGES, Changed, Refused, Verdict
from shared.events import LeadChange, LeadRefusal


def snooze(status: Status, until: datetime | None, now: datetime, why: str) -> Verdict:
    """The lead snoozed until a moment, or no more."""
    if (refused := _past(until, now)) is not None:
        return refused
    until = None if until is None else in_utc(until)
    if until == status.snoozed_until:
        return NOTHING_CHANGES
    return Changed(LeadChange.SNOOZED, replace(status, snoozed_until=until), why)


def follow_up(
    status: Status, at: datetime | None, note: str, now: datetime, why: str = ""
) -> Verdict:
    """The lead with a follow-up at a moment and its note, or with none: done, or not wanted."""
    if (refused := _past(at, now)) is not None:
        return refused
    at = None if at is None else in_utc(at)
    note = note if at is not None else ""
    if (at, note) == (status.follow_up_at, status.follow_up_note):
        return NOTHING_CHANGES
    after = replace(status, follow_up_at=at, follow_up_note=note, follow_up_due=False)
    return Changed(LeadChange.FOLLOW_UP_SET, after, why)


def do_not_contact(
    status: Status,
    account: AccountFlag,
    until: datetime | None,
    asking: tuple[str | None, datetime],
    why: str = "",
) -> Verdict:
    """The account not to be contacted until a moment, or free again. `asking`: whose office, and when.

    An office lengthens what another one asked for and does not shorten it; the tenant may do both.
    """
    office_id, now = asking
    if (refused := _past(until, now)) is not None:
        return refused
    until = None if until is None else in_utc(until)
    held = account.standing(now)
    if until == held == status.do_not_contact_until:
        return NOTHING_CHANGES
    shortens = held is not None and (until is None or until < held)
    if shortens and office_id is not None and office_id != account.office_id:
        detail = "another office asked for it; it may be made longer, not shorter"
        return Refused(LeadRefusal.OTHER_OFFICE, detail)
    change = LeadChange.DO_NOT_CONTACT_ENDED if until is None else LeadChange.DO_NOT_CONTACT_SET
    return Changed(change, replace(status, do_not_contact_until=until), why, account_wide=True)


def fall_due(status: Status, now: datetime) -> tuple[tuple[LeadChange, Status], ...]:
    """What falls due by now, each with the status after it, one after the other.

    A snooze and a do-not-contact end; a follow-up stays, overdue, until somebody clears it or sets another.
    """
    found = []
    if _reached(status.snoozed_until, now):
        status = replace(status, snoozed_until=None)
        found.append((LeadChange.SNOOZE_DUE, status))
    if _reached(status.follow_up_at, now) and not status.follow_up_due:
        status = replace(status, follow_up_due=True)
        found.append((LeadChange.FOLLOW_UP_DUE, status))
    if _reached(status.do_not_contact_until, now):
        status = replace(status, do_not_contact_until=None)
        found.append((LeadChange.DO_NOT_CONTACT_ENDED, status))
    return tuple(found)


def _reached(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment <= now


def _past(moment: datetime | None, now: datetime) -> Refused | None:
    if moment is None or in_utc(moment) > now:
        return None
    detail = f"{in_utc(moment):%Y-%m-%d %H:%M} UTC is in the past"
    return Refused(LeadRefusal.IN_THE_PAST, detail)
