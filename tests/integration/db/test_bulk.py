"""One statement for many rows: what is written, what a guard holds back, what comes back."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db import bulk
from tests.integration.messaging.bench import Bench, owner

KEY = ("tenant_id", "id")


@pytest.fixture
async def connection(bench: Bench) -> AsyncIterator[AsyncConnection]:
    async with owner(bench.stack) as opened:
        yield opened


@pytest.fixture
async def table(bench: Bench, connection: AsyncConnection) -> Table:
    """A column of every type that our tables have."""
    made = Table(
        "things",
        MetaData(schema=bench.schema),
        Column("tenant_id", Text, primary_key=True),
        Column("id", BigInteger, primary_key=True),
        Column("version", Integer),
        Column("name", Text),
        Column("document", JSONB),
        Column("amount", Numeric),
        Column("price", Numeric(14, 2)),
        Column("day", Date),
        Column("moment", DateTime(timezone=True)),
        Column("small", SmallInteger),
        Column("flag", Boolean),
        Column("raw", LargeBinary),
    )
    await connection.run_sync(made.create)
    return made


def thing(number: int, version: int = 1, **changes: Any) -> dict[str, Any]:
    return {"tenant_id": "a", "id": number, "version": version, "name": f"n{version}"} | changes


async def stored(connection: AsyncConnection, table: Table) -> list[dict[str, Any]]:
    rows = await connection.execute(text(f"SELECT * FROM {table} ORDER BY id"))
    return [dict(row) for row in rows.mappings()]


async def versions(connection: AsyncConnection, table: Table) -> dict[int, int]:
    return {row["id"]: row["version"] for row in await stored(connection, table)}


async def test_values_of_every_type_come_back_as_written(
    connection: AsyncConnection, table: Table
) -> None:
    row = thing(
        1,
        name="Ünï \"'{},\\ 漢",
        document={"a": [1, None, "x"], "b": {"c": 1.5}},
        amount=Decimal("1234567890.123456789"),
        price=Decimal("10.25"),
        day=date(2025, 10, 9),
        moment=datetime(2025, 10, 9, 1, 2, 3, 456, tzinfo=UTC),
        small=-7,
        flag=False,
        raw=b"\0\xff",
    )
    await bulk.upsert(connection, table, [row], key=KEY)
    [found] = await stored(connection, table)
    assert found == row


async def test_none_is_stored_as_null_in_every_type(
    connection: AsyncConnection, table: Table
) -> None:
    empty = {column.name: None for column in table.columns if column.name not in KEY}
    rows = [{"tenant_id": "a", "id": 1} | empty, {"tenant_id": "a", "id": 2} | empty]
    await bulk.upsert(connection, table, rows, key=KEY)
    for found in await stored(connection, table):
        assert {name: found[name] for name in empty} == empty
    nulls = text(f"SELECT count(*) FROM {table} WHERE document IS NULL")
    assert await connection.scalar(nulls) == 2


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"a": 1}, {"a": 1}),
        (b'{"a":1}', {"a": 1}),
        ([1, "x", None], [1, "x", None]),
        ([], []),
        ({}, {}),
        ("text", "text"),
        (b"null", None),
        (0, 0),
    ],
    ids=repr,
)
async def test_a_json_column_takes_objects_and_encoded_bytes(
    connection: AsyncConnection, table: Table, given: Any, wanted: Any
) -> None:
    await bulk.upsert(connection, table, [thing(1, document=given)], key=KEY)
    assert (await stored(connection, table))[0]["document"] == wanted


@pytest.mark.parametrize("given", [{"a": 10**20}, b'{"a":100000000000000000000}'], ids=repr)
async def test_an_integer_that_would_be_read_back_as_another_is_not_stored(
    connection: AsyncConnection, table: Table, given: Any
) -> None:
    with pytest.raises((TypeError, ValueError), match="64"):
        await bulk.upsert(connection, table, [thing(1, document=given)], key=KEY)
    assert await stored(connection, table) == []


async def test_no_rows_are_no_statement(connection: AsyncConnection, table: Table) -> None:
    assert await bulk.upsert(connection, table, [], key=KEY, returning="id") == ()
    await bulk.insert(connection, table, [])
    assert await stored(connection, table) == []


async def test_without_a_guard_what_exists_is_replaced(
    connection: AsyncConnection, table: Table
) -> None:
    await bulk.upsert(connection, table, [thing(1, 5), thing(2, 5)], key=KEY)
    await bulk.upsert(connection, table, [thing(2, 3), thing(3, 3)], key=KEY)
    assert await versions(connection, table) == {1: 5, 2: 3, 3: 3}


async def test_a_guard_lets_only_what_it_holds_for_through_and_tells_what_was_written(
    connection: AsyncConnection, table: Table
) -> None:
    async def put(*rows: dict[str, Any]) -> list[int]:
        written: Sequence[Any] = await bulk.upsert(
            connection,
            table,
            rows,
            key=KEY,
            guard="held.version < excluded.version",
            returning="id",
        )
        return sorted(row.id for row in written)

    assert await put(thing(1, 5), thing(2, 5)) == [1, 2]
    assert await put(thing(1, 4), thing(2, 6), thing(3, 1)) == [2, 3]
    assert await put(thing(2, 6), thing(1, 5)) == []
    assert await versions(connection, table) == {1: 5, 2: 6, 3: 1}


async def test_nothing_leaves_what_exists_alone_even_twice_in_one_statement(
    connection: AsyncConnection, table: Table
) -> None:
    rows = [thing(2, 1), thing(1, 1), thing(1, 2)]
    first = await bulk.upsert(connection, table, rows, key=KEY, guard="nothing", returning="id")
    assert sorted(row.id for row in first) == [1, 2]
    again = await bulk.upsert(connection, table, rows, key=KEY, guard="nothing", returning="id")
    assert list(again) == []
    assert set(await versions(connection, table)) == {1, 2}


async def test_insert_keeps_the_order_given(bench: Bench, connection: AsyncConnection) -> None:
    rows: list[dict[str, Any]] = [
        {
            "tenant_id": "a",
            "shard": 0,
            "topic": "t",
            "key": f"k{n}",
            "headers": {},
            "body": None,
        }
        for n in (3, 1, 2, 9, 0)
    ]
    outbox = bench.metadata.tables[f"{bench.schema}.outbox"]
    await bulk.insert(connection, outbox, rows)
    keys = await connection.scalars(text(f"SELECT key FROM {outbox} ORDER BY id"))
    assert list(keys) == ["k3", "k1", "k2", "k9", "k0"]


async def test_ten_thousand_rows_are_one_statement(
    connection: AsyncConnection, table: Table
) -> None:
    rows = [thing(n) for n in range(10_000)]
    written = await bulk.upsert(connection, table, rows, key=KEY, returning="id")
    assert len(written) == 10_000
