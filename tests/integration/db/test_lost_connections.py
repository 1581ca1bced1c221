"""What a session had locked is free again although the server was never told that its client is gone."""

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from shared.db import engine
from shared.db.engine import Database
from shared.messaging.errors import is_transient
from tests.faults.proxy import half_open
from tests.integration.messaging.bench import Bench
from tests.support.linked_postgres import linked_postgres

_LOCK = text("SELECT pg_advisory_xact_lock(4711)")


async def test_a_transaction_nobody_hears_of_any_more_gives_its_locks_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "ABANDONED_AFTER_S", 2.0)
    near = Database.connect(bench.settings.url(), application="near", pool_size=1)
    async with linked_postgres(bench.settings.database_url) as (link, url):
        far = Database.connect(make_url(url), application="far", pool_size=1)
        lost = await far.engine.connect()
        await lost.execute(_LOCK)
        await link.set(half_open())
        async with near.transaction() as connection:
            await connection.execute(_LOCK)
    await lost.invalidate()
    await lost.close()
    await far.close()
    await near.close()


async def test_a_handler_that_was_silent_for_too_long_tries_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "ABANDONED_AFTER_S", 0.2)
    database = Database.connect(bench.settings.url(), application="slow", pool_size=1)
    other = Database.connect(bench.settings.url(), application="next", pool_size=1)
    connection = await database.engine.connect()
    await connection.execute(_LOCK)
    async with other.transaction() as next_in_line:
        await next_in_line.execute(_LOCK)
    with pytest.raises(DBAPIError) as raised:
        await connection.execute(text("SELECT 1"))
    await connection.close()
    assert is_transient(raised.value)
    async with database.transaction() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1
    await other.close()
    await database.close()
