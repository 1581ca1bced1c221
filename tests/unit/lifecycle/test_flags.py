"""Snooze, follow-up and do-not-contact: set, cleared, refused, fallen due."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.lifecycle.domain.flags import do_not_contact, fall_due, follow_up, snooze
from services.lifecycle.domain.status import AccountFlag, Status, in_utc
from services.lifecycle.domain.verdict import Changed, Refused, Verdict
from shared.events import LeadChange, LeadRefusal, LeadState
from tests.support.lifecycle_builders import EARLIER, LATER, MUCH_LATER, NOW

FREE = AccountFlag()


def status_of(verdict: Verdict) -> Status:
    assert isinstance(verdict, Changed)
    return verdict.status


def refusal_of(verdict: Verdict) -> LeadRefusal:
    assert isinstance(verdict, Refused)
    return verdict.refusal


def asked(
    until: datetime | None,
    account: AccountFlag = FREE,
    office: str | None = None,
) -> Verdict:
    status = Status(do_not_contact_until=account.standing(NOW))
    return do_not_contact(status, account, until, (office, NOW), "asked us")


def test_a_flag_is_set_with_a_moment_and_cleared_without() -> None:
    snoozed = status_of(snooze(Status(), LATER, NOW, ""))
    assert snoozed == Status(snoozed_until=LATER)
    assert status_of(snooze(snoozed, None, NOW, "")) == Status()
    followed = status_of(follow_up(Status(), LATER, "call", NOW))
    assert followed == Status(follow_up_at=LATER, follow_up_note="call")
    assert status_of(follow_up(followed, None, "ignored", NOW)) == Status()
    assert status_of(asked(LATER)) == Status(do_not_contact_until=LATER)
    assert status_of(asked(None, AccountFlag(LATER))) == Status()


@pytest.mark.parametrize("moment", [NOW, EARLIER])
def test_a_moment_that_has_come_is_refused(moment: datetime) -> None:
    found = (
        snooze(Status(), moment, NOW, ""),
        follow_up(Status(), moment, "", NOW),
        asked(moment),
    )
    assert {refusal_of(each) for each in found} == {LeadRefusal.IN_THE_PAST}


def test_what_is_so_already_is_refused() -> None:
    found = (
        snooze(Status(snoozed_until=LATER), LATER, NOW, ""),
        snooze(Status(), None, NOW, ""),
        follow_up(Status(), None, "", NOW),
        follow_up(Status(follow_up_at=LATER, follow_up_note="a"), LATER, "a", NOW),
        asked(LATER, AccountFlag(LATER)),
        asked(None),
    )
    assert {refusal_of(each) for each in found} == {LeadRefusal.NOTHING_CHANGES}


def test_another_note_alone_is_a_change_and_an_overdue_follow_up_set_anew_is_due_no_more() -> None:
    before = Status(follow_up_at=LATER, follow_up_note="a")
    assert status_of(follow_up(before, LATER, "b", NOW)).follow_up_note == "b"
    overdue = Status(follow_up_at=EARLIER, follow_up_due=True)
    assert not status_of(follow_up(overdue, LATER, "", NOW)).follow_up_due


def test_do_not_contact_is_account_wide_and_says_whether_it_begins_or_ends() -> None:
    begun, ended = asked(LATER), asked(None, AccountFlag(LATER))
    assert isinstance(begun, Changed)
    assert isinstance(ended, Changed)
    assert (begun.change, begun.account_wide) == (LeadChange.DO_NOT_CONTACT_SET, True)
    assert (ended.change, ended.account_wide) == (LeadChange.DO_NOT_CONTACT_ENDED, True)


@pytest.mark.parametrize("until", [LATER, None])
def test_only_the_office_that_asked_and_the_tenant_make_it_shorter(until: datetime | None) -> None:
    flag = AccountFlag(MUCH_LATER, "luzern")
    assert refusal_of(asked(until, flag, "romandie")) is LeadRefusal.OTHER_OFFICE
    assert status_of(asked(until, flag, "luzern")).do_not_contact_until == until
    assert status_of(asked(until, flag, None)).do_not_contact_until == until


def test_any_office_makes_it_longer_and_one_that_has_ended_binds_nobody() -> None:
    longer = asked(MUCH_LATER, AccountFlag(LATER, "luzern"), "romandie")
    assert status_of(longer).do_not_contact_until == MUCH_LATER
    anew = asked(LATER, AccountFlag(EARLIER, "luzern"), "romandie")
    assert status_of(anew).do_not_contact_until == LATER


def test_everything_that_has_come_falls_due_once_each_with_the_status_after_it() -> None:
    status = Status(
        state=LeadState.MEETING,
        snoozed_until=NOW,
        follow_up_at=NOW,
        follow_up_note="call",
        do_not_contact_until=NOW,
    )
    steps = fall_due(status, NOW)
    assert [change for change, _ in steps] == [
        LeadChange.SNOOZE_DUE,
        LeadChange.FOLLOW_UP_DUE,
        LeadChange.DO_NOT_CONTACT_ENDED,
    ]
    last = steps[-1][1]
    assert last == Status(
        state=LeadState.MEETING, follow_up_at=NOW, follow_up_note="call", follow_up_due=True
    )
    assert last.next_due is None
    assert fall_due(last, MUCH_LATER) == ()


def test_nothing_falls_due_before_its_moment() -> None:
    status = Status(snoozed_until=LATER, follow_up_at=LATER, do_not_contact_until=LATER)
    assert fall_due(status, LATER - timedelta(microseconds=1)) == ()


def test_the_next_due_is_the_earliest_that_was_not_told_yet() -> None:
    status = Status(snoozed_until=MUCH_LATER, follow_up_at=LATER)
    assert status.next_due == LATER
    told = Status(snoozed_until=MUCH_LATER, follow_up_at=LATER, follow_up_due=True)
    assert told.next_due == MUCH_LATER


def test_moments_are_kept_in_utc_and_those_without_a_zone_are_taken_for_it() -> None:
    zurich = timezone(timedelta(hours=2))
    assert in_utc(datetime.fromisoformat("2025-10-09T09:00")) == datetime(
        2025, 10, 9, 9, tzinfo=UTC
    )
    assert (
        in_utc(datetime(2025, 10, 9, 9, tzinfo=zurich)).isoformat() == "2025-10-09T07:00:00+00:00"
    )
    last = datetime.max.replace(tzinfo=timezone(timedelta(hours=-5)))
    assert in_utc(last) == datetime.max.replace(tzinfo=UTC)
