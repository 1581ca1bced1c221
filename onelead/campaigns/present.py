"""Shows campaigns and refused addresses: as tables for people, as JSON for programs."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from services.notifier.domain.campaigns import CAMPAIGNS


def campaigns_table(rows: Sequence[Any]) -> Table:
    """A line for each campaign."""
    table = Table("Contact", "Lead", "Begun", "Steps done", "Next", "Ended")
    for row in rows:
        steps = f"{row.next_step} of {len(CAMPAIGNS[row.campaign].steps)}"
        following = f"{next_step(row)}, {row.next_at:%Y-%m-%d %H:%M} UTC" if row.next_at else ""
        table.add_row(
            Text(row.contact, overflow="fold"),
            row.lead_id[:8],
            f"{row.started_at:%Y-%m-%d}",
            steps,
            following,
            Text(row.ended or "", overflow="fold"),
        )
    return table


def next_step(row: Any) -> str | None:
    """What a running campaign does next, as people name it; None for one that is over."""
    steps = CAMPAIGNS[row.campaign].steps
    if row.ended is not None or row.next_step >= len(steps):
        return None
    step = steps[row.next_step]
    return f"day {step.day}: " + ("call task" if step.template is None else step.template)


def campaign_json(row: Any) -> dict[str, Any]:
    """A campaign as plain JSON."""
    return {
        "contact": row.contact,
        "lead_id": row.lead_id,
        "campaign": row.campaign,
        "started_at": row.started_at.isoformat(),
        "steps_done": row.next_step,
        "next": next_step(row),
        "next_at": row.next_at.isoformat() if row.next_at else None,
        "ended": row.ended,
        "by": row.actor,
    }


def refused_table(rows: Sequence[Any]) -> Table:
    """A line for each address."""
    table = Table("Address", "Why", "Since (UTC)")
    for row in rows:
        table.add_row(
            Text(row.address, overflow="fold"), Text(row.reason), f"{row.since:%Y-%m-%d %H:%M}"
        )
    return table


def refused_json(row: Any) -> dict[str, Any]:
    """An address as plain JSON."""
    return {"address": row.address, "reason": row.reason, "since": row.since.isoformat()}
