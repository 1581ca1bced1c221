"""A follow-up as a calendar entry that mail programs offer to keep, change or drop (iCalendar, iTIP)."""

import uuid
from datetime import UTC, timedelta

from icalendar import Alarm, Calendar, Event, vCalAddress, vText

from services.notifier.domain.contents import FollowUp
from services.notifier.domain.delivery import Delivery
from services.notifier.domain.message import plain

LASTS = timedelta(minutes=30)
_REMINDS = timedelta(minutes=-10)
_NAMESPACE = uuid.UUID("0b6b54f5-6a3c-5c0c-9d53-7c8d6f2f4a11")


def method_of(follow_up: FollowUp) -> str:
    """What the mail program is asked to do."""
    return "CANCEL" if follow_up.cancelled else "REQUEST"


def invitation(follow_up: FollowUp, delivery: Delivery, sender: str) -> bytes:
    """The entry, the same at each attempt. A lead has one follow-up: later ones change its entry."""
    calendar = Calendar()
    calendar.add("prodid", "-//OneLead//Follow-ups//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method_of(follow_up))
    calendar.add_component(_event(follow_up, delivery, sender))
    return bytes(calendar.to_ical())


def _event(follow_up: FollowUp, delivery: Delivery, sender: str) -> Event:
    alert, begin = follow_up.alert, follow_up.at.astimezone(UTC)
    event = Event()
    event.add("uid", f"{_uid(delivery)}@{sender.rpartition('@')[2]}")
    event.add("sequence", follow_up.sequence)
    event.add("dtstamp", delivery.created_at.astimezone(UTC))
    event.add("dtstart", begin)
    event.add("dtend", begin + LASTS)
    event.add("summary", plain(f"Follow up: {alert.title}")[:200])
    event.add("description", _description(follow_up))
    event.add("url", alert.link)
    event.add("status", "CANCELLED" if follow_up.cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    event.add("organizer", _person(sender, "OneLead"), encode=False)
    attendee = _person(delivery.target, delivery.target)
    attendee.params["partstat"] = vText("NEEDS-ACTION")
    attendee.params["rsvp"] = vText("FALSE")
    event.add("attendee", attendee, encode=False)
    if not follow_up.cancelled:
        event.add_component(_alarm())
    return event


def _uid(delivery: Delivery) -> uuid.UUID:
    key = "\x1f".join((delivery.tenant_id, delivery.lead_id, delivery.target))
    return uuid.uuid5(_NAMESPACE, key)


def _description(follow_up: FollowUp) -> str:
    alert = follow_up.alert
    parts = (follow_up.note, f"Account: {alert.account}", alert.action, alert.link)
    return "\n".join(plain(part)[:2_000] for part in parts if part)


def _person(address: str, name: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{address}")
    person.params["cn"] = vText(name)
    return person


def _alarm() -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", "Follow up")
    alarm.add("trigger", _REMINDS)
    return alarm
