"""Refuses to run with a role that sees or does more than its part of a service needs.

Reads PostgreSQL's catalogue with the role itself; a service asks it of each of its four logins.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import Row, text

from shared.db.engine import Database
from shared.db.erasure import ERASED_TENANTS
from shared.errors import UserError

_LOOKS = frozenset({"SELECT"})
_OF_DATA: Mapping[str, Collection[str]] = {
    "": frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"}),
    "_relay": frozenset(),
    "_tick": _LOOKS,
    "_metrics": _LOOKS,
}
"""What each login may do with a table of the service's data, at most."""
_OF_MESSAGING: Mapping[str, Mapping[str, Collection[str]]] = {
    "outbox": {"": {"INSERT"}, "_relay": {"SELECT", "DELETE"}, "_metrics": _LOOKS},
    "inbox": {"": {"SELECT", "INSERT"}},
    "dead_letters": {
        "": {"SELECT", "INSERT", "UPDATE"},
        "_relay": {"INSERT"},
        "_metrics": _LOOKS,
    },
    "relay_holders": {"": _LOOKS, "_relay": {"SELECT", "INSERT", "UPDATE"}},
    ERASED_TENANTS: dict.fromkeys(("", "_relay", "_tick", "_metrics"), _LOOKS),
}
_PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
_OF_COLUMNS = ("SELECT", "INSERT", "UPDATE", "REFERENCES")

_SEEN = text(
    """
    WITH relations AS (
        SELECT c.*, n.nspname, EXISTS (
            SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id') AS tenants
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm') AND c.relname <> 'alembic_version'),
    ours AS (SELECT * FROM relations WHERE nspname = :schema),
    rights AS (
        SELECT c.nspname, c.tenants, c.relname::text AS name, p.name AS privilege
        FROM relations c, unnest(CAST(:privileges AS text[])) AS p(name)
        WHERE has_table_privilege(c.oid, p.name)
           OR (p.name = ANY(CAST(:of_columns AS text[])) AND has_any_column_privilege(c.oid, p.name)))
    SELECT r.rolname, r.rolsuper AS superuser, r.rolbypassrls AS bypasses,
           EXISTS (SELECT FROM ours c WHERE pg_has_role(r.rolname, c.relowner, 'MEMBER')) AS owns,
           ARRAY(SELECT m.roleid::regrole::text FROM pg_auth_members m
                 WHERE m.member = r.oid ORDER BY 1) AS belongs_to,
           ARRAY(SELECT c.relname::text FROM ours c
                 WHERE CASE WHEN c.relkind IN ('r', 'p')
                            THEN NOT (c.relrowsecurity AND c.relforcerowsecurity)
                            ELSE NOT coalesce(c.reloptions, '{}') @> '{security_invoker=true}' END
                 ORDER BY 1) AS unprotected,
           ARRAY(SELECT c.relname::text FROM ours c
                 WHERE c.relkind IN ('r', 'p') AND c.relname <> :marks
                   AND EXISTS (SELECT FROM ours WHERE relname = :marks)
                   AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid
                                   AND p.polname = 'erased' AND NOT p.polpermissive
                                   AND p.polcmd = '*' AND r.oid = ANY(p.polroles))
                 ORDER BY 1) AS reviving,
           ARRAY(SELECT c.relname || ': ' || p.polname FROM ours c JOIN pg_policy p ON p.polrelid = c.oid
                 WHERE p.polpermissive AND p.polroles && ARRAY[r.oid, 0::oid]
                   AND coalesce(pg_get_expr(coalesce(p.polqual, p.polwithcheck), c.oid), '')
                       NOT LIKE '%app.tenants%'
                 ORDER BY 1) AS across,
           ARRAY(SELECT ARRAY[name, privilege] FROM rights WHERE nspname = :schema ORDER BY 1) AS may,
           ARRAY(SELECT DISTINCT nspname || '.' || name FROM rights
                 WHERE tenants AND nspname <> :schema ORDER BY 1) AS elsewhere
    FROM pg_roles r WHERE r.rolname = current_user
    """
)


async def refuse_a_role_that_sees_too_much(
    database: Database, schema: str, suffix: str = ""
) -> None:
    """Raises UserError when the login of a service's part could see or do more than that part needs.

    `suffix` says which part: none for the service itself, `_relay`, `_tick` or `_metrics`.
    """
    parameters = {
        "schema": schema,
        "marks": ERASED_TENANTS,
        "privileges": list(_PRIVILEGES),
        "of_columns": list(_OF_COLUMNS),
    }
    async with database.transaction() as connection:
        row = (await connection.execute(_SEEN, parameters)).one()
    if problems := list(_problems(row, schema, suffix)):
        raise UserError(
            f"database role {row.rolname} {' and '.join(problems)}: it could see or do too much",
            hint=f"set ONELEAD_DATABASE_URL to the role onelead_{schema} that `onelead migrate` creates",
        )


def _problems(row: Row[Any], schema: str, suffix: str) -> Iterator[str]:
    """What is wrong with the role, in words."""
    if row.superuser:
        yield "is a superuser"
    if row.bypasses:
        yield "has BYPASSRLS"
    if row.owns:
        yield f"owns tables of schema {schema}"
    if row.belongs_to:
        yield f"is a member of {row.belongs_to}"
    if row.unprotected:
        yield f"meets tables or views that row-level security does not guard: {row.unprotected}"
    if row.reviving:
        yield f"meets tables to which an erased tenant could come back: {row.reviving}"
    if row.across and not suffix:
        yield f"is let across tenants by policies: {row.across}"
    if excess := [f"{name}: {what}" for name, what in row.may if not _needs(suffix, name, what)]:
        yield f"may do what its part never does: {excess}"
    if row.elsewhere:
        yield f"meets tenants' tables of other schemas: {row.elsewhere}"


def _needs(suffix: str, table: str, privilege: str) -> bool:
    of_messaging = _OF_MESSAGING.get(table)
    if of_messaging is not None:
        return privilege in of_messaging.get(suffix, ())
    return privilege in _OF_DATA[suffix]
