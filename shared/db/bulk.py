"""One statement for many rows: INSERT … SELECT FROM unnest(…) built from a table's own columns.

COPY is refused on tables under row-level security, and a statement per row is ten times slower.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Row, Table, TextClause, text
from sqlalchemy.dialects.postgresql import JSONB, dialect
from sqlalchemy.ext.asyncio import AsyncConnection

_DIALECT = dialect()  # type: ignore[no-untyped-call]
_AS_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG_NUMBER = b"0" * 19
_IN_64_BITS = range(-(2**63), 2**64)


def _array_type(table: Table, column: str) -> str:
    kind = table.c[column].type
    return "text" if isinstance(kind, JSONB) else str(kind.compile(dialect=_DIALECT)).lower()


def _selected(table: Table, column: str) -> str:
    return f"{column}::jsonb" if isinstance(table.c[column].type, JSONB) else column


@lru_cache(maxsize=256)
def _statement(
    table: Table, columns: tuple[str, ...], key: tuple[str, ...], guard: str, returning: str
) -> TextClause:
    arrays = ", ".join(f"CAST(:{c} AS {_array_type(table, c)}[])" for c in columns)
    picked = ", ".join(_selected(table, c) for c in columns)
    changed = [c for c in columns if c not in key]
    name = f"{table.schema}.{table.name}"
    # The names come from our own table definitions, never from data.
    lines = [
        f"INSERT INTO {name} AS held ({', '.join(columns)})",
        f"SELECT {picked} FROM unnest({arrays}) AS rows({', '.join(columns)})",
        f"ORDER BY {', '.join(key)}" if key else "",
    ]
    if key and changed and guard != "nothing":
        updates = ", ".join(f"{c} = excluded.{c}" for c in changed)
        lines.append(f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {updates}")
        lines.append(f"WHERE {guard}" if guard else "")
    elif key:
        lines.append(f"ON CONFLICT ({', '.join(key)}) DO NOTHING")
    lines.append(f"RETURNING {returning}" if returning else "")
    return text("\n".join(line for line in lines if line))


def _column_values(table: Table, column: str, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    if isinstance(table.c[column].type, JSONB):
        return [None if r[column] is None else _json_text(r[column]) for r in rows]
    return [r[column] for r in rows]


def _json_text(value: Any) -> str:
    if not isinstance(value, bytes):
        return orjson.dumps(value).decode()  # refuses what 64 bits cannot hold by itself
    if _LONG_NUMBER in value.translate(_AS_ZEROS):
        json.loads(value, parse_int=_read_back_exactly)
    return value.decode()


def _read_back_exactly(digits: str) -> int:
    """PostgreSQL would keep a longer integer, but it is read back as a float, which is none."""
    if int(digits) not in _IN_64_BITS:
        raise ValueError("an integer that 64 bits cannot hold cannot be stored")
    return int(digits)


async def upsert(
    connection: AsyncConnection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    key: Collection[str],
    guard: str = "",
    returning: str = "",
) -> Sequence[Row[Any]]:
    """Inserts rows in key order, updating those that exist.

    `guard` is a condition on `held` (the stored row) and `excluded` (the new one) that lets an update
    through; "nothing" never updates. JSON columns take an object or its encoded bytes. Returns the
    rows written, as `returning` names their columns. Raises ValueError or TypeError for an integer in
    JSON that 64 bits cannot hold.
    """
    if not rows:
        return ()
    columns = tuple(rows[0])
    statement = _statement(table, columns, tuple(key), guard, returning)
    parameters = {c: _column_values(table, c, rows) for c in columns}
    result = await connection.execute(statement, parameters)
    return result.all() if returning else ()


async def insert(
    connection: AsyncConnection, table: Table, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Inserts rows in the order given."""
    await upsert(connection, table, rows, key=())
