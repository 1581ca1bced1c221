"""Writes a campaign's mails: a template, what is known of the lead, and the way to say no."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from services.notifier.domain.campaigns import Enrolment, variables
from services.notifier.domain.contents import Outreach
from services.notifier.domain.message import Alert

Render = Callable[[str, dict[str, object]], tuple[str, str, str]]
"""(template's name, variables) → (subject, text, HTML)."""

UnsubscribeUrl = Callable[[str, str], str]
"""(tenant id, address) → where the address is taken off; empty when no such page is open."""


@dataclass(frozen=True)
class Writer:
    """What it takes to write to a customer."""

    render: Render
    unsubscribe_url: UnsubscribeUrl

    async def write(self, template: str, enrolment: Enrolment, alert: Alert) -> Outreach:
        """The mail of one step. Raises UserError naming the template and its line."""
        url = self.unsubscribe_url(enrolment.tenant_id, enrolment.contact)
        values = {**variables(alert, enrolment.owner), "unsubscribe_url": url}
        # A template of the operator's own may take its time: in a thread, it holds nobody else up.
        subject, text, html = await asyncio.to_thread(self.render, template, values)
        return Outreach(
            tenant_id=enrolment.tenant_id,
            lead_id=enrolment.lead_id,
            campaign=enrolment.campaign,
            step=enrolment.next_step,
            subject=subject,
            text=text,
            html=html,
            unsubscribe_url=url,
            to=enrolment.contact,
        )
