"""Two tenants with something in every place: each table of the catalogue, each topic, a consumer group."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from sqlalchemy import Connection, MetaData, Table, insert, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from onelead.broker import create_missing_topics
from shared.db.engine import owner_engine
from shared.db.erasure import ERASED_TENANTS
from shared.db.migrate import SERVICES
from shared.messaging.codec import OutboxMessage
from shared.topics import TOPICS, dead_letter_of
from tests.integration.db.schemas import a_row
from tests.integration.messaging.bench import producing, send
from tests.support.stack import Stack

ERASING = text("SELECT set_config('app.erasing', :tenants, true)")


def a_name() -> str:
    """A tenant that no other test uses."""
    return f"t-{uuid.uuid4().hex[:12]}"


@asynccontextmanager
async def as_owner(owner_url: str, *tenants: str) -> AsyncIterator[AsyncConnection]:
    """A transaction of the owner of the tables, who meets these tenants."""
    engine = owner_engine(make_url(owner_url))
    try:
        async with engine.begin() as connection:
            await connection.execute(ERASING, {"tenants": ",".join(tenants)})
            yield connection
    finally:
        await engine.dispose()


def _reflected(connection: Connection) -> list[Table]:
    found = []
    for service in SERVICES:
        metadata = MetaData(schema=service)
        metadata.reflect(connection, schema=service)
        found += [table for table in metadata.sorted_tables if "tenant_id" in table.columns]
    return found


_TABLES: dict[str, list[Table]] = {}


async def tables_of(owner_url: str) -> list[Table]:
    """Every table with tenants' rows as the catalogue has it, the marks left out."""
    if owner_url not in _TABLES:
        async with as_owner(owner_url) as connection:
            found = await connection.run_sync(_reflected)
        _TABLES[owner_url] = [table for table in found if table.name != ERASED_TENANTS]
    return _TABLES[owner_url]


async def fill_tables(owner_url: str, tenants: Sequence[str], *, rows: int = 3) -> None:
    """Some rows of each tenant in every table."""
    tables = await tables_of(owner_url)
    async with as_owner(owner_url, *tenants) as connection:
        for tenant in tenants:
            for table in tables:
                many = range(rows if _holds_several(table) else 1)
                values = [_row(table, tenant, number) for number in many]
                await connection.execute(insert(table), values)


async def empty_tables(owner_url: str, tenants: Sequence[str]) -> None:
    """Takes the tenants' rows out again, so that no service's tick finds work in them."""
    async with as_owner(owner_url, *tenants) as connection:
        for table in await tables_of(owner_url):
            statement = text(f"DELETE FROM {table} WHERE tenant_id = ANY(:tenants)")
            await connection.execute(statement, {"tenants": list(tenants)})


def _holds_several(table: Table) -> bool:
    return len(table.primary_key.columns) != 1 or "tenant_id" not in table.primary_key.columns


def _row(table: Table, tenant: str, number: int) -> dict[str, Any]:
    """Rows that differ in every number of their key."""
    row = a_row(table, tenant)
    for column in table.primary_key.columns:
        if column.name in row and column.type.python_type is int:
            row[column.name] = number
    return row


async def rows_of(owner_url: str, tenant: str) -> dict[str, int]:
    """How many rows of the tenant each table has; empty tables are left out."""
    found = {}
    tables = await tables_of(owner_url)
    async with as_owner(owner_url, tenant) as connection:
        for table in tables:
            statement = text(f"SELECT count(*) FROM {table} WHERE tenant_id = :tenant")
            if count := await connection.scalar(statement, {"tenant": tenant}):
                found[str(table)] = int(count)
    return found


def message_of(tenant: str, topic: str, key: str = "", body: bytes = b"{}") -> OutboxMessage:
    """A message on an inner topic or a tenant's own."""
    headers = {"ce_tenant": tenant, "ce_subject": key.rpartition("|")[2]}
    return OutboxMessage(tenant, topic, key or f"{tenant}|a", headers, body)


async def fill_topics(stack: Stack, tenants: Sequence[str]) -> None:
    """Topics of their own, and a message of each tenant on every topic and dead-letter topic."""
    await create_missing_topics(stack.bootstrap, tenants)
    async with producing(stack) as producer:
        for tenant in tenants:
            for topic in TOPICS:
                name = topic.for_tenant(tenant)
                await send(producer, message_of(tenant, name))
                await send(producer, message_of(tenant, dead_letter_of(name)))


async def read_in_a_group(stack: Stack, topic: str, group: str) -> None:
    """A subscriber that has read the topic and is gone."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.bootstrap, group_id=group)
    await consumer.start()
    where = TopicPartition(topic, 0)
    consumer.assign([where])
    await consumer.commit({where: OffsetAndMetadata(1, "")})
    await consumer.stop()


@dataclass(frozen=True)
class World:
    """The one that is erased, and the other that must not notice."""

    stack: Stack
    gone: str
    stays: str
