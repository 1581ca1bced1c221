"""A tenant's rows in every table of every service: marked as erased, counted, deleted in bounded steps.

Works as the owner of the tables, who meets the rows of the one tenant that it says it is erasing.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Self

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from onelead.opened_database import OWNERS_ADDRESS, REFUSALS, telling_when_lost, unusable
from onelead.tenants.places import Counts, Found, Kind, Place
from shared import clock
from shared.db.engine import Database
from shared.db.erasure import ERASED_TENANTS
from shared.db.migrate import SERVICES
from shared.errors import UserError
from shared.messaging.dead_letter import NO_TENANT

_POLL_S = 0.1
_TABLES = text(
    """
    SELECT n.nspname AS service, c.relname AS name,
           NOT row_security_active(c.oid) OR EXISTS (
               SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'erasing'
               AND EXISTS (SELECT FROM unnest(p.polroles) AS granted(role)
                           WHERE pg_has_role(current_user, granted.role, 'USAGE'))) AS visible
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
    WHERE n.nspname = ANY(CAST(:services AS text[])) AND c.relkind IN ('r', 'p') ORDER BY 1, 2
    """
)
_ERASING = text("SELECT set_config('app.erasing', :tenants, true)")
# A letter that could not be read names no tenant that we would believe; to erase it is another matter.
_OF_NOBODY = """tenant_id = :nobody AND (
    starts_with(encode(key, 'escape'), :tenant || '|') OR encode(key, 'escape') = :tenant
    OR headers @> jsonb_build_array(jsonb_build_array('ce_tenant',
           encode(convert_to(:tenant, 'UTF8'), 'base64'))))"""
_HOLDERS = text(
    "SELECT DISTINCT l.virtualtransaction FROM pg_locks l"
    " WHERE l.locktype = 'relation' AND l.granted AND l.relation = ANY(ARRAY("
    "  SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    "  WHERE n.nspname = ANY(CAST(:services AS text[])) AND c.relname = :marks))"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND l.pid <> pg_backend_pid()"
)
Progress = Callable[[str], None]


class TenantRows:
    """The rows of one tenant, behind the address with which `onelead migrate` works."""

    def __init__(self, owner_url: str, tenant_id: str, *, rows_per_step: int = 10_000) -> None:
        self._url = make_url(owner_url)
        self._database = Database.connect(
            self._url, application="onelead tenants erase", pool_size=1
        )
        self._tenant = tenant_id
        self._rows_per_step = rows_per_step

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._database.close()

    async def tables(self) -> list[str]:
        """Every table with tenants' rows, from the catalogue, the marks left out.

        Raises UserError when the database does not let us in, or hides what is to be erased.
        """
        try:
            async with self._seeing_the_tenant() as connection:
                found = (await connection.execute(_TABLES, {"services": list(SERVICES)})).all()
        except REFUSALS as error:
            raise unusable(self._url, error, OWNERS_ADDRESS) from None
        marked = {row.service for row in found if row.name == ERASED_TENANTS}
        if unready := [service for service in SERVICES if service not in marked]:
            raise UserError(
                f"the schemas of {', '.join(unready)} know of no erased tenants yet",
                hint="bring them up to date with `onelead migrate`",
            )
        if hidden := [f"{row.service}.{row.name}" for row in found if not row.visible]:
            raise UserError(
                f"the role {self._url.username} would not see a tenant's rows in {hidden[0]}"
                f" ({len(hidden)} tables)",
                hint=OWNERS_ADDRESS,
            )
        return [f"{row.service}.{row.name}" for row in found if row.name != ERASED_TENANTS]

    async def count(self, tables: list[str]) -> Counts:
        """How many rows of the tenant each table has, and each table of letters of no known tenant."""
        found = {}
        for table in tables:
            for name, where in self._conditions(table):
                async with self._transaction() as connection:
                    statement = text(f"SELECT count(*) FROM {table} WHERE {where}")
                    count = await connection.scalar(statement, self._parameters(where))
                found[Place(Kind.ROWS, name)] = Found(int(count or 0))
        return found

    async def mark(self) -> None:
        """From now on the tenant is gone for every service, and what it sends is forgotten."""
        for service in SERVICES:
            async with self._transaction() as connection:
                statement = text(
                    f"INSERT INTO {service}.{ERASED_TENANTS} (tenant_id) VALUES (:tenant)"
                    " ON CONFLICT (tenant_id) DO UPDATE SET proved_at = NULL"
                )
                await connection.execute(statement, {"tenant": self._tenant})

    async def until_nobody_is_unaware(self, timeout_s: float) -> None:
        """Waits for the transactions that may have looked before the mark was there.

        Whoever looks at the marks holds a lock on their table to the end of the transaction; who takes
        it later sees the mark. Raises UserError when one does not end.
        """
        parameters = {"services": list(SERVICES), "marks": ERASED_TENANTS}
        deadline_s = clock.monotonic_s() + timeout_s
        unaware: set[str] | None = None
        while unaware is None or unaware:
            async with self._transaction() as connection:
                holders = set((await connection.scalars(_HOLDERS, parameters)).all())
            unaware = holders if unaware is None else unaware & holders
            if unaware and clock.monotonic_s() > deadline_s:
                raise UserError(
                    f"{len(unaware)} transactions on the services' tables do not end",
                    hint="pg_stat_activity shows them; the tenant is marked, erase it again later",
                    exit_code=1,
                )
            await asyncio.sleep(_POLL_S if unaware else 0)

    async def delete(self, tables: list[str], progress: Progress) -> None:
        """Deletes the tenant's rows, so many in a transaction; a kill between two loses nothing."""
        for table in tables:
            for name, where in self._conditions(table):
                deleted = 0
                while step := await self._delete_some(table, where):
                    deleted += step
                    progress(f"{name}: {deleted:,} rows deleted")

    async def _delete_some(self, table: str, where: str) -> int:
        statement = text(
            f"DELETE FROM {table} WHERE ctid = ANY(ARRAY("
            f"SELECT ctid FROM {table} WHERE {where} LIMIT :step))"
        )
        parameters = self._parameters(where) | {"step": self._rows_per_step}
        async with self._transaction() as connection:
            return (await connection.execute(statement, parameters)).rowcount

    async def prove(self) -> None:
        """Notes that nothing was left."""
        for service in SERVICES:
            async with self._transaction() as connection:
                statement = text(
                    f"UPDATE {service}.{ERASED_TENANTS} SET proved_at = now()"
                    " WHERE tenant_id = :tenant"
                )
                await connection.execute(statement, {"tenant": self._tenant})

    async def marked(self) -> datetime | None:
        """Since when the tenant is marked in any service; None if in none."""
        moments = []
        for service in SERVICES:
            async with self._transaction() as connection:
                statement = text(
                    f"SELECT erased_at FROM {service}.{ERASED_TENANTS} WHERE tenant_id = :tenant"
                )
                moments.append(await connection.scalar(statement, {"tenant": self._tenant}))
        return min((moment for moment in moments if moment is not None), default=None)

    async def unmark(self) -> None:
        """The tenant's name may be used again."""
        for service in SERVICES:
            async with self._transaction() as connection:
                statement = text(
                    f"DELETE FROM {service}.{ERASED_TENANTS} WHERE tenant_id = :tenant"
                )
                await connection.execute(statement, {"tenant": self._tenant})

    def _conditions(self, table: str) -> list[tuple[str, str]]:
        own = [(table, "tenant_id = :tenant")]
        if table.endswith(".dead_letters"):
            own.append((f"{table} (of no known tenant)", _OF_NOBODY))
        return own

    def _parameters(self, where: str) -> dict[str, object]:
        nobody = {"nobody": NO_TENANT} if ":nobody" in where else {}
        return {"tenant": self._tenant, **nobody}

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        """For what comes after `tables`: the server let us in then."""
        with telling_when_lost(self._url):
            async with self._seeing_the_tenant() as connection:
                yield connection

    @asynccontextmanager
    async def _seeing_the_tenant(self) -> AsyncIterator[AsyncConnection]:
        async with self._database.transaction() as connection:
            await connection.execute(_ERASING, {"tenants": f"{self._tenant},{NO_TENANT}"})
            yield connection
