"""An owner who is no superuser meets one tenant's rows when it erases that one, and otherwise none."""

import asyncio
import traceback
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Engine, make_url

from onelead.tenants.rows import TenantRows
from shared.db.engine import owner_engine
from shared.db.migrate import SERVICES, upgrade
from shared.errors import UserError
from tests.integration.tenants.world import a_name, as_owner, fill_tables, rows_of, tables_of
from tests.support.stack import Stack


@pytest.fixture(scope="module")
async def plain_owner(migrated: Stack) -> AsyncIterator[str]:
    """The address of a database whose owner may make roles, and is neither superuser nor BYPASSRLS."""
    name, word = f"owned_{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    engine = owner_engine(make_url(migrated.owner_url), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE ROLE {name} LOGIN CREATEROLE PASSWORD '{word}'"))
        await connection.execute(text(f"CREATE DATABASE {name} OWNER {name}"))
    url = make_url(migrated.owner_url).set(username=name, password=word, database=name)
    yield url.render_as_string(hide_password=False)
    async with engine.connect() as connection:
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        await connection.execute(text(f"DROP ROLE {name}"))
    await engine.dispose()


@pytest.fixture(scope="module")
def owned(plain_owner: str) -> str:
    """Every service's schema in it."""
    for service in SERVICES:
        upgrade(plain_owner, service)
    return plain_owner


async def test_it_meets_the_tenant_it_says_it_erases_and_no_other(owned: str) -> None:
    gone, stays = a_name(), a_name()
    await fill_tables(owned, (gone, stays))
    async with as_owner(owned) as connection:
        for table in await tables_of(owned):
            assert await connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0, table
    async with TenantRows(owned, gone) as rows:
        tables = await rows.tables()
        assert all(
            f.count for p, f in (await rows.count(tables)).items() if "no known" not in p.name
        )
        await rows.mark()
        await rows.delete(tables, lambda _: None)
        assert {found.count for found in (await rows.count(tables)).values()} == {0}
        await rows.prove()
        assert await rows.marked() is not None
    assert await rows_of(owned, gone) == {}
    assert set(await rows_of(owned, stays)) == {str(table) for table in await tables_of(owned)}


@pytest.fixture
async def may_not_set_passwords(owned: str, migrated: Stack) -> AsyncIterator[str]:
    """The address while its role may not make or change roles."""
    name = make_url(owned).username
    engine = owner_engine(make_url(migrated.owner_url), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"ALTER ROLE {name} NOCREATEROLE"))
        yield owned
        await connection.execute(text(f"ALTER ROLE {name} CREATEROLE"))
    await engine.dispose()


async def test_a_password_that_the_server_does_not_set_is_in_no_error(
    may_not_set_passwords: str,
) -> None:
    word = uuid.uuid4().hex
    with pytest.raises(UserError) as refused:
        await asyncio.to_thread(upgrade, may_not_set_passwords, "ingest", role_password=word)
    said = "".join(traceback.format_exception(refused.value))
    assert "does not set the password of role onelead_ingest: permission denied" in said
    assert word not in said
    assert "ALTER ROLE" not in said
    assert "SCRAM-SHA-256" not in said


async def test_the_server_is_told_what_it_keeps_and_never_the_password(migrated: Stack) -> None:
    word = uuid.uuid4().hex
    told: list[str] = []

    def listen(*arguments: Any) -> None:
        told.extend(map(str, arguments[2:4]))

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        await asyncio.to_thread(upgrade, migrated.owner_url, "lifecycle", role_password=word)
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    assert not any(word in statement for statement in told)
    engine = owner_engine(make_url(migrated.owner_url))
    kept = text("SELECT rolpassword FROM pg_authid WHERE rolname LIKE 'onelead\\_lifecycle%'")
    async with engine.connect() as connection:
        found = (await connection.scalars(kept)).all()
    await engine.dispose()
    assert len(set(found)) == 4
    said = "\n".join(told)
    assert all(each.startswith("SCRAM-SHA-256$4096:") and each in said for each in found)


async def test_many_rows_go_in_bounded_steps(owned: str) -> None:
    tenant = a_name()
    async with as_owner(owned, tenant) as connection:
        statement = text(
            "INSERT INTO scoring.rescoring (tenant_id, lead_id, cause)"
            " SELECT :tenant, number, 'day' FROM generate_series(1, 25000) AS number"
        )
        await connection.execute(statement, {"tenant": tenant})
    said: list[str] = []
    async with TenantRows(owned, tenant, rows_per_step=4_000) as rows:
        await rows.delete(["scoring.rescoring"], said.append)
    assert said == [
        f"scoring.rescoring: {min(25_000, step * 4_000):,} rows deleted" for step in range(1, 8)
    ]
    assert await rows_of(owned, tenant) == {}
