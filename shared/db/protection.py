"""What a migration says about who may see a table: roles, grants and row-level security policies."""

from alembic import op
from sqlalchemy import MetaData, text

from shared.db.erasure import ERASED_TENANTS, erased_tenants_table

TENANT_POLICY = (
    "tenant_id = ANY ((SELECT string_to_array(current_setting('app.tenants', true), ','))::text[])"
)
ROLE_SUFFIXES = ("", "_relay", "_tick", "_metrics")
_ERASING = (
    "tenant_id = ANY ((SELECT string_to_array(current_setting('app.erasing', true), ','))::text[])"
)


def create_roles(service: str) -> None:
    """The logins of a service: its own, its relay's, its tick's and its metrics'. None owns a table."""
    for role in _roles(service):
        op.execute(
            f"""
            DO $$ BEGIN
              IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
                CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
              END IF;
            END $$
            """
        )
        op.execute(f"GRANT USAGE ON SCHEMA {service} TO {role}")


def protect(
    service: str, table: str, *, privileges: str = "SELECT, INSERT, UPDATE, DELETE"
) -> None:
    """Forces row-level security on a table: the service's role meets its transaction's tenants only."""
    name = f"{service}.{table}"
    op.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON {name} TO onelead_{service}"
        f" USING ({TENANT_POLICY}) WITH CHECK ({TENANT_POLICY})"
    )
    op.execute(f"GRANT {privileges} ON {name} TO onelead_{service}")
    if table == ERASED_TENANTS or _exists(service, ERASED_TENANTS):
        _make_erasable(service, table)


def allow(service: str, table: str, *, suffix: str, privileges: str) -> None:
    """Lets one of the service's other logins work on a table across tenants, with these privileges."""
    role = f"onelead_{service}{suffix}"
    op.execute(f"CREATE POLICY across{suffix} ON {service}.{table} TO {role} USING (true)")
    op.execute(f"GRANT {privileges} ON {service}.{table} TO {role}")


def create_erased_tenants(service: str) -> None:
    """The marks of erased tenants, and what they mean to every table the service has by now."""
    tables = _tables(service)
    erased_tenants_table(MetaData(schema=service)).create(op.get_bind())
    protect(service, ERASED_TENANTS, privileges="SELECT")
    for suffix in ROLE_SUFFIXES[1:]:
        allow(service, ERASED_TENANTS, suffix=suffix, privileges="SELECT")
    for table in tables:
        _make_erasable(service, table)


def _make_erasable(service: str, table: str) -> None:
    """The owner meets the tenant that it says it is erasing; to the service that tenant is gone."""
    name = f"{service}.{table}"
    op.execute(
        f"CREATE POLICY erasing ON {name} TO CURRENT_USER USING ({_ERASING}) WITH CHECK ({_ERASING})"
    )
    if table == ERASED_TENANTS:
        return
    # An array of its own, made once for each statement: a look-up for each row would be slow.
    op.execute(
        f"CREATE POLICY erased ON {name} AS RESTRICTIVE TO {', '.join(_roles(service))}"
        f" USING (tenant_id <> ALL (ARRAY(SELECT gone.tenant_id FROM {service}.{ERASED_TENANTS} gone)))"
    )


def _roles(service: str) -> list[str]:
    return [f"onelead_{service}{suffix}" for suffix in ROLE_SUFFIXES]


def _exists(service: str, table: str) -> bool:
    found = op.get_bind().scalar(text("SELECT to_regclass(:name)"), {"name": f"{service}.{table}"})
    return found is not None


def _tables(service: str) -> list[str]:
    """The tables with tenants' rows."""
    statement = text(
        "SELECT c.relname FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'"
        " WHERE c.relnamespace = CAST(:schema AS regnamespace) AND c.relkind IN ('r', 'p') ORDER BY 1"
    )
    return list(op.get_bind().scalars(statement, {"schema": service}))
