"""Relay, tick and metrics may do what their work needs, and nothing else."""

from collections.abc import Mapping

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL

from shared.db.migrate import SERVICES
from tests.integration.db.schemas import SCHEMAS
from tests.integration.messaging.bench import owner
from tests.support.stack import Stack

RELAY = {
    "outbox": {"SELECT", "DELETE"},
    "dead_letters": {"INSERT"},
    "relay_holders": {"SELECT", "INSERT", "UPDATE"},
    "erased_tenants": {"SELECT"},
}
TICK = {"erased_tenants": {"SELECT"}}
METRICS = {"outbox": {"SELECT"}, "dead_letters": {"SELECT"}, "erased_tenants": {"SELECT"}}
OWN = {
    "erased_tenants": {"SELECT"},
    "outbox": {"INSERT"},
    "inbox": {"SELECT", "INSERT"},
    "dead_letters": {"SELECT", "INSERT", "UPDATE"},
    "relay_holders": {"SELECT"},
}
MESSAGING = frozenset(OWN)
Privileges = dict[str, set[str]]


async def privileges(stack: Stack, service: str, suffix: str) -> Privileges:
    """What the role may do, by table of its service's schema."""
    statement = text(
        "SELECT c.relname, p.name FROM pg_class c, unnest(CAST(:names AS text[])) AS p(name)"
        " WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind IN ('r', 'p')"
        " AND has_table_privilege(:role, c.oid, p.name)"
    )
    names = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]
    parameters = {"names": names, "schema": service, "role": f"onelead_{service}{suffix}"}
    found: Privileges = {}
    async with owner(stack) as connection:
        for table, privilege in await connection.execute(statement, parameters):
            found.setdefault(table, set()).add(privilege)
    return found


def only(found: Privileges, tables: frozenset[str]) -> Privileges:
    return {table: may for table, may in found.items() if table in tables}


@pytest.mark.parametrize("service", SERVICES)
async def test_a_relay_reads_and_empties_the_outbox_and_touches_no_data(
    migrated: Stack, service: str
) -> None:
    assert await privileges(migrated, service, "_relay") == RELAY


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("suffix", ["_tick", "_metrics"])
async def test_ticks_and_metrics_only_look(migrated: Stack, service: str, suffix: str) -> None:
    found = await privileges(migrated, service, suffix)
    assert all(may == {"SELECT"} for may in found.values())
    assert only(found, MESSAGING) == (METRICS if suffix == "_metrics" else TICK)


LOOKED_AT = {
    ("ingest", "_tick"): {"tenants", "batches"},
    ("ingest", "_metrics"): set(),
    ("scoring", "_tick"): {"rescoring", "tenants"},
    ("scoring", "_metrics"): {"accounts", "leads"},
    ("recommender", "_tick"): {"queue"},
    ("recommender", "_metrics"): {"families", "scored"},
    ("notifier", "_tick"): {"deliveries", "digests", "enrolments"},
    ("notifier", "_metrics"): {"deliveries", "sinks"},
    ("lifecycle", "_tick"): {"statuses"},
    ("lifecycle", "_metrics"): set(),
}


@pytest.mark.parametrize(("service", "suffix"), LOOKED_AT)
async def test_ticks_and_metrics_look_at_what_their_work_needs(
    migrated: Stack, service: str, suffix: str
) -> None:
    found = await privileges(migrated, service, suffix)
    assert found.keys() - MESSAGING == LOOKED_AT[service, suffix]


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_writes_its_messages_and_cannot_take_them_back(
    migrated: Stack, service: str
) -> None:
    found = await privileges(migrated, service, "")
    assert only(found, MESSAGING) == OWN
    tables = {table.name for table in SCHEMAS[service].sorted_tables}
    assert set(found) == tables
    assert all(may <= {"SELECT", "INSERT", "UPDATE", "DELETE"} for may in found.values())


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("suffix", ["", "_relay", "_tick", "_metrics"])
async def test_no_role_is_more_than_a_login(migrated: Stack, service: str, suffix: str) -> None:
    statement = text(
        "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication, rolcanlogin,"
        " EXISTS (SELECT FROM pg_class WHERE relowner = r.oid) AS owns,"
        " EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid) AS belongs,"
        " has_schema_privilege(r.rolname, :schema, 'CREATE') AS may_create"
        " FROM pg_roles r WHERE rolname = :role"
    )
    parameters = {"schema": service, "role": f"onelead_{service}{suffix}"}
    async with owner(migrated) as connection:
        row = (await connection.execute(statement, parameters)).one()
    assert row._asdict() == {
        "rolsuper": False,
        "rolbypassrls": False,
        "rolcreatedb": False,
        "rolcreaterole": False,
        "rolreplication": False,
        "rolcanlogin": True,
        "owns": False,
        "belongs": False,
        "may_create": False,
    }


def test_every_service_has_an_address(role_urls: Mapping[str, URL]) -> None:
    assert set(role_urls) == set(SERVICES) == set(SCHEMAS)
