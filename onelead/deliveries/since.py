"""Reads how far back a person wants to look: a day, a moment, or so long ago."""

import re
from datetime import UTC, datetime, timedelta

from shared.errors import UserError

_AGO = re.compile(r"([1-9]\d{0,4})([mhdw])", re.IGNORECASE)
_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


def since_called(wish: str, now: datetime) -> datetime | None:
    """The moment in UTC that is meant; None for an empty wish. Raises UserError for anything else."""
    wanted = wish.strip()
    if not wanted:
        return None
    try:
        if (ago := _AGO.fullmatch(wanted)) is not None:
            return now - int(ago[1]) * _UNITS[ago[2].lower()]
        moment = datetime.fromisoformat(wanted)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UserError(
            f"--since: {wish!r} is no moment to look back to",
            hint="like 2025-10-09, 2025-10-09T14:00, 30m, 3h, 2d or 1w",
        ) from None
