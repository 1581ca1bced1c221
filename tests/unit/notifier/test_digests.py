from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.contents import DigestLine
from services.notifier.domain.digests import (
    MOST_LINES,
    WEEKS_SHOWN,
    DigestTimes,
    Frame,
    Kind,
    Line,
    Row,
    digest_of,
    due,
    trend,
)
from shared.events import Priority

ZURICH = ZoneInfo("Europe/Zurich")
TIMES = DigestTimes(daily_at=time(8), weekly_at=time(9), weekly_on=0, zone=ZURICH)
FRAME = Frame("daily", "default", date(2025, 10, 9), "https://onelead.example")


def row(**changes: object) -> Row:
    values: dict[str, object] = {
        "office_id": None,
        "territory": "56088",
        "currency": "USD",
        "leads": 5,
        "fresh": 2,
        "critical": 1,
        "pipeline": Decimal(1000),
    }
    return Row(**(values | changes))  # type: ignore[arg-type]


def line(lead_id: str = "lead-1", score: float = 80.0) -> Line:
    shown = DigestLine(
        lead_id=lead_id,
        title="Renewal",
        account="Apple",
        territory="56088",
        priority=Priority.CRITICAL,
        score=score,
        value_max=Decimal(10),
        link="https://onelead.example/leads/1",
    )
    return Line(None, shown)


def test_a_daily_digest_is_due_at_its_hour_where_its_readers_are() -> None:
    yesterday = datetime(2025, 10, 8, 6, tzinfo=UTC)
    early = datetime(2025, 10, 9, 5, 59, tzinfo=UTC)
    assert due("daily", TIMES, done=yesterday, now=early) is None
    at = datetime(2025, 10, 9, 6, tzinfo=UTC)
    assert due("daily", TIMES, done=yesterday, now=at) == at


def test_winter_and_summer_time_move_it_with_the_clock_on_the_wall() -> None:
    assert TIMES.latest("daily", datetime(2025, 7, 1, 12, tzinfo=UTC)).hour == 6
    assert TIMES.latest("daily", datetime(2025, 12, 1, 12, tzinfo=UTC)).hour == 7


def test_a_weekly_summary_is_due_on_its_day() -> None:
    monday = datetime(2025, 10, 6, 7, tzinfo=UTC)
    assert TIMES.latest("weekly", datetime(2025, 10, 9, 12, tzinfo=UTC)) == monday
    assert TIMES.latest("weekly", monday - timedelta(seconds=1)) == monday - timedelta(days=7)


@given(
    now=st.integers(1_704_000_000, 1_798_000_000).map(lambda s: datetime.fromtimestamp(s, UTC)),
    kind=st.sampled_from(["daily", "weekly", "ageing"]),
)
def test_what_was_made_is_not_due_again_and_no_period_is_left_out(
    now: datetime, kind: Kind
) -> None:
    latest = TIMES.latest(kind, now)
    assert latest <= now
    assert due(kind, TIMES, done=latest, now=now) is None
    length = timedelta(days=7 if kind == "weekly" else 1)
    following = now + length + timedelta(hours=2)
    assert due(kind, TIMES, done=latest, now=following) is not None


def test_a_tenant_that_appeared_today_has_no_digest_of_before() -> None:
    appeared = datetime(2025, 10, 9, 10, tzinfo=UTC)
    assert due("daily", TIMES, done=appeared, now=appeared + timedelta(hours=1)) is None


def test_without_new_leads_there_is_no_daily_digest() -> None:
    assert digest_of(FRAME, [row(fresh=0)], []) is None
    assert digest_of(FRAME, [], []) is None


def test_a_daily_digest_counts_new_leads_critical_ones_and_the_pipeline() -> None:
    rows = [row(), row(territory="56180", fresh=1, critical=2, pipeline=Decimal(500))]
    digest = digest_of(FRAME, rows, [line()])
    assert digest is not None
    assert (digest.total, digest.critical, digest.pipeline) == (3, 3, Decimal(1500))
    assert digest.title == "3 new leads"


def test_the_best_leads_are_named_first_and_no_more_than_fit() -> None:
    lines = [line(f"lead-{n}", 60.0 + n) for n in range(MOST_LINES + 5)]
    digest = digest_of(FRAME, [row(fresh=15)], lines)
    assert digest is not None
    assert [x.score for x in digest.lines] == sorted((x.line.score for x in lines), reverse=True)[
        :MOST_LINES
    ]


def test_a_week_shows_each_territory_the_largest_pipeline_first() -> None:
    frame = Frame("weekly", "default", date(2025, 10, 6), "link")
    rows = [row(), row(territory=None, pipeline=Decimal(3000)), row(pipeline=Decimal(500))]
    digest = digest_of(frame, rows, [], {"56088": (1.0, 2.0)})
    assert digest is not None
    assert [(t.territory, t.leads, t.pipeline) for t in digest.territories] == [
        ("no territory", 5, Decimal(3000)),
        ("56088", 10, Decimal(1500)),
    ]
    assert digest.territories[1].trend == (1.0, 2.0)


def test_pipelines_of_different_currencies_are_not_added() -> None:
    digest = digest_of(FRAME, [row(), row(currency="CHF", pipeline=Decimal(7))], [line()])
    assert digest is not None
    assert (digest.currency, digest.pipeline) == ("CHF", Decimal(7))


@pytest.mark.parametrize("weeks", [0, 3, 20])
def test_a_trend_ends_with_this_week_and_shows_so_many_weeks_at_most(weeks: int) -> None:
    found = trend([Decimal(n) for n in range(weeks)], Decimal(99))
    assert found[-1] == 99.0
    assert len(found) == min(weeks + 1, WEEKS_SHOWN)
