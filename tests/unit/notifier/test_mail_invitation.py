from datetime import UTC, datetime, timedelta, timezone
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from services.notifier.domain.contents import FollowUp
from services.notifier.domain.delivery import Purpose
from tests.support.notifier_builders import alert
from tests.unit.notifier.test_mail_rendering import CHANNEL, delivery, mail

AT = datetime(2025, 10, 16, 16, 0, tzinfo=timezone(timedelta(hours=2)))


def follow_up(**changes: Any) -> FollowUp:
    values = {
        "kind": "set",
        "alert": alert(),
        "at": AT,
        "note": "Ask for the budget",
        "owner": "Ann",
    }
    return FollowUp(**(values | changes))


def invited(message: EmailMessage) -> tuple[str, Any]:
    """The method that the mail names, and the event in its calendar."""
    (part,) = (p for p in message.walk() if p.get_content_type() == "text/calendar")
    raw = part.get_payload(decode=True)
    assert isinstance(raw, bytes)
    calendar = Calendar.from_ical(raw)
    method = part.get_param("method")
    assert calendar["METHOD"] == method
    (event,) = calendar.walk("VEVENT")
    return str(method), event


def test_a_follow_up_is_an_invitation_to_its_recipient() -> None:
    method, event = invited(mail(follow_up(sequence=7), delivery(Purpose.FOLLOW_UP, 7)))
    assert method == "REQUEST"
    assert event.decoded("dtstart") == datetime(2025, 10, 16, 14, 0, tzinfo=UTC)
    assert event.decoded("dtend") - event.decoded("dtstart") == timedelta(minutes=30)
    assert event["summary"] == "Follow up: Support Renewal: HP DL360p Gen8 8-SFF CTO Server"
    assert "Ask for the budget" in event["description"]
    assert event["organizer"] == "mailto:sales@onelead.example"
    assert event["attendee"] == "mailto:rep@example.com"
    assert (event["sequence"], event["status"]) == (7, "CONFIRMED")
    assert len(event.walk("VALARM")) == 1


def test_a_change_of_a_follow_up_changes_the_same_entry() -> None:
    first = invited(mail(follow_up(sequence=1), delivery(Purpose.FOLLOW_UP, 1)))[1]
    moved = follow_up(sequence=2, at=AT + timedelta(days=1))
    second = invited(mail(moved, delivery(Purpose.FOLLOW_UP, 2, episode=2)))[1]
    assert first["uid"] == second["uid"]
    assert second["sequence"] > first["sequence"]
    assert second.decoded("dtstart") > first.decoded("dtstart")


def test_a_cancelled_follow_up_takes_its_entry_back() -> None:
    first = invited(mail(follow_up(), delivery(Purpose.FOLLOW_UP, 1)))[1]
    message = mail(follow_up(cancelled=True, sequence=9), delivery(Purpose.FOLLOW_UP, 9))
    method, event = invited(message)
    assert (method, event["status"], event["uid"]) == ("CANCEL", "CANCELLED", first["uid"])
    assert message["Subject"].startswith("Follow-up cancelled: ")


@pytest.mark.parametrize(
    "other", [{"target": "boss@example.com"}, {"lead_id": "lead-2"}, {"tenant_id": "b"}]
)
def test_other_leads_and_recipients_have_entries_of_their_own(other: dict[str, Any]) -> None:
    uids = {
        invited(mail(follow_up(), delivery(Purpose.FOLLOW_UP, 1, **changes)))[1]["uid"]
        for changes in ({}, other)
    }
    assert len(uids) == 2


def test_the_invitation_is_the_same_at_each_attempt() -> None:
    of = delivery(Purpose.FOLLOW_UP, 1)
    first, second = (CHANNEL.wire(CHANNEL.render(follow_up(), of)) for _ in range(2))
    assert first == second


@given(note=st.text(max_size=300), title=st.text(max_size=300))
def test_any_text_stays_within_its_property(note: str, title: str) -> None:
    content = follow_up(
        note=note + "\r\nATTENDEE:mailto:evil@example.com", alert=alert(title=title)
    )
    _, event = invited(mail(content, delivery(Purpose.FOLLOW_UP, 1)))
    assert event["attendee"] == "mailto:rep@example.com"
    assert set(event) == set(invited(mail(follow_up(), delivery(Purpose.FOLLOW_UP, 1)))[1])
