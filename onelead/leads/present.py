"""Leads, how they stand and their history: as tables for people, as JSON and CSV for machines."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from rich.markup import escape
from rich.table import Table

from onelead.csv_output import csv_text
from onelead.leads.moments import shown
from onelead.leads.reading import Entry, LeadRow
from services.lifecycle.domain.history import MOMENTS
from services.lifecycle.domain.states import allowed_from
from shared.events import LeadChange, LeadState, LeadStatusChanged

_COLUMNS = tuple(field.name for field in fields(LeadRow))
_ID_SHOWN = 8
_FIELDS = {
    "snoozed_until": "snoozed until",
    "follow_up_at": "follow-up",
    "follow_up_note": "note",
    "follow_up_due": "follow-up due",
    "do_not_contact_until": "do not contact until",
}

_NOT_CONTACTED = (
    "do_not_contact_until",
    "the account is not to be contacted until",
    "the account may be contacted again",
)
_FLAG_WORDS = {
    LeadChange.SNOOZED: ("snoozed_until", "snoozed until", "snoozed no more"),
    LeadChange.FOLLOW_UP_SET: ("follow_up_at", "follow-up on", "no follow-up any more"),
    LeadChange.DO_NOT_CONTACT_SET: _NOT_CONTACTED,
    LeadChange.DO_NOT_CONTACT_ENDED: _NOT_CONTACTED,
}
"""Of each change of a flag: the field, what is said of its moment, and without one."""


def leads_table(rows: Sequence[LeadRow], now: datetime, zone: ZoneInfo) -> Table:
    """The leads, a line for each."""
    table = Table()
    offices = ("office",) if any(row.office_id for row in rows) else ()
    headings = ("lead", "state", "priority", "score", "account", "title", "owner", *offices)
    for heading in (*headings, "flags"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        flags = "\n".join(_flags(row, now, zone))
        state = f"{row.state}, withdrawn" if row.withdrawn else row.state
        office = (row.office_id or "",) if offices else ()
        cells = (state, row.priority, f"{row.score:.1f}", row.account, row.title, row.owner or "")
        cells = (*cells, *office)
        table.add_row(row.lead_id[:_ID_SHOWN], *(escape(cell) for cell in cells), escape(flags))
    return table


def lead_table(row: LeadRow, now: datetime, zone: ZoneInfo) -> Table:
    """One lead: what it is about, how it stands, where it may be moved."""
    table = Table(show_header=False, box=None)
    allowed = allowed_from(LeadState(row.state), withdrawn=row.withdrawn)
    lines = (
        ("lead", row.lead_id),
        ("title", row.title),
        ("account", row.account),
        ("office", row.office_id or ""),
        ("priority", f"{row.priority}, score {row.score:.1f}"),
        ("value", f"up to {row.currency} {row.value_max:,.0f}"),
        ("state", f"{row.state}, withdrawn" if row.withdrawn else row.state),
        ("owner", row.owner or "nobody"),
        *(("", flag) for flag in _flags(row, now, zone)),
        ("last touched", shown(row.touched_at, zone) or "never"),
        ("may become", ", ".join(allowed) or "nothing else"),
    )
    for name, value in lines:
        table.add_row(name, escape(value))
    return table


def history_table(entries: Sequence[Entry], zone: ZoneInfo) -> Table:
    """What changed, the oldest first."""
    table = Table()
    for heading in ("when", "what", "from", "to", "who", "why"):
        table.add_column(heading, overflow="fold")
    for entry in entries:
        who = f"{entry.actor_kind} {entry.actor_id}"
        values = (_value(entry, each, zone) for each in (entry.before, entry.after))
        cells = (_FIELDS.get(entry.field, entry.field), *values, who, entry.why)
        table.add_row(shown(entry.changed_at, zone), *(escape(cell) for cell in cells))
    return table


def as_json(row: LeadRow) -> dict[str, Any]:
    """A lead as JSON: moments in ISO 8601, money as text."""
    return {name: _plain(value) for name, value in asdict(row).items()}


def entry_json(entry: Entry) -> dict[str, Any]:
    """A change as JSON."""
    return {name: _plain(value) for name, value in asdict(entry).items()}


def as_csv(rows: Sequence[LeadRow]) -> str:
    """One line for each lead, with a header."""
    return csv_text(_COLUMNS, (as_json(row) for row in rows))


def sentence(fact: LeadStatusChanged, zone: ZoneInfo) -> str:
    """What a fact says was done, in words."""
    flag = _FLAG_WORDS.get(fact.change)
    if flag is not None:
        name, until, ended = flag
        moment = shown(getattr(fact, name), zone)
        return f"{until} {moment}" if moment else ended
    if fact.change is LeadChange.MOVED:
        return f"moved from {fact.state_before} to {fact.state}"
    if fact.owner is None:
        return "assigned to nobody"
    also = "" if fact.state is fact.state_before else f", now {fact.state}"
    return f"assigned to {fact.owner}{also}"


def _flags(row: LeadRow, now: datetime, zone: ZoneInfo) -> Iterator[str]:
    if row.snoozed_until is not None:
        yield f"snoozed until {shown(row.snoozed_until, zone)}"
    if row.follow_up_at is not None:
        when = "overdue since" if row.follow_up_at <= now else "on"
        note = f": {row.follow_up_note}" if row.follow_up_note else ""
        yield f"follow-up {when} {shown(row.follow_up_at, zone)}{note}"
    if row.do_not_contact_until is not None:
        yield f"do not contact until {shown(row.do_not_contact_until, zone)}"


def _value(entry: Entry, value: str | None, zone: ZoneInfo) -> str:
    if value is not None and entry.field in MOMENTS:
        return shown(datetime.fromisoformat(value), zone)
    return value or ""


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case Decimal():
            return str(value)
        case _:
            return value
