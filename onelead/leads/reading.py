"""Leads as lifecycle holds them: read with its role, bound to the tenant, never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from onelead.explaining.finding import names_of, refuse_unless_one
from onelead.service_database import service_connection
from onelead.settings import EditionSettings
from services.lifecycle.domain.states import CLOSED, STATES
from shared.db.queries import load_queries
from shared.errors import UserError
from shared.events import LeadState, LeadType

_SQL = load_queries(__file__)
OPEN = tuple(state for state in STATES if state not in CLOSED)


@dataclass(frozen=True)
class LeadRow:
    """A lead in a list: what it is about and how it stands; `value_max` in `currency`."""

    lead_id: str
    state: str
    priority: str
    score: float
    account: str
    account_id: str
    title: str
    lead_type: str
    territory: str | None
    office_id: str | None
    serial_number: str | None
    value_max: Decimal
    currency: str
    owner: str | None
    snoozed_until: datetime | None
    follow_up_at: datetime | None
    follow_up_note: str
    do_not_contact_until: datetime | None
    withdrawn: bool
    touched_at: datetime | None


@dataclass(frozen=True)
class Entry:
    """Something that changed about a lead: the field, from and to as text, who did it, when, why."""

    version: int
    field: str
    before: str | None
    after: str | None
    change: str
    changed_at: datetime
    actor_kind: str
    actor_id: str
    why: str
    command_id: str | None
    causes: Sequence[str]


@dataclass(frozen=True)
class Filters:
    """Which leads a list shows; an empty choice lets every value through.

    Without chosen states those are shown that people still work on; `everything` shows closed and
    withdrawn ones too.
    """

    states: Sequence[LeadState] = ()
    owners: Sequence[str] = ()
    priorities: Sequence[str] = ()
    types: Sequence[str] = ()
    territories: Sequence[str] = ()
    offices: Sequence[str] = ()
    overdue: bool = False
    snoozed: bool = False
    everything: bool = False


def state_called(text: str) -> LeadState:
    """The state of that name. Raises UserError, with all of them, when there is none."""
    wanted = text.strip().casefold()
    if wanted in STATES:
        return LeadState(wanted)
    raise UserError(f"there is no state {text!r}", hint=f"one of: {', '.join(STATES)}")


async def leads_listed(
    settings: EditionSettings, tenant_id: str, filters: Filters, now: datetime, limit: int
) -> tuple[list[LeadRow], bool]:
    """Up to `limit` leads, the best first, and whether there are more."""
    parameters = _parameters(filters) | {"tenant": tenant_id, "now": now, "limit": limit + 1}
    async with service_connection(settings, "lifecycle", tenant_id) as connection:
        found = await _rows(connection, "listed", parameters)
    return found[:limit], len(found) > limit


async def lead_called(
    settings: EditionSettings, tenant_id: str, name: str, lead_type: LeadType | None
) -> LeadRow:
    """The lead of that id, beginning of an id or serial number.

    Raises UserError when none is called so, or several.
    """
    parameters = {"tenant": tenant_id, **names_of(tenant_id, name)}
    async with service_connection(settings, "lifecycle", tenant_id) as connection:
        found = await _rows(connection, "called", parameters)
    return only([row for row in found if lead_type in (None, row.lead_type)], tenant_id, name)


def only(found: Sequence[LeadRow], tenant_id: str, name: str) -> LeadRow:
    """The only one found. Raises UserError when there is none, or several."""
    titles = {each.lead_id: each.title for each in found}
    refuse_unless_one(titles, tenant_id, name, beside="`onelead leads list` shows them")
    return found[0]


async def history_of(settings: EditionSettings, tenant_id: str, lead_id: str) -> list[Entry]:
    """Everything that changed about a lead, the oldest first."""
    parameters = {"tenant": tenant_id, "lead": lead_id}
    async with service_connection(settings, "lifecycle", tenant_id) as connection:
        rows = (await connection.execute(_SQL["history"], parameters)).mappings()
        return [Entry(**row) for row in rows]


async def _rows(
    connection: AsyncConnection, query: str, parameters: Mapping[str, Any]
) -> list[LeadRow]:
    rows = (await connection.execute(_SQL[query], parameters)).mappings()
    return [LeadRow(**row) for row in rows]


def _parameters(filters: Filters) -> dict[str, Any]:
    states = filters.states or (() if filters.everything else OPEN)
    return {
        "states": [state.value for state in states] or None,
        "owners": list(filters.owners) or None,
        "priorities": [each.upper() for each in filters.priorities] or None,
        "types": [each.lower() for each in filters.types] or None,
        "territories": list(filters.territories) or None,
        "offices": list(filters.offices) or None,
        "withdrawn": filters.everything,
        "overdue": filters.overdue,
        "snoozed": filters.snoozed,
    }
