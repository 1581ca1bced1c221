from datetime import UTC, datetime, timedelta

import pytest

from onelead.deliveries.since import since_called
from shared.errors import UserError

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wish", "ago"),
    [
        ("30m", timedelta(minutes=30)),
        ("3h", timedelta(hours=3)),
        ("2D", timedelta(days=2)),
        (" 1w ", timedelta(weeks=1)),
    ],
)
def test_so_long_ago_is_counted_from_now(wish: str, ago: timedelta) -> None:
    assert since_called(wish, NOW) == NOW - ago


@pytest.mark.parametrize(
    ("wish", "moment"),
    [
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T14:00", datetime(2026, 3, 1, 14, tzinfo=UTC)),
        ("2026-03-01T14:00+02:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
    ],
)
def test_a_moment_is_in_utc_unless_it_names_its_zone(wish: str, moment: datetime) -> None:
    assert since_called(wish, NOW) == moment


def test_nothing_asked_for_is_no_limit() -> None:
    assert since_called("", NOW) is None


@pytest.mark.parametrize("wish", ["soon", "0d", "-3d", "3y", "999999d", "2026-13-01", "²d"])
def test_what_is_no_moment_is_refused_with_an_example(wish: str) -> None:
    with pytest.raises(UserError, match="is no moment to look back to") as refused:
        since_called(wish, NOW)
    assert "2d" in str(refused.value.hint)


def test_a_day_before_all_days_is_refused() -> None:
    with pytest.raises(UserError):
        since_called("0001-01-01T00:00+14:00", NOW)
