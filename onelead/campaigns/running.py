"""Reads campaigns and refused addresses in the notifier's tables, ends campaigns, as the tenant."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from onelead.explaining.finding import names_of
from onelead.service_database import service_connection
from onelead.settings import EditionSettings
from services.notifier import tables as t
from services.notifier.repository.leads import Key
from shared import clock

_END = text(
    """
    WITH over AS (
      UPDATE notifier.enrolments e SET ended = :why, next_at = NULL
      WHERE e.tenant_id = :tenant AND e.lead_id = :lead AND e.ended IS NULL
        AND e.contact = ANY(CAST(:contacts AS text[]))
      RETURNING e.tenant_id, e.lead_id, e.contact
    )
    UPDATE notifier.deliveries d
    SET state = 'cancelled', settled_at = :now, lease_token = NULL, note = :why
    FROM over
    WHERE d.tenant_id = over.tenant_id AND d.lead_id = over.lead_id AND d.purpose = 'outreach'
      AND d.content->>'to' = over.contact AND d.state IN ('pending', 'retry', 'leased')
    """
)


@dataclass(frozen=True)
class Wanted:
    """Which campaigns are meant; what is empty does not matter. `lead`: an id, its beginning, a serial."""

    running: bool = False
    lead: str = ""
    to: str = ""
    limit: int = 100


async def campaigns_of(
    settings: EditionSettings, tenant_id: str, wanted: Wanted
) -> Sequence[Row[Any]]:
    """The campaigns that are meant, running ones first, those with the next step first."""
    columns = t.enrolments.c
    conditions = [columns.tenant_id == tenant_id]
    if wanted.running:
        conditions.append(columns.ended.is_(None))
    if wanted.to:
        conditions.append(columns.contact == wanted.to.lower())
    if wanted.lead:
        beginning = columns.lead_id.startswith(wanted.lead.strip().lower(), autoescape=True)
        ids = names_of(tenant_id, wanted.lead)["ids"]
        conditions.append(or_(columns.lead_id.in_(ids), beginning))
    statement = (
        select(t.enrolments)
        .where(*conditions)
        .order_by(columns.ended.is_not(None), columns.next_at, columns.lead_id, columns.contact)
        .limit(wanted.limit)
    )
    async with service_connection(settings, "notifier", tenant_id) as connection:
        return (await connection.execute(statement)).all()


async def refused_of(settings: EditionSettings, tenant_id: str) -> Sequence[Row[Any]]:
    """The addresses nobody of the tenant writes to, the newest first, with the reason."""
    columns = t.suppressed.c
    statement = (
        select(t.suppressed)
        .where(columns.tenant_id == tenant_id)
        .order_by(columns.since.desc(), columns.address)
    )
    async with service_connection(settings, "notifier", tenant_id) as connection:
        return (await connection.execute(statement)).all()


async def contacts_written_to(connection: AsyncConnection, lead: Key, to: str = "") -> list[str]:
    """Whom running campaigns write to about a lead; only `to`, if it is given."""
    columns = t.enrolments.c
    statement = (
        select(columns.contact)
        .where(columns.tenant_id == lead[0], columns.lead_id == lead[1], columns.ended.is_(None))
        .order_by(columns.contact)
        .with_for_update()
    )
    found = [row.contact for row in await connection.execute(statement)]
    return [contact for contact in found if contact == (to.lower() or contact)]


async def end(connection: AsyncConnection, lead: Key, contacts: Sequence[str], why: str) -> None:
    """Ends a lead's campaigns for these contacts, and cancels their mails that were not begun."""
    parameters = {
        "tenant": lead[0],
        "lead": lead[1],
        "contacts": list(contacts),
        "why": why,
        "now": clock.now(),
    }
    await connection.execute(_END, parameters)
