"""What people type for a moment, and how one is shown."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from onelead.leads.moments import moment_called, shown, zone_called
from shared.errors import UserError

NOW = datetime(2025, 10, 9, 12, tzinfo=UTC)
ZURICH, IN_UTC = ZoneInfo("Europe/Zurich"), ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-11-01", datetime(2025, 10, 31, 23, tzinfo=UTC)),
        ("2025-07-01", datetime(2025, 6, 30, 22, tzinfo=UTC)),
        ("2025-11-01T09:00", datetime(2025, 11, 1, 8, tzinfo=UTC)),
        ("2025-11-01 09:00", datetime(2025, 11, 1, 8, tzinfo=UTC)),
        ("2025-11-01T09:00+09:00", datetime(2025, 11, 1, 0, tzinfo=UTC)),
        ("4h", NOW + timedelta(hours=4)),
        ("3d", NOW + timedelta(days=3)),
        (" 2W ", NOW + timedelta(days=14)),
        ("none", None),
        ("None", None),
    ],
)
def test_a_moment_is_read_in_the_zone(text: str, moment: datetime | None) -> None:
    assert moment_called(text, NOW, ZURICH) == moment


@pytest.mark.parametrize(
    "text", ["", "soon", "0d", "3", "d", "-3d", "2025-13-01", "3d4h", "99999d"]
)
def test_anything_else_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UserError) as refused:
        moment_called(text, NOW, IN_UTC)
    assert "2025-11-01T09:00" in str(refused.value.hint)


def test_a_day_before_the_calendar_begins_is_refused() -> None:
    with pytest.raises(UserError):
        moment_called("0001-01-01", NOW, ZURICH)


def test_a_moment_is_shown_with_its_zone() -> None:
    assert shown(NOW, ZURICH) == "2025-10-09 14:00 Europe/Zurich"
    assert shown(NOW, IN_UTC) == "2025-10-09 12:00 UTC"
    assert not shown(None, IN_UTC)


@pytest.mark.parametrize("name", ["Mars/Base", "", "../etc/passwd", "/etc/localtime"])
def test_a_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UserError):
        zone_called(name)
