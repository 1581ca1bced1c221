"""Finds what cannot be as it stands in rows that are used, as of a day (rules.md §2, §3)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from services.ingest.domain.records import Box, Project
from shared.rules.model import Rules


@dataclass(frozen=True)
class Contradiction:
    """A field that disagrees with another, or with the day. The row is used all the same."""

    record: Box | Project
    field: str
    raw_value: str
    reason: str


def contradictions(
    boxes: Iterable[Box], projects: Iterable[Project], rules: Rules, as_of: date
) -> Iterator[Contradiction]:
    """The contradictions in these rows as of a day."""
    for box in boxes:
        if box.support_status and (reason := _against_dates(box, rules, as_of)):
            yield Contradiction(box, "support_status", box.support_status, reason)
    for project in projects:
        if project.updated is not None and project.updated > as_of:
            reason = f"after {as_of}: taken as updated on that day"
            yield Contradiction(project, "updated", str(project.updated), reason)


def _against_dates(box: Box, rules: Rules, as_of: date) -> str | None:
    """The status fires a lead, the dates set the risk; where they disagree a person should look."""
    if box.service_end is None:
        return None
    status = (box.support_status or "").casefold()
    over = (rules.leads.renewal.status_contains, rules.leads.service_attach.status_contains)
    said_to_be_over = any(word.casefold() in status for word in over)
    if said_to_be_over and box.service_end >= as_of:
        return f"the service lasts until {box.service_end}, whatever the status says"
    if not said_to_be_over and box.service_end < as_of:
        return f"the service ended on {box.service_end}, whatever the status says"
    return None
