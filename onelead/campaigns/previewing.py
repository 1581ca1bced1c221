"""Shows what a campaign would write about a lead, on which days; sends and remembers nothing."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from onelead.notify.lead import Asked, alert_called
from onelead.settings import EditionSettings
from services.notifier.channels.mail.outreach import render_outreach
from services.notifier.channels.mail.templates import Templates
from services.notifier.domain.campaigns import Campaign, Enrolment, due_at
from services.notifier.domain.contents import Outreach
from services.notifier.inbound.unsubscribing import no_way_out
from services.notifier.outreach import Writer
from services.notifier.settings import NotifierSettings
from shared import clock
from shared.access import NO_DATABASE
from shared.events import LeadState
from shared.settings import load_settings


@dataclass(frozen=True)
class Planned:
    """A step as it would be taken if the campaign began now; without a mail, the call task."""

    day: int
    due_at: datetime
    mail: Outreach | None

    def json(self) -> dict[str, Any]:
        """For programs."""
        mail = self.mail
        return {
            "day": self.day,
            "due_at": self.due_at.isoformat(),
            "subject": mail.subject if mail else None,
            "text": mail.text if mail else None,
        }


async def planned(
    settings: EditionSettings, asked: Asked, contact: str, campaign: Campaign
) -> list[Planned]:
    """Every step of a campaign about a lead. Raises UserError for an unknown lead or a bad template."""
    ours = load_settings(NotifierSettings, kafka_bootstrap="", database_url=NO_DATABASE)
    alert = await alert_called(settings, asked, ours.console_url)
    unsubscribing = ours.unsubscribing()
    way_out = unsubscribing.url if unsubscribing is not None else no_way_out
    templates = Templates(ours.templates_dir)
    writer = Writer(partial(render_outreach, templates), way_out)
    found = []
    try:
        for number, step in enumerate(campaign.steps):
            enrolment = Enrolment(
                tenant_id=asked.tenant_id,
                lead_id=alert.lead_id,
                contact=contact,
                campaign=campaign.name,
                round=0,
                started_at=clock.now(),
                next_step=number,
                state_at_start=LeadState.NEW,
                owner=alert.owner,
            )
            due = due_at(campaign, enrolment, number) or enrolment.started_at
            name = step.template
            mail = None if name is None else await writer.write(name, enrolment, alert)
            found.append(Planned(step.day, due, mail))
    finally:
        templates.close()
    return found
