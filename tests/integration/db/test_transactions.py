"""A transaction is bound to its tenants, and nothing of that survives in the pool."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.db.engine import Database
from tests.integration.messaging.bench import Bench


@pytest.fixture
async def database(bench: Bench) -> AsyncIterator[Database]:
    """A pool of one connection: whatever leaked would be met again."""
    made = Database.connect(bench.settings.url(), application="test", pool_size=1)
    for number, tenant in enumerate(("a", "b", "c")):
        async with made.transaction({tenant}) as connection:
            await connection.execute(
                bench.handled_table.insert().values(
                    tenant_id=tenant, topic="t", partition=0, kafka_offset=0, version=number
                )
            )
    yield made
    await made.close()


async def visible(database: Database, bench: Bench, *tenants: str) -> list[str]:
    async with database.transaction(tenants) as connection:
        found = await connection.scalars(
            text(f"SELECT tenant_id FROM {bench.schema}.handled ORDER BY 1")
        )
        return list(found)


async def test_nothing_is_seen_without_tenants(database: Database, bench: Bench) -> None:
    assert await visible(database, bench) == []


async def test_two_tenants_are_both_seen_in_one_transaction(
    database: Database, bench: Bench
) -> None:
    assert await visible(database, bench, "b", "a") == ["a", "b"]


async def test_the_next_transaction_on_the_same_connection_begins_without_tenants(
    database: Database, bench: Bench
) -> None:
    assert await visible(database, bench, "a") == ["a"]
    assert await visible(database, bench) == []
    assert await visible(database, bench, "b") == ["b"]


async def test_a_transaction_that_failed_leaves_no_tenants_either(
    database: Database, bench: Bench
) -> None:
    with pytest.raises(DBAPIError):
        await _fail(database)
    assert await visible(database, bench) == []


async def _fail(database: Database) -> None:
    async with database.transaction({"a", "b"}) as connection:
        await connection.execute(text("SELECT 1 / 0"))


async def test_what_fails_is_rolled_back_whole(database: Database, bench: Bench) -> None:
    with pytest.raises(KeyError):
        await _write_and_fail(database, bench)
    assert await visible(database, bench, "a") == ["a"]


async def _write_and_fail(database: Database, bench: Bench) -> None:
    async with database.transaction({"a"}) as connection:
        await connection.execute(text(f"DELETE FROM {bench.schema}.handled"))
        raise KeyError("no")


async def test_an_errors_text_holds_no_parameters(database: Database) -> None:
    statement = text("SELECT CAST(:n AS integer) / 0, CAST(:who AS text)")
    with pytest.raises(DBAPIError) as failed:
        async with database.transaction() as connection:
            await connection.execute(statement, {"n": 1, "who": "Iris Example"})
    assert "Iris" not in str(failed.value)
