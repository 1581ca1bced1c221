"""Hundreds of units of work of many tenants on two connections never see one another's rows."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.engine import Database
from tests.integration.messaging.bench import Bench

UNITS = 500
TENANTS = [f"tenant-{number}" for number in range(25)]


class GivenUpError(Exception):
    """What a unit of work throws in the middle."""


@pytest.fixture
async def database(bench: Bench) -> AsyncIterator[Database]:
    made = Database.connect(bench.settings.url(), application="test", pool_size=2)
    yield made
    await made.close()


class Units:
    """Units of work that add a row of their own and look at all they see."""

    def __init__(self, bench: Bench, database: Database, seed: int) -> None:
        self._bench = bench
        self._database = database
        self._dice = random.Random(seed)  # noqa: S311 - repeats a test, guards nothing
        self.looked = 0
        self.committed: dict[str, set[int]] = {tenant: set() for tenant in TENANTS}

    async def unit(self, number: int) -> None:
        """One unit: some give up, some are cancelled while they hold a connection."""
        tenants = self._dice.sample(TENANTS, self._dice.choice((1, 1, 1, 2)))
        fate = self._dice.choice(("commits", "commits", "commits", "gives up", "is cancelled"))
        work = self._work(number, tenants, gives_up=fate == "gives up")
        if fate == "is cancelled":
            with suppress(TimeoutError):
                async with asyncio.timeout(self._dice.uniform(0, 0.3)):
                    await work
            return
        with suppress(GivenUpError):
            await work

    async def _work(self, number: int, tenants: list[str], *, gives_up: bool) -> None:
        async with self._database.transaction(tenants) as connection:
            assert await self._seen(connection) <= set(tenants)
            await connection.execute(
                self._bench.handled_table.insert().values(
                    tenant_id=tenants[0], topic="t", partition=0, kafka_offset=number, version=1
                )
            )
            await asyncio.sleep(self._dice.uniform(0, 0.004))
            found = await self._seen(connection)
            assert tenants[0] in found
            assert found <= set(tenants)
            self.looked += 1
            if gives_up:
                raise GivenUpError
        self.committed[tenants[0]].add(number)

    async def _seen(self, connection: AsyncConnection) -> set[str]:
        statement = text(f"SELECT DISTINCT tenant_id FROM {self._bench.schema}.handled")
        return set((await connection.scalars(statement)).all())


@pytest.mark.parametrize("seed", [20251009])
async def test_interleaved_units_of_work_see_their_own_tenants_only(
    bench: Bench, database: Database, seed: int
) -> None:
    units = Units(bench, database, seed)
    await asyncio.gather(*(units.unit(number) for number in range(UNITS)))
    assert units.looked > UNITS // 2
    for tenant in TENANTS:
        async with database.transaction({tenant}) as connection:
            statement = text(f"SELECT kafka_offset FROM {bench.schema}.handled")
            kept = set((await connection.scalars(statement)).all())
        assert units.committed[tenant] <= kept, tenant


async def test_a_binding_for_the_whole_session_would_be_noticed(
    bench: Bench, database: Database
) -> None:
    """The test above sees what it must: with the binding left behind, others are seen."""
    async with database.transaction({"a"}) as connection:
        await connection.execute(
            bench.handled_table.insert().values(
                tenant_id="a", topic="t", partition=0, kafka_offset=0, version=0
            )
        )
        await connection.execute(text("SET SESSION app.tenants = 'a'"))
    units = Units(bench, database, 1)
    async with database.transaction() as connection:
        assert await units._seen(connection) == {"a"}
