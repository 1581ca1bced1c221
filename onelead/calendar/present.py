"""The calendar as tables for people, and as JSON and CSV for machines."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from rich.table import Table

from onelead.calendar.forecast import Expected, Turn
from onelead.calendar.weeks import Week
from onelead.csv_output import csv_text

_COLUMNS = (
    *("date", "what", "before", "after", "score", "account", "lead_type", "title"),
    *("box_id", "territory", "value_max", "currency", "lead_id", "account_id"),
)


def tables(
    weeks: Sequence[Week], expected: Sequence[Expected], currency: str, shown: int
) -> Iterator[Table | str]:
    """The weeks, and the first `shown` of what is expected, by day."""
    yield _weeks_table(weeks, currency)
    if not expected:
        yield "No lead fires, crosses a threshold or ends by itself in this time."
        return
    yield _leads_table(expected[:shown])
    if len(expected) > shown:
        yield f"{len(expected) - shown:,} more: --limit, --csv or --json show them"


def as_json(
    weeks: Sequence[Week], expected: Sequence[Expected], as_of: date, days: int
) -> dict[str, Any]:
    """One object: the weeks, and everything expected, by day."""
    return {
        "as_of": as_of.isoformat(),
        "days": days,
        "weeks": [
            {
                "monday": week.monday.isoformat(),
                "fires": week.fires,
                "to_critical": week.to_critical,
                "to_high": week.to_high,
                "other_changes": week.other_changes,
                "ends": week.ends,
                "critical_value": str(week.critical_value),
            }
            for week in weeks
        ],
        "expected": [_row(each) for each in expected],
    }


def as_csv(expected: Sequence[Expected]) -> str:
    """One line for each thing expected, with a header."""
    return csv_text(_COLUMNS, (_row(each) for each in expected))


def _row(each: Expected) -> dict[str, Any]:
    lead = each.lead
    values = (
        *(each.on.isoformat(), each.turn.value, each.before, each.after, each.score),
        *(lead.account_name, lead.lead_type.value, lead.title, lead.box_id, lead.territory_id),
        *(str(lead.estimated_value_max), lead.currency, lead.lead_id, lead.account_id),
    )
    return dict(zip(_COLUMNS, values, strict=True))


def _weeks_table(weeks: Sequence[Week], currency: str) -> Table:
    table = Table(title="By week", title_justify="left")
    table.add_column("week of")
    worth = f"becomes CRITICAL, {currency}"
    for heading in ("new leads", "to CRITICAL", "to HIGH", "other", "end", worth):
        table.add_column(heading, justify="right")
    for week in weeks:
        counts = (week.fires, week.to_critical, week.to_high, week.other_changes, week.ends)
        cells = [f"{count:,}" if count else "" for count in counts]
        value = f"{week.critical_value:,.0f}" if week.critical_value else ""
        table.add_row(week.monday.isoformat(), *cells, value)
    return table


def _leads_table(expected: Sequence[Expected]) -> Table:
    table = Table(title="By day", title_justify="left")
    for heading in ("date", "what happens", "account", "lead"):
        table.add_column(heading, overflow="fold")
    table.add_column("score", justify="right")
    for each in expected:
        score = "" if each.score is None else f"{each.score:.1f}"
        lead = each.lead
        table.add_row(each.on.isoformat(), _words(each), lead.account_name, lead.title, score)
    return table


def _words(each: Expected) -> str:
    if each.turn is Turn.FIRES:
        return f"fires, {each.after}"
    if each.turn is Turn.ENDS:
        return f"ends, was {each.before}"
    return f"{each.before} → {each.after}"
