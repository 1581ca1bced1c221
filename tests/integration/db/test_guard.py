"""A service does not start with a role that row-level security would not hold back."""

from collections.abc import Mapping

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url

from shared.db.engine import Database
from shared.db.guard import refuse_a_role_that_sees_too_much
from shared.db.migrate import SERVICES
from shared.errors import UserError
from tests.integration.messaging.bench import Bench, owner


async def check(url: URL, schema: str) -> None:
    database = Database.connect(url, application="test", pool_size=1)
    try:
        await refuse_a_role_that_sees_too_much(database, schema)
    finally:
        await database.close()


async def change(bench: Bench, *statements: str) -> None:
    async with owner(bench.stack) as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def refusal(bench: Bench, url: URL | None = None) -> str:
    with pytest.raises(UserError) as refused:
        await check(url or bench.settings.url(), bench.schema)
    assert f"onelead_{bench.schema}" in (refused.value.hint or "")
    return refused.value.message


@pytest.mark.parametrize("service", SERVICES)
async def test_each_services_own_role_may_run(role_urls: Mapping[str, URL], service: str) -> None:
    await check(role_urls[service], service)


async def test_a_superuser_is_refused(bench: Bench) -> None:
    await change(bench, f"ALTER ROLE onelead_{bench.schema} SUPERUSER")
    assert "is a superuser" in await refusal(bench)


async def test_the_owner_of_the_tables_is_refused(bench: Bench) -> None:
    assert "owns tables" in await refusal(bench, make_url(bench.stack.owner_url))


async def test_the_owner_of_one_table_is_refused(bench: Bench) -> None:
    await change(bench, f"ALTER TABLE {bench.schema}.handled OWNER TO onelead_{bench.schema}")
    assert "owns tables" in await refusal(bench)


async def test_a_member_of_the_owner_is_refused(bench: Bench) -> None:
    role, boss = f"onelead_{bench.schema}", f"onelead_{bench.schema}_tick"
    await change(
        bench, f"ALTER TABLE {bench.schema}.handled OWNER TO {boss}", f"GRANT {boss} TO {role}"
    )
    assert "owns tables" in await refusal(bench)


async def test_a_role_that_bypasses_row_level_security_is_refused(bench: Bench) -> None:
    await change(bench, f"ALTER ROLE onelead_{bench.schema} BYPASSRLS")
    assert "BYPASSRLS" in await refusal(bench)


@pytest.mark.parametrize("wall", ["NO FORCE", "DISABLE"])
async def test_a_table_without_the_whole_wall_is_named(bench: Bench, wall: str) -> None:
    await change(bench, f"ALTER TABLE {bench.schema}.handled {wall} ROW LEVEL SECURITY")
    assert "handled" in await refusal(bench)


@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED VIEW"])
async def test_a_view_that_shows_what_its_owner_may_see_is_named(bench: Bench, kind: str) -> None:
    schema = bench.schema
    await change(bench, f"CREATE {kind} {schema}.around AS SELECT * FROM {schema}.handled")
    assert "around" in await refusal(bench)


async def test_a_view_that_shows_what_the_asking_role_may_see_is_fine(bench: Bench) -> None:
    schema = bench.schema
    await change(
        bench,
        f"CREATE VIEW {schema}.fine WITH (security_invoker = true) AS SELECT 1 FROM {schema}.handled",
    )
    await check(bench.settings.url(), schema)
