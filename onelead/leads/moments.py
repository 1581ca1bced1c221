"""Reads moments as people type them (a day, a day with a time, "3d") and writes them with their zone."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.errors import UserError

NEVER = "none"
"""What clears a flag."""
_AHEAD = re.compile(r"([1-9]\d{0,3})([hdw])", re.IGNORECASE)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_HINT = "like 2025-11-01, 2025-11-01T09:00, 4h, 3d or 2w; none takes it away"


def zone_called(name: str) -> ZoneInfo:
    """The time zone of that name. Raises UserError when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UserError(
            f"there is no time zone {name!r}", hint="a name like Europe/Zurich or UTC"
        ) from None


def moment_called(text: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment in UTC that a text means, None for "none". A day begins at 00:00 in the zone.

    Raises UserError for anything else.
    """
    wanted = text.strip()
    if wanted.casefold() == NEVER:
        return None
    if (ahead := _AHEAD.fullmatch(wanted)) is not None:
        count, unit = ahead.groups()
        return now + int(count) * _UNITS[unit.lower()]
    try:
        moment = datetime.fromisoformat(wanted)
        local = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UserError(f"{text!r} is no moment", hint=_HINT) from None


def shown(moment: datetime | None, zone: ZoneInfo) -> str:
    """A moment to the minute, with the zone it is in; nothing for none."""
    if moment is None:
        return ""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M} {zone.key}"
