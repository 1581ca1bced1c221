"""Finds what cannot be as it stands in rows that are used, as of a day (rules.md §2, §3)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from services.ingest.domain.records import Box, Project
from shared.rules.model import Rules


@dataclass(frozen=True)
class Disagreement:
    """Why a value cannot be as it stands: in words that are the same for every row, and with its dates."""

    reason: str
    detail: str


@dataclass(frozen=True)
class Contradiction:
    """A field that disagrees with another, or with the day. The row is used all the same."""

    record: Box | Project
    field: str
    raw_value: str
    reason: str
    detail: str


def contradictions(
    boxes: Iterable[Box], projects: Iterable[Project], rules: Rules, as_of: date
) -> Iterator[Contradiction]:
    """The contradictions in these rows as of a day."""
    for box in boxes:
        status = box.support_status
        if status and (found := status_against_dates(status, box.service_end, rules, as_of)):
            yield Contradiction(box, "support_status", status, found.reason, found.detail)
    for project in projects:
        if project.updated and (found := update_against_day(project.updated, as_of)):
            raw = str(project.updated)
            yield Contradiction(project, "updated", raw, found.reason, found.detail)


def status_against_dates(
    status: str | None, service_end: date | None, rules: Rules, as_of: date
) -> Disagreement | None:
    """The status fires a lead, the dates set the risk; where they disagree a person should look."""
    if not status or service_end is None:
        return None
    over = (rules.leads.renewal.status_contains, rules.leads.service_attach.status_contains)
    said_to_be_over = any(word.casefold() in status.casefold() for word in over)
    if said_to_be_over and service_end >= as_of:
        return Disagreement(
            "the service lasts on, whatever the status says", f"until {service_end}"
        )
    if not said_to_be_over and service_end < as_of:
        return Disagreement("the service is over, whatever the status says", f"since {service_end}")
    return None


def update_against_day(updated: date, as_of: date) -> Disagreement | None:
    """A project that was updated after the day counts as updated on it (rules.md §2)."""
    if updated <= as_of:
        return None
    return Disagreement("after the day of the leads: taken as updated on that day", f"{as_of}")
