"""The past of a score as a table: when it was told, from what to what, and what had changed."""

from collections.abc import Sequence
from itertools import pairwise

from rich import box
from rich.table import Table
from rich.text import Text

from services.scoring.domain.causes import Change, PastScore

_SHOWN = 4
_CAUSES = {
    "first": "first score",
    "lead": "the lead",
    "account": "the account",
    "day": "the day",
    "rules": "the rules",
}


def history_table(history: Sequence[PastScore]) -> Table:
    """Every score that was told, the oldest first."""
    table = Table(title="History", title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in ("told at", "as of", "score", "priority", "what changed"):
        table.add_column(column)
    for before, now in pairwise((None, *history)):
        if now is not None:
            table.add_row(
                f"{now.scored_at:%Y-%m-%d %H:%M}",
                str(now.as_of),
                _turn(None if before is None else str(before.score), str(now.score)),
                _turn(None if before is None else before.priority, now.priority),
                Text(cause_in_words(now)),
            )
    return table


def cause_in_words(past: PastScore) -> str:
    """What had changed: "the account: items 3 → 51"."""
    kind = past.cause.kind
    cause = _CAUSES.get(kind, kind)
    changes = past.cause.changes
    told = [_change(each) for each in changes[:_SHOWN]]
    if len(changes) > _SHOWN:
        told.append(f"and {len(changes) - _SHOWN} more")
    return f"{cause}: {', '.join(told)}" if told else cause


def _change(change: Change) -> str:
    return f"{change.field.replace('_', ' ')} {_value(change.before)} → {_value(change.after)}"


def _value(value: object) -> str:
    return "none" if value is None else str(value)


def _turn(before: str | None, now: str) -> str:
    return now if before in (None, now) else f"{before} → {now}"
