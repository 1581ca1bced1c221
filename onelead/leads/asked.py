"""A change of a lead as a person asks for it on the command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onelead.addresses import kafka_address
from onelead.leads.asking import ask, new_command_id
from onelead.leads.reading import lead_called
from onelead.settings import EditionSettings
from onelead.whose import user_name
from shared import clock
from shared.events import Actor, LeadCommand, LeadStatusChanged, LeadType
from shared.settings import load_settings


@dataclass(frozen=True)
class Asked:
    """Which lead, who asks, and how the answer is to be shown."""

    lead: str
    lead_type: LeadType | None
    tenant: str
    by: str
    wait_s: float
    as_json: bool
    zone: str = "UTC"

    async def carried_out(self, tenant_id: str, wish: Mapping[str, Any]) -> LeadStatusChanged:
        """The fact that came of it. Raises UserError for an unknown lead, a refusal or no answer."""
        settings = load_settings(EditionSettings)
        row = await lead_called(settings, tenant_id, self.lead, self.lead_type)
        command = LeadCommand(
            version=clock.now_us(),
            actor=Actor(kind="person", id=self.by or user_name()),
            command_id=new_command_id(),
            lead_id=row.lead_id,
            **wish,
        )
        return await ask(kafka_address(settings), tenant_id, command, timeout_s=self.wait_s)
