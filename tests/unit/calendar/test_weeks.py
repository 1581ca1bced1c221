"""What is foretold, counted by week, and shown."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

from onelead.calendar.forecast import Expected, Turn
from onelead.calendar.present import as_csv, as_json
from onelead.calendar.weeks import Week, by_week
from shared.events import Priority
from tests.support.builders import a_lead

THURSDAY = date(2025, 10, 9)
CRITICAL, HIGH, MEDIUM = Priority.CRITICAL, Priority.HIGH, Priority.MEDIUM


def expected(
    ahead: int,
    turn: Turn,
    before: Priority | None,
    after: Priority | None,
    *,
    value: int = 1000,
    box_id: str = "B1",
) -> Expected:
    lead = a_lead(estimated_value_max=Decimal(value), account_name="=Acme", box_id=box_id)
    on = THURSDAY + timedelta(days=ahead)
    return Expected(on, turn, lead, before, after, None if after is None else 61.5)


def test_a_week_counts_what_happens_in_it() -> None:
    happens = [
        expected(1, Turn.FIRES, None, CRITICAL, value=100),
        expected(1, Turn.FIRES, None, HIGH),
        expected(2, Turn.CROSSES, HIGH, CRITICAL, value=20, box_id="B2"),
        expected(2, Turn.CROSSES, HIGH, CRITICAL, value=90),
        expected(2, Turn.CROSSES, MEDIUM, HIGH),
        expected(3, Turn.CROSSES, HIGH, MEDIUM),
        expected(3, Turn.ENDS, CRITICAL, None),
    ]
    assert by_week(happens, THURSDAY, 3) == [Week(date(2025, 10, 6), 2, 3, 1, 1, 1, Decimal(120))]


def test_weeks_begin_on_monday_and_quiet_ones_are_there_too() -> None:
    weeks = by_week([expected(4, Turn.ENDS, HIGH, None)], THURSDAY, 12)
    assert [(week.monday, week.ends) for week in weeks] == [
        (date(2025, 10, 6), 0),
        (date(2025, 10, 13), 1),
        (date(2025, 10, 20), 0),
    ]


def test_the_week_of_a_sunday_is_not_shown_when_only_what_follows_counts() -> None:
    sunday = date(2025, 10, 12)
    assert [week.monday for week in by_week([], sunday, 1)] == [date(2025, 10, 13)]


def test_json_and_csv_say_the_same() -> None:
    happens = [expected(1, Turn.CROSSES, HIGH, CRITICAL)]
    whole = as_json(by_week(happens, THURSDAY, 7), happens, THURSDAY, 7)
    (row,) = whole["expected"]
    assert (row["date"], row["before"], row["after"]) == ("2025-10-10", "HIGH", "CRITICAL")
    assert [week["to_critical"] for week in whole["weeks"]] == [1, 0]
    (line,) = csv.DictReader(io.StringIO(as_csv(happens)))
    assert line.pop("account") == f"'{row.pop('account')}"
    assert {key: str(value) for key, value in row.items()} == line
