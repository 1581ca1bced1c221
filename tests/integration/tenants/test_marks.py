"""A tenant that is marked as erased is gone for every login, and nothing under way brings it back."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from onelead.tenants.rows import TenantRows
from shared.db.engine import Database
from shared.db.erasure import erased_tenants_table
from shared.db.migrate import SERVICES
from shared.db.protection import ROLE_SUFFIXES, create_erased_tenants
from shared.errors import UserError
from shared.messaging.codec import Received
from tests.integration.messaging.bench import Bench, owner, producing, send
from tests.integration.messaging.reading import reading
from tests.integration.tenants.world import a_name, as_owner, fill_tables, tables_of
from tests.support.stack import Stack

GONE, STAYS = a_name(), a_name()


@pytest.fixture(scope="module")
async def marked(migrated: Stack) -> AsyncIterator[Stack]:
    """Two tenants with rows in every table, one of them marked."""
    await fill_tables(migrated.owner_url, (GONE, STAYS))
    async with TenantRows(migrated.owner_url, GONE) as rows:
        await rows.mark()
        yield migrated
        await rows.delete(await rows.tables(), lambda _: None)
    async with TenantRows(migrated.owner_url, STAYS) as rows:
        await rows.delete(await rows.tables(), lambda _: None)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("suffix", ROLE_SUFFIXES)
async def test_no_login_sees_a_row_of_a_marked_tenant_in_any_table(
    marked: Stack, all_role_urls: Mapping[tuple[str, str], URL], service: str, suffix: str
) -> None:
    database = Database.connect(all_role_urls[service, suffix], application="test", pool_size=1)
    looked = 0
    for table in await tables_of(marked.owner_url):
        if table.schema != service:
            continue
        async with database.transaction({GONE, STAYS}) as connection:
            statement = text("SELECT has_table_privilege(CAST(:table AS text), 'SELECT')")
            if not await connection.scalar(statement, {"table": str(table)}):
                continue
            looked += 1
            ours = text(f"SELECT DISTINCT tenant_id FROM {table} WHERE tenant_id = ANY(:both)")
            found = await connection.scalars(ours, {"both": [GONE, STAYS]})
            assert set(found.all()) == {STAYS}, table
    await database.close()
    # Messages and holders are the relay's to look at; ingest and lifecycle have no metrics of their own.
    assert looked >= (1 if suffix else 5)


@pytest.mark.parametrize("service", SERVICES)
async def test_nothing_of_a_marked_tenant_can_be_stored(
    marked: Stack, role_urls: Mapping[str, URL], service: str
) -> None:
    database = Database.connect(role_urls[service], application="test", pool_size=1)
    statement = text(
        f"INSERT INTO {service}.inbox (tenant_id, consumer, event_id) VALUES (:tenant, 'x', 'x')"
    )
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with database.transaction({GONE}) as connection:
            await connection.execute(statement, {"tenant": GONE})
    async with database.transaction({STAYS}) as connection:
        done = await connection.execute(statement, {"tenant": STAYS})
        assert done.rowcount == 1
    await database.close()


async def test_an_erasure_waits_for_who_looked_before_the_mark(
    migrated: Stack, role_urls: Mapping[str, URL]
) -> None:
    tenant = a_name()
    database = Database.connect(role_urls["scoring"], application="test", pool_size=1)
    async with TenantRows(migrated.owner_url, tenant) as rows:
        async with database.transaction({tenant}) as connection:
            await connection.execute(text("SELECT count(*) FROM scoring.leads"))
            await rows.mark()
            with pytest.raises(UserError, match="do not end"):
                await rows.until_nobody_is_unaware(0.3)
            waiting = asyncio.create_task(rows.until_nobody_is_unaware(20))
            await asyncio.sleep(0.3)
            assert not waiting.done()
        await waiting
    await database.close()


async def test_an_erasure_does_not_wait_for_who_came_after_the_mark(
    migrated: Stack, role_urls: Mapping[str, URL]
) -> None:
    tenant = a_name()
    database = Database.connect(role_urls["scoring"], application="test", pool_size=1)
    async with TenantRows(migrated.owner_url, tenant) as rows:
        await rows.mark()
        waiting = asyncio.create_task(rows.until_nobody_is_unaware(20))
        await waiting
        async with database.transaction({tenant}) as connection:
            found = await connection.scalar(text("SELECT count(*) FROM scoring.erased_tenants"))
            assert found == 1
    await database.close()


async def mark_in(bench: Bench, tenant: str) -> None:
    """The bench's schema gets marks of its own, and one of them."""

    def make(connection: Connection) -> None:
        with Operations.context(MigrationContext.configure(connection)):
            create_erased_tenants(bench.schema)

    async with owner(bench.stack) as connection:
        await connection.run_sync(make)
    async with as_owner(bench.stack.owner_url, tenant) as connection:
        statement = text(f"INSERT INTO {bench.schema}.erased_tenants (tenant_id) VALUES (:tenant)")
        await connection.execute(statement, {"tenant": tenant})


async def test_messages_still_under_way_are_forgotten_and_the_others_handled(
    bench: Bench,
) -> None:
    await mark_in(bench, GONE)
    erased_tenants_table(bench.metadata)
    handled: list[str] = []

    async def step(_: AsyncConnection, messages: Sequence[Received]) -> None:
        handled.extend(message.envelope.tenant_id for message in messages)

    async with producing(bench.stack) as producer:
        for number in range(1, 61):
            changes = {} if number % 2 else {"tenant_id": GONE, "key": f"{GONE}|{number}"}
            await send(producer, bench.message(number, **changes))
    async with reading(bench, step) as reader:
        await reader.caught_up()
        assert await reader.handled() == list(range(1, 61, 2))
        assert set(handled) == {"default"}
        assert reader.consumer.stopped_because is None
    assert await bench.rows("dead_letters", tenants=(GONE, "default")) == []
