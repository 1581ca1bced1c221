"""Shows deliveries, their attempts and the sinks: as tables for people, as JSON for programs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.table import Table
from sqlalchemy import Row

_COLUMNS = ("delivery_id", "lead_id", "episode", "purpose", "number", "channel", "target", "state")
_MOMENTS = ("created_at", "due_at", "begun_at", "settled_at")
_SINK_MOMENTS = ("paused_until", "failing_since", "open_until", "disabled_at")


def deliveries_table(rows: Sequence[Row[Any]]) -> Table:
    """A line for each delivery."""
    table = Table(title=f"Deliveries: {len(rows):,}")
    for name in ("Id", "Created", "Purpose", "Channel", "Target", "State", "Tries", "Lead", "Note"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(
            row.delivery_id[:8],
            _moment(row.created_at),
            row.purpose,
            row.channel,
            row.target,
            row.state,
            str(row.tries),
            row.lead_id[:8],
            row.note or "",
        )
    return table


def attempts_table(rows: Sequence[Any]) -> Table:
    """A line for each attempt."""
    table = Table(title=f"Attempts: {len(rows):,}")
    for name in ("Try", "Started", "Took", "Status", "Outcome", "Class", "Note", "Request"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(
            str(row.number),
            _moment(row.started_at),
            "" if row.latency_ms is None else f"{row.latency_ms:,} ms",
            str(row.status or ""),
            row.outcome,
            row.error,
            row.note or "",
            (row.request_hash or "")[:12],
        )
    return table


def sinks_table(rows: Sequence[Row[Any]]) -> Table:
    """A line for each sink of which something is remembered."""
    table = Table(title=f"Sinks: {len(rows):,}")
    for name in ("Channel", "Target", "Stands", "Failures in a row", "Failing since", "Reason"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(
            row.channel,
            row.target,
            standing(row),
            f"{row.failures:,}",
            _moment(row.failing_since),
            row.reason or "",
        )
    return table


def standing(row: Row[Any]) -> str:
    """How a sink stands, in words."""
    if row.disabled_at is not None:
        return f"switched off since {_moment(row.disabled_at)}"
    if row.open_until is not None:
        return f"rests until {_moment(row.open_until)}"
    if row.paused_until is not None:
        return f"asked for silence until {_moment(row.paused_until)}"
    return "failing" if row.failing_since is not None else "fine"


def delivery_json(row: Row[Any]) -> dict[str, Any]:
    """A delivery as plain JSON, without its content."""
    moments = {name: _iso(getattr(row, name)) for name in _MOMENTS}
    others = {"failures": row.failures, "tries": row.tries, "note": row.note}
    return {name: getattr(row, name) for name in _COLUMNS} | moments | others


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


def sink_json(row: Row[Any]) -> dict[str, Any]:
    """A sink as plain JSON."""
    moments = {name: _iso(getattr(row, name)) for name in _SINK_MOMENTS}
    return {
        "channel": row.channel,
        "target": row.target,
        "stands": standing(row),
        "failures": row.failures,
        "reason": row.reason,
        **moments,
    }


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
