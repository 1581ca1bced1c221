"""Every table of the catalogue, seen with every login of every service: bound to none, another, or one.

The tables come from the database itself, so that a new one is tried without being named anywhere.
"""

from collections.abc import AsyncIterator, Mapping

import pytest
from sqlalchemy import Table, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ProgrammingError

from shared.db.engine import Database
from shared.db.migrate import SERVICES
from shared.db.protection import ROLE_SUFFIXES
from tests.integration.tenants.world import a_name, as_owner, fill_tables, tables_of
from tests.support.stack import Stack

MINE, THEIRS = a_name(), a_name()
BOUND_TO = [(), ("other",), (MINE,), (THEIRS,), (MINE, THEIRS)]


@pytest.fixture(scope="module")
async def tables(migrated: Stack) -> AsyncIterator[list[Table]]:
    """Every table, with rows of two tenants in it."""
    found = await tables_of(migrated.owner_url)
    await fill_tables(migrated.owner_url, (MINE, THEIRS))
    yield found
    async with as_owner(migrated.owner_url, MINE, THEIRS) as connection:
        for table in found:
            statement = text(f"DELETE FROM {table} WHERE tenant_id IN (:mine, :theirs)")
            await connection.execute(statement, {"mine": MINE, "theirs": THEIRS})


Found = dict[Table, set[str] | None]


async def seen(url: URL, tables: list[Table], bound_to: tuple[str, ...]) -> Found:
    """The tenants, of ours, whose rows a login sees when bound to these; None where it may not look."""
    database = Database.connect(url, application="test", pool_size=1)
    try:
        return {table: await seen_in(database, table, bound_to) for table in tables}
    finally:
        await database.close()


async def seen_in(database: Database, table: Table, bound_to: tuple[str, ...]) -> set[str] | None:
    statement = text(f"SELECT DISTINCT tenant_id FROM {table} WHERE tenant_id IN (:mine, :theirs)")
    try:
        async with database.transaction(bound_to) as connection:
            rows = await connection.scalars(statement, {"mine": MINE, "theirs": THEIRS})
            return set(rows.all())
    except ProgrammingError as error:
        if "permission denied" not in str(error):
            raise
        return None


async def looked_at(stack: Stack, role: str, tables: list[Table]) -> set[Table]:
    statement = text("SELECT has_table_privilege(:role, CAST(:table AS text), 'SELECT')")
    async with as_owner(stack.owner_url) as connection:
        return {
            table
            for table in tables
            if await connection.scalar(statement, {"role": role, "table": str(table)})
        }


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("bound_to", BOUND_TO, ids=["none", "other", "mine", "theirs", "both"])
async def test_a_service_sees_the_rows_of_its_transactions_tenants_and_no_others(
    tables: list[Table],
    all_role_urls: Mapping[tuple[str, str], URL],
    service: str,
    bound_to: tuple[str, ...],
) -> None:
    found = await seen(all_role_urls[service, ""], tables, bound_to)
    for table in tables:
        if table.schema != service or table.name == "outbox":
            assert found[table] is None, table
        else:
            assert found[table] == {MINE, THEIRS} & set(bound_to), table


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("suffix", ROLE_SUFFIXES[1:])
async def test_the_other_logins_see_all_of_what_they_need_and_nothing_else(
    migrated: Stack,
    tables: list[Table],
    all_role_urls: Mapping[tuple[str, str], URL],
    service: str,
    suffix: str,
) -> None:
    found = await seen(all_role_urls[service, suffix], tables, ())
    looks_at = await looked_at(migrated, f"onelead_{service}{suffix}", tables)
    assert {table.schema for table in looks_at} <= {service}
    for table in tables:
        assert found[table] == ({MINE, THEIRS} if table in looks_at else None), table


async def test_every_table_of_a_service_says_whose_its_rows_are(migrated: Stack) -> None:
    statement = text(
        "SELECT n.nspname || '.' || c.relname FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = ANY(:services) AND c.relkind IN ('r', 'p')"
        " AND c.relname <> 'alembic_version' AND NOT EXISTS (SELECT FROM pg_attribute a"
        " WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND a.attnotnull)"
    )
    async with as_owner(migrated.owner_url) as connection:
        assert (await connection.scalars(statement, {"services": list(SERVICES)})).all() == []
