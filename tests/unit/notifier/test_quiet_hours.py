"""Quiet hours by the clocks of a place: when they hold, and when they are over."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.plan.quiet_hours import EVERY_DAY, LONGEST, QuietHours, free_from

ZURICH = ZoneInfo("Europe/Zurich")
ZONES = ("UTC", "Europe/Zurich", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
NIGHTS = QuietHours(time(20), time(7), ZURICH)
WEEKENDS = QuietHours(time(0), time(0), ZURICH, frozenset({5, 6}))

minutes = st.builds(time, st.integers(0, 23), st.integers(0, 59))
spans = st.builds(
    QuietHours,
    minutes,
    minutes,
    st.sampled_from(ZONES).map(ZoneInfo),
    st.frozensets(st.integers(0, 6), min_size=1),
)
# Around the days on which clocks are changed, and on any other.
DAYS_FROM = {"2025-03-28": 11, "2025-10-24": 11, "2024-01-01": 1_000}


def minutes_from(day: str, days: int) -> st.SearchStrategy[datetime]:
    first = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return st.integers(0, days * 24 * 60).map(lambda n: first + timedelta(minutes=n))


moments = st.one_of([minutes_from(*each) for each in DAYS_FROM.items()])


def at(text: str) -> datetime:
    """A moment on the clocks of Zurich."""
    return datetime.fromisoformat(text).replace(tzinfo=ZURICH)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2025-06-04T19:59:59", None),
        ("2025-06-04T20:00", "2025-06-05T07:00"),
        ("2025-06-05T06:59:59", "2025-06-05T07:00"),
        ("2025-06-05T07:00", None),
    ],
)
def test_a_night_ends_in_the_next_morning(now: str, until: str | None) -> None:
    assert NIGHTS.until(at(now)) == (at(until) if until else None)


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    fridays = QuietHours(time(20), time(7), ZURICH, frozenset({4}))
    assert fridays.until(at("2025-06-06T23:00")) == at("2025-06-07T07:00")
    assert fridays.until(at("2025-06-07T03:00")) == at("2025-06-07T07:00")
    assert fridays.until(at("2025-06-06T03:00")) is None
    assert fridays.until(at("2025-06-07T23:00")) is None


def test_spans_that_meet_are_one() -> None:
    """A Friday evening lasts until Monday morning."""
    assert free_from(at("2025-06-06T21:30"), [NIGHTS, WEEKENDS]) == at("2025-06-09T07:00")
    assert free_from(at("2025-06-09T07:00"), [NIGHTS, WEEKENDS]) == at("2025-06-09T07:00")


@pytest.mark.parametrize(
    ("now", "end_utc"),
    [("2025-03-29T21:00", "2025-03-30T05:00"), ("2025-10-25T21:00", "2025-10-26T06:00")],
)
def test_seven_in_the_morning_is_seven_on_the_day_the_clocks_change(now: str, end_utc: str) -> None:
    assert NIGHTS.until(at(now)) == datetime.fromisoformat(end_utc).replace(tzinfo=UTC)


def test_an_hour_that_comes_twice_is_quiet_twice() -> None:
    until_half_past_two = QuietHours(time(22), time(2, 30), ZURICH)
    first, second = (at("2025-10-26T02:15").replace(fold=fold) for fold in (0, 1))
    end = datetime(2025, 10, 26, 1, 30, tzinfo=UTC)
    assert until_half_past_two.until(first) == until_half_past_two.until(second) == end
    from_half_past_two = QuietHours(time(2, 30), time(5), ZURICH)
    assert from_half_past_two.until(datetime(2025, 10, 26, 0, 29, tzinfo=UTC)) is None
    assert from_half_past_two.until(datetime(2025, 10, 26, 1, 15, tzinfo=UTC)) is not None


def test_an_end_in_the_hour_that_is_left_out_comes_as_much_later() -> None:
    until_half_past_two = QuietHours(time(22), time(2, 30), ZURICH)
    assert until_half_past_two.until(at("2025-03-29T23:00")) == at("2025-03-30T03:30")


@given(spans=st.lists(spans, max_size=3), now=moments)
def test_what_is_told_is_told_at_the_first_moment_that_is_not_quiet(
    spans: list[QuietHours], now: datetime
) -> None:
    due = free_from(now, spans)
    assert now <= due <= now + LONGEST + timedelta(days=2)
    quiet = [any(span.until(now + (due - now) * n / 50) for span in spans) for n in range(50)]
    assert all(quiet) or due == now
    if due < now + LONGEST:
        assert not any(span.until(due) for span in spans)


@given(spans=st.lists(spans, min_size=1, max_size=2), now=moments)
def test_it_is_quiet_when_the_clocks_of_the_place_say_so(
    spans: list[QuietHours], now: datetime
) -> None:
    """Against the plain reading of a clock on the wall, away from the hours that a change touches."""
    for span in spans:
        local = now.astimezone(span.zone)
        nearby = {(local + timedelta(hours=h)).utcoffset() for h in range(-48, 49, 6)}
        if len(nearby) > 1:
            continue
        wall, day = local.time(), local.weekday()
        if span.end > span.start:
            expected = day in span.days and span.start <= wall < span.end
        else:
            tonight = day in span.days and wall >= span.start
            expected = tonight or ((day - 1) % 7 in span.days and wall < span.end)
        assert (span.until(now) is not None) is expected


def test_hours_that_leave_nothing_free_hold_nobody_back_for_ever() -> None:
    always = QuietHours(time(0), time(0), ZURICH, EVERY_DAY)
    now = at("2025-06-06T21:30")
    assert now + LONGEST <= free_from(now, [always]) <= now + LONGEST + timedelta(days=1)
