"""Sorts what arrived together: whole runs, rows by their batch, single changes outside of any."""

from collections.abc import Sequence

from shared.events import BatchOpened, RecordObserved, RecordRemoved
from shared.messaging.codec import Received


def runs_of(messages: Sequence[Received]) -> list[list[Received]]:
    """The messages cut before each opening: work is numbered in the order in which it arrived."""
    runs: list[list[Received]] = [[]]
    for message in messages:
        if isinstance(message.event, BatchOpened) and runs[-1]:
            runs.append([])
        runs[-1].append(message)
    return runs


def by_batch(messages: Sequence[Received]) -> dict[str, list[Received]]:
    """The rows of each batch, by its id."""
    rows: dict[str, list[Received]] = {}
    for message in messages:
        if isinstance(message.event, RecordObserved) and message.event.batch_id:
            rows.setdefault(message.event.batch_id, []).append(message)
    return rows


def is_single(message: Received) -> bool:
    """Whether the message changes one record outside of a batch."""
    event = message.event
    return isinstance(event, RecordRemoved) or (
        isinstance(event, RecordObserved) and not event.batch_id
    )


def changes_in(messages: Sequence[Received]) -> list[tuple[str, RecordObserved | RecordRemoved]]:
    """What was observed and removed, each with its event's id."""
    return [
        (message.envelope.id, message.event)
        for message in messages
        if isinstance(message.event, RecordObserved | RecordRemoved)
    ]
