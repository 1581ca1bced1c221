"""A service does not start with a role that row-level security would not hold back."""

from collections.abc import Callable, Mapping
from functools import partial

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL, make_url

from shared.db.engine import Database
from shared.db.guard import refuse_a_role_that_sees_too_much
from shared.db.migrate import SERVICES
from shared.db.protection import ROLE_SUFFIXES, create_erased_tenants
from shared.errors import UserError
from tests.integration.messaging.bench import Bench, owner


async def check(url: URL, schema: str, suffix: str = "") -> None:
    database = Database.connect(url, application="test", pool_size=1)
    try:
        await refuse_a_role_that_sees_too_much(database, schema, suffix)
    finally:
        await database.close()


async def change(bench: Bench, *statements: str) -> None:
    async with owner(bench.stack) as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def change_in_migration(bench: Bench, make: Callable[[], None]) -> None:
    def run(connection: Connection) -> None:
        with Operations.context(MigrationContext.configure(connection)):
            make()

    async with owner(bench.stack) as connection:
        await connection.run_sync(run)


async def refusal(bench: Bench, url: URL | None = None, *, suffix: str = "") -> str:
    with pytest.raises(UserError) as refused:
        await check(url or bench.settings.url(suffix), bench.schema, suffix)
    assert f"onelead_{bench.schema}" in (refused.value.hint or "")
    return refused.value.message


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("suffix", ROLE_SUFFIXES)
async def test_each_login_of_a_service_may_run(
    all_role_urls: Mapping[tuple[str, str], URL], service: str, suffix: str
) -> None:
    await check(all_role_urls[service, suffix], service, suffix)


@pytest.mark.parametrize("suffix", ["_relay", "_tick", "_metrics"])
async def test_a_login_that_looks_across_tenants_is_refused_as_the_services_own(
    all_role_urls: Mapping[tuple[str, str], URL], suffix: str
) -> None:
    with pytest.raises(UserError, match="is let across tenants"):
        await check(all_role_urls["scoring", suffix], "scoring")


@pytest.mark.parametrize("suffix", ROLE_SUFFIXES)
@pytest.mark.parametrize("privilege", ["TRUNCATE", "TRIGGER", "REFERENCES"])
async def test_what_goes_round_row_level_security_is_refused(
    bench: Bench, suffix: str, privilege: str
) -> None:
    role = f"onelead_{bench.schema}{suffix}"
    await change(bench, f"GRANT {privilege} ON {bench.schema}.handled TO {role}")
    assert f"handled: {privilege}" in await refusal(bench, suffix=suffix)


@pytest.mark.parametrize(
    ("suffix", "table", "privilege"),
    [
        ("", "outbox", "SELECT"),
        ("", "inbox", "DELETE"),
        ("_relay", "handled", "SELECT"),
        ("_relay", "dead_letters", "SELECT"),
        ("_relay", "outbox", "UPDATE"),
        ("_tick", "handled", "UPDATE"),
        ("_tick", "outbox", "SELECT"),
        ("_tick", "dead_letters", "SELECT"),
        ("_metrics", "handled", "DELETE"),
        ("_metrics", "inbox", "SELECT"),
    ],
)
async def test_a_login_that_may_do_more_than_its_part_is_refused(
    bench: Bench, suffix: str, table: str, privilege: str
) -> None:
    role = f"onelead_{bench.schema}{suffix}"
    await change(bench, f"GRANT {privilege} ON {bench.schema}.{table} TO {role}")
    assert f"{table}: {privilege}" in await refusal(bench, suffix=suffix)


async def test_a_right_on_a_single_column_counts_too(bench: Bench) -> None:
    role = f"onelead_{bench.schema}_relay"
    await change(bench, f"GRANT SELECT (tenant_id) ON {bench.schema}.handled TO {role}")
    assert "handled: SELECT" in await refusal(bench, suffix="_relay")


async def test_a_right_that_everybody_has_counts_too(bench: Bench) -> None:
    await change(bench, f"GRANT SELECT ON {bench.schema}.handled TO PUBLIC")
    assert "handled: SELECT" in await refusal(bench, suffix="_relay")


async def test_a_member_of_another_login_is_refused(bench: Bench) -> None:
    """It would be let across tenants by what the other is allowed."""
    role = f"onelead_{bench.schema}"
    await change(bench, f"GRANT {role}_metrics TO {role}")
    assert "is a member of" in await refusal(bench)


async def test_a_policy_across_tenants_for_the_service_is_refused(bench: Bench) -> None:
    await change(bench, f"CREATE POLICY wide ON {bench.schema}.handled USING (true)")
    assert "handled: wide" in await refusal(bench)


async def test_a_login_that_meets_another_schemas_tenants_is_refused(bench: Bench) -> None:
    role = f"onelead_{bench.schema}"
    await change(bench, f"GRANT SELECT ON scoring.leads TO {role}")
    try:
        assert "scoring.leads" in await refusal(bench)
    finally:
        await change(bench, f"REVOKE SELECT ON scoring.leads FROM {role}")


async def test_a_table_to_which_an_erased_tenant_could_come_back_is_named(bench: Bench) -> None:
    await change_in_migration(bench, partial(create_erased_tenants, bench.schema))
    await check(bench.settings.url(), bench.schema)
    await change(bench, f"DROP POLICY erased ON {bench.schema}.handled")
    assert "could come back: ['handled']" in await refusal(bench)


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
