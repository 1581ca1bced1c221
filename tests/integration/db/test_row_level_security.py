"""No role sees or writes what it has no business with: every table of every service's schema."""

import uuid
from collections.abc import AsyncIterator, Mapping

import pytest
from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.engine import Database
from shared.db.migrate import SERVICES
from tests.integration.db.schemas import TABLES, a_row
from tests.integration.messaging.bench import owner
from tests.support.stack import Stack

pytestmark = pytest.mark.parametrize("table", TABLES, ids=str)
MINE, THEIRS = f"mine-{uuid.uuid4().hex[:8]}", f"theirs-{uuid.uuid4().hex[:8]}"


@pytest.fixture
async def filled(migrated: Stack, table: Table) -> AsyncIterator[None]:
    """One row of mine and one of theirs, put there by the owner."""
    async with owner(migrated) as connection:
        for tenant in (MINE, THEIRS):
            await connection.execute(
                text("SELECT set_config('app.tenants', :t, true)"), {"t": tenant}
            )
            await connection.execute(insert(table).values(a_row(table, tenant)))
    yield
    async with owner(migrated) as connection:
        await connection.execute(
            text(f"DELETE FROM {table} WHERE tenant_id IN (:a, :b)"), {"a": MINE, "b": THEIRS}
        )


@pytest.fixture(scope="module")
async def databases(role_urls: Mapping[str, URL]) -> AsyncIterator[Mapping[str, Database]]:
    """Each service's own role, with one connection."""
    made = {
        service: Database.connect(url, application="test", pool_size=1)
        for service, url in role_urls.items()
    }
    yield made
    for database in made.values():
        await database.close()


@pytest.fixture
def database(databases: Mapping[str, Database], table: Table) -> Database:
    """The role of the table's service."""
    return databases[str(table.schema)]


async def may(connection: AsyncConnection, table: Table, privilege: str) -> bool:
    statement = text("SELECT has_table_privilege(current_user, :table, :privilege)")
    return bool(await connection.scalar(statement, {"table": str(table), "privilege": privilege}))


async def seen(connection: AsyncConnection, table: Table) -> set[str]:
    ours = select(table.c.tenant_id).where(table.c.tenant_id.in_([MINE, THEIRS]))
    return set((await connection.scalars(ours)).all())


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("tenants", "visible"),
    [
        ((), set()),
        (("other",), set()),
        ((MINE,), {MINE}),
        ((THEIRS,), {THEIRS}),
        ((MINE, THEIRS), {MINE, THEIRS}),
    ],
    ids=["none", "other", "mine", "theirs", "both"],
)
async def test_a_transaction_sees_changes_and_removes_its_tenants_rows_only(
    database: Database, table: Table, tenants: tuple[str, ...], visible: set[str]
) -> None:
    async with database.engine.connect() as connection:
        await connection.execute(
            text("SELECT set_config('app.tenants', :t, true)"), {"t": ",".join(tenants)}
        )
        if not await may(connection, table, "SELECT"):
            with pytest.raises(ProgrammingError, match="permission denied"):
                await seen(connection, table)
            return
        assert await seen(connection, table) == visible
        if await may(connection, table, "UPDATE"):
            done = await connection.execute(text(f"UPDATE {table} SET tenant_id = tenant_id"))
            assert done.rowcount == len(visible)
        if await may(connection, table, "DELETE"):
            done = await connection.execute(text(f"DELETE FROM {table}"))
            assert done.rowcount == len(visible)
        await connection.rollback()


@pytest.mark.parametrize("tenants", [(), ("other",), (MINE,)], ids=["none", "other", "mine"])
async def test_a_transaction_adds_rows_of_its_tenants_only(
    database: Database, table: Table, tenants: tuple[str, ...]
) -> None:
    async with database.engine.connect() as connection:
        await connection.execute(
            text("SELECT set_config('app.tenants', :t, true)"), {"t": ",".join(tenants)}
        )
        may_insert = await may(connection, table, "INSERT")
        with pytest.raises(ProgrammingError, match=r"row-level security|permission denied"):
            await connection.execute(insert(table).inline().values(a_row(table, THEIRS)))
        await connection.rollback()
        if may_insert and MINE in tenants:
            await connection.execute(
                text("SELECT set_config('app.tenants', :t, true)"), {"t": MINE}
            )
            done = await connection.execute(insert(table).inline().values(a_row(table, MINE)))
            assert done.rowcount == 1
        await connection.rollback()


@pytest.mark.usefixtures("filled")
async def test_no_row_can_be_handed_to_another_tenant(database: Database, table: Table) -> None:
    async with database.engine.connect() as connection:
        await connection.execute(text("SELECT set_config('app.tenants', :t, true)"), {"t": MINE})
        if await may(connection, table, "UPDATE"):
            with pytest.raises(ProgrammingError, match="row-level security"):
                await connection.execute(
                    text(f"UPDATE {table} SET tenant_id = :to"), {"to": THEIRS}
                )
        await connection.rollback()


@pytest.mark.usefixtures("filled")
async def test_another_services_role_may_do_nothing(
    databases: Mapping[str, Database], table: Table
) -> None:
    for service in SERVICES:
        if service == table.schema:
            continue
        stranger = databases[service]
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with stranger.transaction({MINE}) as connection:
                await connection.scalar(select(func.count()).select_from(table))


async def test_every_key_begins_with_the_tenant_or_is_the_databases_own_number(
    migrated: Stack, table: Table
) -> None:
    """A key over all tenants would tell one of them what another has."""
    statement = text(
        "SELECT i.indexrelid::regclass::text AS name, a.attname AS first, a.attidentity <> '' AS ours"
        " FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
        " WHERE i.indisunique AND i.indrelid = CAST(:table AS regclass)"
    )
    async with owner(migrated) as connection:
        rows = (await connection.execute(statement, {"table": str(table)})).all()
    assert rows
    assert [row.name for row in rows if row.first != "tenant_id" and not row.ours] == []
