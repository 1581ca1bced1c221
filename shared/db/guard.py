"""Refuses to run with a role that row-level security would not hold back."""

from sqlalchemy import text

from shared.db.engine import Database
from shared.errors import UserError

_TOO_MUCH = text(
    """
    SELECT r.rolname,
           r.rolsuper AS superuser,
           r.rolbypassrls AS bypasses,
           EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE n.nspname = :schema AND pg_has_role(r.rolname, c.relowner, 'MEMBER')) AS owns,
           ARRAY(SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = :schema AND c.relname <> 'alembic_version'
                   AND CASE WHEN c.relkind IN ('r', 'p')
                            THEN NOT (c.relrowsecurity AND c.relforcerowsecurity)
                            WHEN c.relkind IN ('v', 'm')
                            THEN NOT coalesce(c.reloptions, '{}') @> '{security_invoker=true}'
                            ELSE false END
                 ORDER BY 1) AS unprotected
    FROM pg_roles r WHERE r.rolname = current_user
    """
)


async def refuse_a_role_that_sees_too_much(database: Database, schema: str) -> None:
    """Raises UserError when the role is a superuser, an owner, bypasses or finds tables unprotected."""
    async with database.transaction() as connection:
        row = (await connection.execute(_TOO_MUCH, {"schema": schema})).one()
    problems = []
    if row.superuser:
        problems.append("is a superuser")
    if row.bypasses:
        problems.append("has BYPASSRLS")
    if row.owns:
        problems.append(f"owns tables of schema {schema}")
    if row.unprotected:
        problems.append(
            f"meets tables or views that row-level security does not guard: {row.unprotected}"
        )
    if problems:
        raise UserError(
            f"database role {row.rolname} {' and '.join(problems)}: it could see every tenant",
            hint=f"set ONELEAD_DATABASE_URL to the role onelead_{schema} that `onelead migrate` creates",
        )
