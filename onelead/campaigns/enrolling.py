"""Begins, shows and ends campaigns in the notifier's tables, as the tenant."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from onelead.campaigns.contacts import Contact
from onelead.explaining.finding import lead_called
from onelead.service_database import service_connection
from onelead.settings import EditionSettings
from services.notifier.domain.campaigns import Circumstances, Enrolment, stop_reason
from services.notifier.repository import Held, LeadsRepository
from services.notifier.repository.people import PeopleRepository
from shared import clock
from shared.errors import UserError

UNSUBSCRIBED_BY_HAND = "unsubscribed (entered by hand)"


@dataclass(frozen=True)
class Begun:
    """A campaign that was begun for a contact."""

    lead_id: str
    title: str
    contact: str


async def begin(
    settings: EditionSettings, tenant_id: str, campaign: str, contacts: Sequence[Contact], by: str
) -> list[Begun]:
    """Begins a campaign for every contact, or for none.

    Raises UserError naming the first that cannot: an unknown or withdrawn lead, an address that
    nobody writes to, an account not to be contacted, a campaign that runs already.
    """
    ids = [
        (await lead_called(settings, tenant_id, contact.lead)).lead.lead_id for contact in contacts
    ]
    async with service_connection(settings, "notifier", tenant_id) as connection:
        held = await LeadsRepository().lock(connection, {(tenant_id, each) for each in ids})
        return [
            await _begin(connection, campaign, contact, (tenant_id, lead_id, by), held)
            for contact, lead_id in zip(contacts, ids, strict=True)
        ]


async def _begin(
    connection: AsyncConnection,
    campaign: str,
    contact: Contact,
    whose: tuple[str, str, str],
    held: dict[tuple[str, str], Held],
) -> Begun:
    tenant_id, lead_id, by = whose
    lead, people, now = held[tenant_id, lead_id], PeopleRepository(), clock.now()
    refused = await people.suppressed(connection, {(tenant_id, contact.address)})
    why = refused.get((tenant_id, contact.address))
    enrolment = Enrolment(
        tenant_id=tenant_id,
        lead_id=lead_id,
        contact=contact.address,
        campaign=campaign,
        round=0,
        started_at=now,
        next_step=0,
        state_at_start=lead.standing.state,
    )
    circumstances = Circumstances(lead.alert, lead.standing, why, now)
    if (reason := stop_reason(enrolment, circumstances)) is not None:
        raise UserError(f"{contact.place}: nobody was written to: {reason}")
    if lead.alert is None or await people.enrol(connection, enrolment, actor=by) is None:
        raise UserError(f"{contact.place}: a campaign runs for {contact.address} and this lead")
    return Begun(lead_id, lead.alert.title, contact.address)


async def stop(settings: EditionSettings, tenant_id: str, name: str, why: str) -> str:
    """Ends the campaigns about a lead; returns the lead's id. Raises UserError for an unknown lead."""
    found = await lead_called(settings, tenant_id, name)
    key = (tenant_id, found.lead.lead_id)
    async with service_connection(settings, "notifier", tenant_id) as connection:
        await PeopleRepository().stop(connection, {key: why}, clock.now())
    return found.lead.lead_id


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
            raise UserError(f"{address} is not on the list of addresses nobody writes to")


async def all_of(settings: EditionSettings, tenant_id: str, limit: int) -> Sequence[Row[Any]]:
    """The campaigns of a tenant, running ones first."""
    async with service_connection(settings, "notifier", tenant_id) as connection:
        return await PeopleRepository().enrolments(connection, tenant_id, limit)
