"""Rows of deliveries, attempts and sinks as the database gives them."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
BEFORE = datetime(2026, 3, 2, 11, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 13, tzinfo=UTC)
LATEST = datetime(2026, 3, 2, 14, tzinfo=UTC)


def delivery(**changes: Any) -> Any:
    """An alert that waits, due before now."""
    values: dict[str, Any] = {
        "delivery_id": "0d8a20dd-0000-5000-8000-000000000001",
        "lead_id": "7a1f2c3d-0000-5000-8000-000000000001",
        "episode": 1,
        "purpose": "alert",
        "number": 0,
        "channel": "slack",
        "target": "T1/B1",
        "state": "pending",
        "content": {"title": "Support Renewal"},
        "created_at": BEFORE,
        "due_at": BEFORE,
        "begun_at": None,
        "settled_at": None,
        "leased_until": None,
        "failures": 0,
        "tries": 0,
        "receipt": None,
        "note": None,
    }
    return SimpleNamespace(**(values | changes))


def sink(**changes: Any) -> Any:
    """A sink that never failed, with what became of its deliveries."""
    values: dict[str, Any] = {
        "channel": "slack",
        "target": "T1/B1",
        "sent": 1_234,
        "waiting": 5,
        "dead": 2,
        "unknown": 1,
        "last_sent_at": BEFORE,
        "paused_until": None,
        "failures": 0,
        "failing_since": None,
        "open_until": None,
        "disabled_at": None,
        "reason": None,
    }
    return SimpleNamespace(**(values | changes))


def attempt(**changes: Any) -> Any:
    """A first attempt that was refused."""
    values: dict[str, Any] = {
        "number": 1,
        "started_at": BEFORE,
        "latency_ms": 1_250,
        "request_hash": "ab" * 32,
        "status": 404,
        "error": "rejected",
        "outcome": "rejected",
        "note": "slack answered 404",
    }
    return SimpleNamespace(**(values | changes))
