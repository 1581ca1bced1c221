"""Finds a lead as the notifier would tell of it: reads its last published version and its standing."""

from dataclasses import dataclass

from onelead.explaining.finding import explained
from onelead.service_database import service_connection
from onelead.settings import EditionSettings
from services.notifier.domain.message import Alert, alert_of
from services.notifier.repository.leads import LeadsRepository
from shared.errors import UserError
from shared.events import LeadType


@dataclass(frozen=True)
class Asked:
    """Which lead is asked for; `owner` stands in for the one that it has."""

    tenant_id: str
    name: str
    lead_type: LeadType | None = None
    owner: str | None = None


async def alert_called(settings: EditionSettings, asked: Asked, console_url: str) -> Alert:
    """The lead as an alert, with its owner. Raises UserError when none, or several, are called so."""
    lead = (await explained(settings, asked.tenant_id, asked.name, asked.lead_type)).public
    if lead is None:
        raise UserError(f"lead {asked.name} is not published yet", hint="its services are missing")
    alert = alert_of(lead, tenant_id=asked.tenant_id, console_url=console_url)
    owner = asked.owner or await _owner_of(settings, asked.tenant_id, lead.lead_id)
    return alert.model_copy(update={"owner": owner})


async def _owner_of(settings: EditionSettings, tenant_id: str, lead_id: str) -> str | None:
    key = (tenant_id, lead_id)
    async with service_connection(settings, "notifier", tenant_id) as connection:
        standing = (await LeadsRepository().standings(connection, {key})).get(key)
    return standing.owner if standing else None
