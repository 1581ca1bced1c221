"""What the Alembic histories make is what each service's tables say."""

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text

from shared.db.migrate import SERVICES, upgrade
from tests.integration.db.schemas import SCHEMAS
from tests.integration.messaging.bench import owner
from tests.support.stack import Stack


def _differences(connection: Connection, service: str, metadata: MetaData) -> list[Any]:
    def ours(name: str | None, kind: str, parents: Any) -> bool:
        if kind == "schema":
            return name == service
        return not (kind == "table" and name == "alembic_version")

    options = {
        "include_schemas": True,
        "include_name": ours,
        "compare_type": True,
        "version_table_schema": service,
    }
    context = MigrationContext.configure(connection, opts=options)
    return list(compare_metadata(context, metadata))


@pytest.mark.parametrize("service", SERVICES)
async def test_the_history_makes_the_tables(migrated: Stack, service: str) -> None:
    async with owner(migrated) as connection:
        found = await connection.run_sync(_differences, service, SCHEMAS[service])
    assert found == []


@pytest.mark.parametrize("service", SERVICES)
async def test_every_table_is_under_forced_row_level_security(
    migrated: Stack, service: str
) -> None:
    statement = text(
        "SELECT relname FROM pg_class WHERE relnamespace = CAST(:schema AS regnamespace)"
        " AND relkind IN ('r', 'p') AND relname <> 'alembic_version'"
        " AND NOT (relrowsecurity AND relforcerowsecurity)"
    )
    async with owner(migrated) as connection:
        assert (await connection.scalars(statement, {"schema": service})).all() == []


@pytest.mark.parametrize("service", SERVICES)
async def test_every_view_is_seen_with_the_rights_of_who_asks(
    migrated: Stack, service: str
) -> None:
    statement = text(
        "SELECT relname FROM pg_class WHERE relnamespace = CAST(:schema AS regnamespace)"
        " AND relkind IN ('v', 'm') AND NOT coalesce(reloptions, '{}') @> '{security_invoker=true}'"
    )
    async with owner(migrated) as connection:
        assert (await connection.scalars(statement, {"schema": service})).all() == []


@pytest.mark.parametrize("service", SERVICES)
def test_migrating_again_changes_nothing(migrated: Stack, service: str) -> None:
    upgrade(migrated.owner_url, service)
