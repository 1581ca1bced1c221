"""Finds a lead by id, beginning of an id or serial number; reads what was told of it, and its past.

With the services' own roles, which see this tenant only. Reads the last score that was told, the
services offered with it and the score history; writes nothing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from onelead.service_database import service_connection
from onelead.settings import EditionSettings
from services.ingest.domain.ids import lead_id
from services.scoring.domain.causes import PastScore
from services.scoring.repository import ScoringRepository
from shared.db.queries import load_queries
from shared.errors import UserError
from shared.events import LeadChanged, LeadScored, LeadType

_SQL = load_queries(__file__)
_BEGINNING_OF_AN_ID = re.compile(r"[0-9a-f][0-9a-f-]{3,35}")
_TYPES = [each for each in LeadType if each is not LeadType.UNKNOWN]


@dataclass(frozen=True)
class Explained:
    """A lead: the last score that was told, the public lead (None before its services are known),
    and all its scores, the oldest first."""

    scored: LeadScored
    public: LeadChanged | None
    history: tuple[PastScore, ...]


async def explained(
    settings: EditionSettings, tenant_id: str, name: str, lead_type: LeadType | None
) -> Explained:
    """The lead of that name. Raises UserError when none is called so, or several."""
    async with service_connection(settings, "scoring", tenant_id) as connection:
        scored = _only(await _called(connection, tenant_id, name, lead_type), tenant_id, name)
        key = scored.lead.lead_id
        history = await ScoringRepository().history(connection, tenant_id, key)
    async with service_connection(settings, "recommender", tenant_id) as connection:
        parameters = {"tenant": tenant_id, "lead": key}
        event = await connection.scalar(_SQL["published"], parameters)
    public = None if event is None else LeadChanged.model_validate(event)
    return Explained(scored, public, tuple(history))


async def lead_called(
    settings: EditionSettings, tenant_id: str, name: str, lead_type: LeadType | None = None
) -> LeadScored:
    """The lead of that name, as last scored. Raises UserError when none is called so, or several."""
    async with service_connection(settings, "scoring", tenant_id) as connection:
        return _only(await _called(connection, tenant_id, name, lead_type), tenant_id, name)


def names_of(tenant_id: str, name: str) -> dict[str, Any]:
    """What a name may stand for: a lead's id, the beginning of one, a box's serial number."""
    wanted = name.strip()
    beginning = wanted.lower()
    of_box = [lead_id(tenant_id, wanted.upper(), each) for each in _TYPES]
    is_beginning = _BEGINNING_OF_AN_ID.fullmatch(beginning) is not None
    return {"ids": [beginning, *of_box], "prefix": beginning if is_beginning else None}


async def _called(
    connection: AsyncConnection, tenant_id: str, name: str, lead_type: LeadType | None
) -> list[LeadScored]:
    parameters = {"tenant": tenant_id, **names_of(tenant_id, name)}
    events = (await connection.execute(_SQL["leads_called"], parameters)).scalars()
    found = [LeadScored.model_validate(event) for event in events]
    return [each for each in found if lead_type in (None, each.lead.lead_type)]


def _only(found: Sequence[LeadScored], tenant_id: str, name: str) -> LeadScored:
    titles = {each.lead.lead_id: each.lead.title for each in found}
    refuse_unless_one(titles, tenant_id, name, beside="a lead is known once it was scored")
    return found[0]


def refuse_unless_one(titles: Mapping[str, str], tenant_id: str, name: str, *, beside: str) -> None:
    """Raises UserError unless one lead is called so. `titles`: by the ids of those found."""
    if not titles:
        raise UserError(
            f"tenant {tenant_id} has no lead called {name!r}",
            hint="give its id, the beginning of it (4 characters or more) or the box's serial "
            f"number; {beside}",
        )
    if len(titles) > 1:
        leads = "; ".join(f"{lead_id} ({title})" for lead_id, title in titles.items())
        hint = "give more of the id, or --type TYPE"
        raise UserError(f"{name!r} may be one of {leads}", hint=hint)
