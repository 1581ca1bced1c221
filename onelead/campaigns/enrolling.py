"""Begins and ends campaigns in the notifier's tables, as the tenant."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from onelead.campaigns.contacts import Contact
from onelead.campaigns.running import contacts_written_to, end
from onelead.explaining.finding import lead_called
from onelead.notify.lead import Asked
from onelead.service_database import service_connection
from onelead.settings import EditionSettings
from services.notifier.domain.campaigns import Circumstances, Enrolment, stop_reason
from services.notifier.repository import Held, LeadsRepository
from services.notifier.repository.people import PeopleRepository
from shared import clock
from shared.errors import UserError
from shared.events import LeadType

UNSUBSCRIBED_BY_HAND = "unsubscribed (entered by hand)"


@dataclass(frozen=True)
class Begun:
    """A campaign that was begun for a contact."""

    lead_id: str
    title: str
    contact: str


Ended = Begun
"""A campaign that was ended by hand."""


@dataclass(frozen=True)
class Start:
    """What is begun: for a tenant, which campaign, who begins it; `lead_type` where a box has several."""

    tenant_id: str
    campaign: str
    by: str
    lead_type: LeadType | None = None


async def begin(
    settings: EditionSettings, start: Start, contacts: Sequence[Contact]
) -> list[Begun]:
    """Begins a campaign for every contact, or for none.

    Raises UserError naming the first that cannot: an unknown or withdrawn lead, an address that
    nobody writes to, an account not to be contacted, a campaign that runs already.
    """
    tenant_id = start.tenant_id
    ids = [
        (await lead_called(settings, tenant_id, contact.lead, start.lead_type)).lead.lead_id
        for contact in contacts
    ]
    async with service_connection(settings, "notifier", tenant_id) as connection:
        held = await LeadsRepository().lock(connection, {(tenant_id, each) for each in ids})
        return [
            await _begin(connection, start, contact, lead_id, held)
            for contact, lead_id in zip(contacts, ids, strict=True)
        ]


async def _begin(
    connection: AsyncConnection,
    start: Start,
    contact: Contact,
    lead_id: str,
    held: dict[tuple[str, str], Held],
) -> Begun:
    tenant_id = start.tenant_id
    lead, people, now = held[tenant_id, lead_id], PeopleRepository(), clock.now()
    refused = await people.suppressed(connection, {(tenant_id, contact.address)})
    why = refused.get((tenant_id, contact.address))
    enrolment = Enrolment(
        tenant_id=tenant_id,
        lead_id=lead_id,
        contact=contact.address,
        campaign=start.campaign,
        round=0,
        started_at=now,
        next_step=0,
        state_at_start=lead.standing.state,
    )
    circumstances = Circumstances(lead.alert, lead.standing, why, now)
    if (reason := stop_reason(enrolment, circumstances)) is not None:
        raise UserError(
            f"{contact.place}: nobody was written to: {reason}",
            hint="`onelead campaigns allow ADDRESS`, at its owner's wish" if why else None,
            exit_code=1,
        )
    if lead.alert is None or await people.enrol(connection, enrolment, actor=start.by) is None:
        raise UserError(
            f"{contact.place}: a campaign runs for {contact.address} and this lead already",
            hint="`onelead campaigns stop` ends it",
            exit_code=1,
        )
    return Begun(lead_id, lead.alert.title, contact.address)


async def stop(settings: EditionSettings, asked: Asked, why: str, *, to: str = "") -> list[Ended]:
    """Ends the campaigns about a lead, or only the one for `to`; mails that were not begun are not sent.

    Raises UserError for an unknown lead, and when nothing runs.
    """
    tenant_id = asked.tenant_id
    found = await lead_called(settings, tenant_id, asked.name, asked.lead_type)
    key, about = (tenant_id, found.lead.lead_id), f"{found.lead.title} ({found.lead.lead_id})"
    async with service_connection(settings, "notifier", tenant_id) as connection:
        running = await contacts_written_to(connection, key, to)
        if not running:
            whom = f" for {to}" if to else ""
            raise UserError(
                f"no campaign runs{whom} about {about}",
                hint="`onelead campaigns list` shows how they stand",
                exit_code=1,
            )
        await end(connection, key, running, why)
    return [Ended(found.lead.lead_id, found.lead.title, contact) for contact in running]


async def unsubscribe(settings: EditionSettings, tenant_id: str, address: str) -> None:
    """Nobody of the tenant writes to an address any more; campaigns for it end."""
    async with service_connection(settings, "notifier", tenant_id) as connection:
        await PeopleRepository().suppress(
            connection, tenant_id, address, UNSUBSCRIBED_BY_HAND, clock.now()
        )


async def allow_again(settings: EditionSettings, tenant_id: str, address: str) -> None:
    """An address may be written to again. Raises UserError when it was not on the list."""
    async with service_connection(settings, "notifier", tenant_id) as connection:
        if not await PeopleRepository().allow_again(connection, tenant_id, address):
            raise UserError(
                f"{address} is not on the list of addresses nobody writes to",
                hint="`onelead campaigns refused` shows the list",
                exit_code=1,
            )
