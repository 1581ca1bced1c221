"""What a migration says about who may see a table: roles, grants and row-level security policies."""

from alembic import op

TENANT_POLICY = (
    "tenant_id = ANY ((SELECT string_to_array(current_setting('app.tenants', true), ','))::text[])"
)
ROLE_SUFFIXES = ("", "_relay", "_tick", "_metrics")


def create_roles(service: str) -> None:
    """The logins of a service: its own, its relay's, its tick's and its metrics'. None owns a table."""
    for suffix in ROLE_SUFFIXES:
        role = f"onelead_{service}{suffix}"
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


def allow(service: str, table: str, *, suffix: str, privileges: str) -> None:
    """Lets one of the service's other logins work on a table across tenants, with these privileges."""
    role = f"onelead_{service}{suffix}"
    op.execute(f"CREATE POLICY across{suffix} ON {service}.{table} TO {role} USING (true)")
    op.execute(f"GRANT {privileges} ON {service}.{table} TO {role}")
