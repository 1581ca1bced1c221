"""Which accounts' leads hold, as they were told, by the newest profile and rules; and which say so later."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import tables as t
from shared import clock
from shared.db import bulk
from shared.db.queries import load_queries

_SQL = load_queries(__file__)


class Mark(NamedTuple):
    """A marker to tell: its version, and the profile with which the account's leads go."""

    account_id: str
    version: int
    account_version: int


class MarksRepository:
    """Reads and writes markers, and the queue of accounts that wait for one."""

    async def mark(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        accounts: Collection[str],
        derived_by: str,
    ) -> list[Mark]:
        """Marks accounts of which all is told; they wait no longer. Returns those with news in it:

        with open leads that were told with another profile or by other rules, and not marked since.
        """
        if not accounts:
            return []
        parameters = {
            "tenant": tenant_id,
            "accounts": sorted(accounts),
            "derived_by": derived_by,
            "now": clock.now_us(),
        }
        rows = await connection.execute(_SQL["mark_accounts"], parameters)
        return sorted(Mark(*row) for row in rows)

    async def put_off(
        self, connection: AsyncConnection, tenant_id: str, accounts: Collection[str]
    ) -> None:
        """Lets accounts wait for their marks until the unit of work is at its end."""
        rows = [{"tenant_id": tenant_id, "account_id": account} for account in sorted(accounts)]
        key = ("tenant_id", "account_id")
        await bulk.upsert(connection, t.unmarked_accounts, rows, key=key, guard="nothing")

    async def put_off_all(self, connection: AsyncConnection, tenant_id: str) -> None:
        """Lets every account with open leads wait, whether it will be derived or not."""
        await connection.execute(_SQL["put_off_all"], {"tenant": tenant_id})

    async def behind(self, connection: AsyncConnection, tenant_id: str, derived_by: str) -> bool:
        """Whether open leads were told and marked by other rules, and no unit of work is about that."""
        parameters = {"tenant": tenant_id, "derived_by": derived_by}
        return bool(await connection.scalar(_SQL["behind"], parameters))

    async def rules_wait(self, connection: AsyncConnection, tenant_id: str) -> bool:
        """Whether new rules are in force that are not applied yet."""
        return bool(await connection.scalar(_SQL["rules_wait"], {"tenant": tenant_id}))

    async def waiting(self, connection: AsyncConnection, tenant_id: str, limit: int) -> list[str]:
        """Up to `limit` accounts that wait for their marks."""
        parameters = {"tenant": tenant_id, "limit": limit}
        return list((await connection.execute(_SQL["unmarked"], parameters)).scalars())
