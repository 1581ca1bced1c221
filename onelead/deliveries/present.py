"""Shows deliveries, their attempts and the sinks: as tables for people, as JSON for programs."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from onelead.deliveries.outlook import WAITS, Around, moment, standing, what_next

_COLUMNS = ("delivery_id", "lead_id", "episode", "purpose", "number", "channel", "target", "state")
_MOMENTS = ("created_at", "due_at", "begun_at", "settled_at")
_SINK_COUNTS = ("sent", "waiting", "dead", "unknown", "failures")
_SINK_MOMENTS = ("last_sent_at", "paused_until", "failing_since", "open_until", "disabled_at")
_COLOURS = {"dead": "red", "unknown": "yellow", "retry": "yellow", "sent": "green"}


def deliveries_table(rows: Sequence[Any], now: datetime) -> Table:
    """A line for each delivery."""
    table = Table("Id", "Created (UTC)", "What", "To", "State", "Tries", "Lead", "Note")
    for row in rows:
        table.add_row(
            row.delivery_id[:8],
            f"{row.created_at:%Y-%m-%d %H:%M}",
            row.purpose,
            _safe(f"{row.channel} {row.target}"),
            Text(row.state, style=_COLOURS.get(row.state, "")),
            str(row.tries),
            row.lead_id[:8],
            _safe(_note(row, now)),
        )
    return table


def why_none(tenant: str, everything: Mapping[str, int]) -> str:
    """What is said instead of an empty list. `everything`: the tenant's deliveries by state."""
    if everything:
        return f"No such deliveries; tenant {tenant} has {counts_text(everything, 0)}"
    hint = "Hint: `onelead notify check` says who is told what, `onelead leads list` of what"
    return f"Nothing was ever to be told for tenant {tenant}\n{hint}"


def counts_text(counts: Mapping[str, int], shown: int) -> str:
    """How many there are in all, by state, and whether the list holds them all."""
    by_state = ", ".join(f"{count:,} {state}" for state, count in counts.items())
    total = sum(counts.values())
    more = f"; the newest {shown:,} are shown, --limit shows more" if 0 < shown < total else ""
    return f"{total:,} in all: {by_state}{more}"


def delivery_parts(row: Any, attempts: Sequence[Any], around: Around) -> list[Table | Text]:
    """One delivery for a person: what it is, what comes next, every attempt."""
    facts = Table.grid(padding=(0, 2))
    title = title_of(row.content)
    for name, value in (
        ("Delivery", row.delivery_id),
        ("What", f"{row.purpose}: {title}" if title else row.purpose),
        ("To", f"{row.channel} {row.target}"),
        ("Lead", f"{row.lead_id}, episode {row.episode}" if row.lead_id else "(about many)"),
        ("Created", moment(row.created_at)),
        ("State", f"{row.state}, {moment(row.settled_at)}" if row.settled_at else row.state),
        ("Said", row.note or ""),
        ("Sink", standing(around.sink, around.now)),
        ("Next", what_next(row, around)),
    ):
        if value:
            facts.add_row(Text(name, style="bold"), _safe(value))
    if attempts:
        return [facts, attempts_table(attempts)]
    kept = (
        "it was not tried yet" if not row.tries else "its attempts are too old and were forgotten"
    )
    return [facts, Text(f"No attempts: {kept}")]


def attempts_table(rows: Sequence[Any]) -> Table:
    """A line for each attempt."""
    table = Table("Try", "Started (UTC)", "Took", "Status", "Outcome", "Class", "Note", "Request")
    for row in rows:
        table.add_row(
            str(row.number),
            f"{row.started_at:%Y-%m-%d %H:%M:%S}",
            "" if row.latency_ms is None else f"{row.latency_ms:,} ms",
            str(row.status or ""),
            row.outcome,
            _safe(row.error),
            _safe(row.note or ""),
            (row.request_hash or "")[:12],
        )
    return table


def sinks_table(rows: Sequence[Any], now: datetime) -> Table:
    """A line for each sink that was ever told something."""
    table = Table("Channel", "Target", "Stands", "Sent", "Waiting", "Dead", "Unknown", "Reason")
    for row in rows:
        counts = (f"{getattr(row, name):,}" for name in ("sent", "waiting", "dead", "unknown"))
        stands = standing(row, now)
        failing = f" ({row.failures:,} in a row)" if row.failures else ""
        table.add_row(
            _safe(row.channel),
            _safe(row.target),
            stands + failing,
            *counts,
            _safe(row.reason or ""),
        )
    return table


def title_of(content: Mapping[str, Any]) -> str:
    """What a person calls the news: the lead's or the letter's title."""
    about = content.get("alert") or content
    return str(about.get("title") or about.get("subject") or "")


def delivery_json(row: Any) -> dict[str, Any]:
    """A delivery as plain JSON, without its content."""
    moments = {name: _iso(getattr(row, name)) for name in _MOMENTS}
    others = {"failures": row.failures, "tries": row.tries, "note": row.note}
    return {name: getattr(row, name) for name in _COLUMNS} | moments | others


def shown_json(row: Any, attempts: Sequence[Any], around: Around) -> dict[str, Any]:
    """One delivery with its attempts, its sink and what comes next."""
    return {
        **delivery_json(row),
        "title": title_of(row.content),
        "receipt": row.receipt,
        "sink": standing(around.sink, around.now),
        "next": what_next(row, around),
        "attempts": [attempt_json(each) for each in attempts],
    }


def attempt_json(row: Any) -> dict[str, Any]:
    """An attempt as plain JSON."""
    return {
        "number": row.number,
        "started_at": _iso(row.started_at),
        "latency_ms": row.latency_ms,
        "request_hash": row.request_hash,
        "status": row.status,
        "error": row.error,
        "outcome": row.outcome,
        "note": row.note,
    }


def sink_json(row: Any, now: datetime) -> dict[str, Any]:
    """A sink as plain JSON."""
    return {
        "channel": row.channel,
        "target": row.target,
        "stands": standing(row, now),
        "reason": row.reason,
        **{name: getattr(row, name) for name in _SINK_COUNTS},
        **{name: _iso(getattr(row, name)) for name in _SINK_MOMENTS},
    }


def _note(row: Any, now: datetime) -> str:
    """What is known last, and for what waits from when on it goes out."""
    said = row.note or ""
    if row.state in WAITS and row.due_at > now:
        return f"from {row.due_at:%m-%d %H:%M:%S}" + (f": {said}" if said else "")
    return str(said)


def _safe(text: str) -> Text:
    """What others wrote is no markup of the terminal's."""
    return Text(text, overflow="fold")


def _iso(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
