"""The SQL of lifecycle. Accounts are locked before leads, both in key order: two batches cannot deadlock."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from services.lifecycle import tables as t
from services.lifecycle.domain.status import AccountFlag, Known, Lead, Status
from shared.db import bulk
from shared.db.queries import load_queries
from shared.events import EVENT_BY_TYPE, Event, LeadState

Key = tuple[str, str]
"""(tenant id, lead id), (tenant id, account id) or (tenant id, command id)."""

_SQL = load_queries(__file__)
_KNOWN = tuple(field.name for field in fields(Known))
_STATUS = tuple(field.name for field in fields(Status))


class LifecycleRepository:
    """Reads and writes schema `lifecycle`; every method runs in the caller's transaction."""

    async def accounts_of_leads(
        self, connection: AsyncConnection, leads: Iterable[Key]
    ) -> set[Key]:
        """The accounts that leads belong to."""
        rows = await connection.execute(_SQL["accounts_of_leads"], _keys(leads, "leads"))
        return {(row.tenant_id, row.account_id) for row in rows}

    async def leads_of_accounts(
        self, connection: AsyncConnection, accounts: Iterable[Key]
    ) -> set[Key]:
        """All leads of these accounts."""
        rows = await connection.execute(_SQL["leads_of_accounts"], _keys(accounts, "accounts"))
        return {(row.tenant_id, row.lead_id) for row in rows}

    async def lock_accounts(self, connection: AsyncConnection, accounts: Iterable[Key]) -> None:
        """Makes sure that the accounts have a row, and locks them: nobody adds or takes a lead."""
        wanted = sorted(accounts)
        rows = [{"tenant_id": tenant, "account_id": account} for tenant, account in wanted]
        key = ("tenant_id", "account_id")
        await bulk.upsert(connection, t.accounts, rows, key=key, guard="nothing")
        await connection.execute(_SQL["lock_accounts"], _keys(wanted, "accounts"))

    async def accounts(
        self, connection: AsyncConnection, accounts: Iterable[Key]
    ) -> dict[Key, AccountFlag]:
        """The do-not-contact of accounts."""
        rows = await connection.execute(_SQL["accounts"], _keys(accounts, "accounts"))
        return {
            (row.tenant_id, row.account_id): AccountFlag(row.do_not_contact_until, row.office_id)
            for row in rows
        }

    async def locked_leads(
        self, connection: AsyncConnection, leads: Iterable[Key]
    ) -> dict[Key, Lead]:
        """Those of the leads that are known, locked."""
        wanted = _keys(leads, "leads")
        await connection.execute(_SQL["lock_leads"], wanted)
        rows = await connection.execute(_SQL["leads"], wanted)
        return {(row.tenant_id, row.lead_id): _lead(row) for row in rows}

    async def tenants_with_due(self, connection: AsyncConnection, now: datetime) -> list[str]:
        """Tenants with a flag that falls due by now; asked with the tick's role."""
        rows = await connection.execute(_SQL["tenants_with_due"], {"now": now})
        return [row.tenant_id for row in rows]

    async def due_leads(
        self, connection: AsyncConnection, tenant_id: str, now: datetime, limit: int
    ) -> dict[Key, Lead]:
        """Up to `limit` leads of a tenant with a flag that falls due by now, locked, that nobody holds."""
        parameters = {"tenant": tenant_id, "now": now, "limit": limit}
        rows = await connection.execute(_SQL["lock_due"], parameters)
        return await self.locked_leads(connection, [(tenant_id, row.lead_id) for row in rows])

    async def save_leads(self, connection: AsyncConnection, leads: Iterable[Lead]) -> None:
        """Stores what the public topic says of leads."""
        rows = [
            {"tenant_id": lead.tenant_id, "lead_id": lead.lead_id}
            | {name: getattr(lead.known, name) for name in _KNOWN}
            for lead in leads
        ]
        await bulk.upsert(connection, t.leads, rows, key=("tenant_id", "lead_id"))

    async def save_statuses(self, connection: AsyncConnection, leads: Iterable[Lead]) -> None:
        """Stores how leads stand."""
        rows = [
            {"tenant_id": lead.tenant_id, "lead_id": lead.lead_id, "version": lead.version}
            | {name: getattr(lead.status, name) for name in _STATUS}
            | {"state": lead.status.state.value, "next_due": lead.status.next_due}
            for lead in leads
        ]
        await bulk.upsert(connection, t.statuses, rows, key=("tenant_id", "lead_id"))

    async def save_accounts(
        self, connection: AsyncConnection, accounts: Mapping[Key, AccountFlag]
    ) -> None:
        """Stores the do-not-contact of accounts."""
        rows = [
            {
                "tenant_id": tenant,
                "account_id": account,
                "do_not_contact_until": flag.until,
                "office_id": flag.office_id,
            }
            for (tenant, account), flag in accounts.items()
        ]
        await bulk.upsert(connection, t.accounts, rows, key=("tenant_id", "account_id"))

    async def add_history(
        self, connection: AsyncConnection, entries: Sequence[Mapping[str, Any]]
    ) -> None:
        """Appends entries, each with every column of the history."""
        await bulk.insert(connection, t.history, entries)

    async def claim(self, connection: AsyncConnection, commands: Collection[Key]) -> set[Key]:
        """Of these commands those that nobody decided yet: they are the caller's now.

        Waits for another process that is deciding one of them.
        """
        rows = [{"tenant_id": tenant, "command_id": each} for tenant, each in sorted(commands)]
        key = ("tenant_id", "command_id")
        written = await bulk.upsert(
            connection,
            t.commands,
            rows,
            key=key,
            guard="nothing",
            returning="tenant_id, command_id",
        )
        return {(row.tenant_id, row.command_id) for row in written}

    async def answers(
        self, connection: AsyncConnection, commands: Collection[Key]
    ) -> dict[Key, Event]:
        """How commands were answered before."""
        rows = await connection.execute(_SQL["answers"], _keys(commands, "commands"))
        return {
            (row.tenant_id, row.command_id): EVENT_BY_TYPE[row.answer_type].model_validate(
                row.answer
            )
            for row in rows
            if row.answer_type is not None
        }

    async def save_answers(self, connection: AsyncConnection, answers: Mapping[Key, Event]) -> None:
        """Keeps how commands were answered."""
        rows = [
            {
                "tenant_id": tenant,
                "command_id": command_id,
                "answer_type": event.event_type,
                "answer": event.model_dump_json().encode(),
            }
            for (tenant, command_id), event in answers.items()
        ]
        await bulk.upsert(connection, t.commands, rows, key=("tenant_id", "command_id"))


def _keys(keys: Iterable[Key], name: str) -> dict[str, list[str]]:
    """Keys as the arrays of a statement, in their order."""
    wanted = sorted(keys)
    return {"tenants": [tenant for tenant, _ in wanted], name: [each for _, each in wanted]}


def _lead(row: Row[Any]) -> Lead:
    status = {name: getattr(row, name) for name in _STATUS} | {"state": LeadState(row.state)}
    return Lead(
        tenant_id=row.tenant_id,
        lead_id=row.lead_id,
        known=Known(**{name: getattr(row, name) for name in _KNOWN}),
        status=Status(**status),
        version=row.told_version,
    )
