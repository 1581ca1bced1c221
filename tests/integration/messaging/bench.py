"""A service of the tests' own: a schema with roles, topics, a handler that notes what it handled."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import NewTopic
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from onelead.broker import admin_client
from shared.db import bulk
from shared.db.engine import Database, owner_engine
from shared.db.protection import ROLE_SUFFIXES, create_roles, protect
from shared.events import DayDerived
from shared.messaging.codec import OutboxMessage, Received, encode
from shared.messaging.migration import create_messaging_tables
from shared.messaging.tables import (
    dead_letters_table,
    inbox_table,
    outbox_table,
    relay_holders_table,
)
from shared.ops.composition import Base
from shared.settings import ServiceSettings
from shared.topics import Topic, dead_letter_of
from tests.support.stack import Stack
from tests.support.waiting import wait_until

TENANT = "default"


@dataclass(frozen=True)
class Bench:
    """A schema and two topics that no other test uses; `start` puts a service on them."""

    stack: Stack
    schema: str
    settings: ServiceSettings
    metadata: MetaData
    topic: Topic
    output: str

    def base(self, **changes: Any) -> Base:
        """The parts of a service on this schema."""
        return Base.build(self.schema, self.settings.model_copy(update=changes), self.metadata)

    @property
    def handled_table(self) -> Table:
        return self.metadata.tables[f"{self.schema}.handled"]

    async def rows(
        self, table: str, order: str = "1", *, tenants: Sequence[str] = (TENANT,)
    ) -> Any:
        """The rows of a table: of these tenants, or of all where another role may see all."""
        suffix = {"outbox": "_relay", "dead_letters": "_metrics"}.get(table, "")
        database = Database.connect(self.settings.url(suffix), application="test", pool_size=1)
        statement = text(f"SELECT * FROM {self.schema}.{table} ORDER BY {order}")
        try:
            async with database.transaction(tenants) as connection:
                return (await connection.execute(statement)).all()
        finally:
            await database.close()

    async def fill(self, messages: Sequence[OutboxMessage]) -> None:
        """Commits messages to the outbox, as a handler does."""
        base = self.base()
        async with base.database.transaction({m.tenant_id for m in messages}) as connection:
            await base.outbox.add(connection, messages)
        await base.database.close()

    def message(self, number: int, **changes: Any) -> OutboxMessage:
        """A readable message; its number is its version, its key shows whose order it is."""
        event = DayDerived(version=number, as_of=changes.pop("as_of", "2025-10-09"))
        given = {
            "tenant_id": TENANT,
            "source": "/test",
            "subject": f"day-{number}",
            "topic": self.topic.name,
            "key": f"{TENANT}|{number % 5}",
        }
        return encode(event, **(given | changes))

    async def keep(self, connection: AsyncConnection, messages: Sequence[Received]) -> list[Any]:
        """Notes each message once; returns the positions that are new."""
        rows = [
            {
                "tenant_id": m.envelope.tenant_id,
                "topic": m.topic,
                "partition": m.partition,
                "kafka_offset": m.offset,
                "version": m.event.version if m.event else m.envelope.version,
            }
            for m in messages
        ]
        written = await bulk.upsert(
            connection,
            self.handled_table,
            rows,
            key=("tenant_id", "topic", "partition", "kafka_offset"),
            guard="nothing",
            returning="topic, partition, kafka_offset",
        )
        return list(written)


@asynccontextmanager
async def owner(stack: Stack) -> AsyncIterator[AsyncConnection]:
    """A transaction of the owner of the tables, on a connection of its own."""
    async with _owner_engine(stack.owner_url).begin() as connection:
        yield connection


@cache  # an engine asks the server about itself at its first connection
def _owner_engine(url: str) -> AsyncEngine:
    return owner_engine(make_url(url))


@asynccontextmanager
async def new_bench(
    stack: Stack, *, per_tenant: bool = False, partitions: int = 1
) -> AsyncIterator[Bench]:
    """A bench for the length of a block; its roles and tables go with it."""
    schema = f"t_{uuid.uuid4().hex[:10]}"
    metadata = metadata_of(schema)
    word = uuid.uuid4().hex
    async with owner(stack) as connection:
        await connection.execute(text(f"CREATE SCHEMA {schema}"))
        await connection.run_sync(_create, schema, metadata)
        for suffix in ROLE_SUFFIXES:
            await connection.execute(text(f"ALTER ROLE onelead_{schema}{suffix} PASSWORD '{word}'"))
    url = make_url(stack.owner_url).set(username=f"onelead_{schema}", password=word)
    topic = Topic(
        name=f"test.{schema}.v1",
        events=(DayDerived,),
        key="tenant",
        producer="the tenant" if per_tenant else "the test",
        consumers=(schema,),
        partitions=partitions,
        per_tenant=per_tenant,
    )
    output = f"test.{schema}.out"
    await create_topics(stack, topic.for_tenant(TENANT), partitions=partitions)
    await create_topics(stack, output)
    yield Bench(stack, schema, _settings(stack, url), metadata, topic, output)
    async with owner(stack) as connection:
        await connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        for suffix in ROLE_SUFFIXES:
            await connection.execute(text(f"DROP ROLE onelead_{schema}{suffix}"))


def _settings(stack: Stack, url: URL) -> ServiceSettings:
    return ServiceSettings(
        kafka_bootstrap=stack.bootstrap,
        database_url=url.render_as_string(hide_password=False),
        fetch_max_wait_ms=20,
        metadata_max_age_ms=500,
        relay_poll_ms=100,
    )


def metadata_of(schema: str) -> MetaData:
    """The tables of a bench."""
    metadata = MetaData(schema=schema)
    for make in (outbox_table, inbox_table, dead_letters_table, relay_holders_table):
        make(metadata)
    Table(
        "handled",
        metadata,
        Column("tenant_id", Text, primary_key=True),
        Column("topic", Text, primary_key=True),
        Column("partition", Integer, primary_key=True),
        Column("kafka_offset", BigInteger, primary_key=True),
        Column("version", BigInteger, nullable=False),
    )
    return metadata


def _create(connection: Connection, schema: str, metadata: MetaData) -> None:
    with Operations.context(MigrationContext.configure(connection)):
        create_roles(schema)
        create_messaging_tables(schema)
        metadata.tables[f"{schema}.handled"].create(connection)
        protect(schema, "handled")


async def create_topics(stack: Stack, name: str, *, partitions: int = 1) -> None:
    """A topic and its dead-letter topic, made and shown."""
    names = (name, dead_letter_of(name))
    async with admin_client(stack.bootstrap) as client:
        await client.create_topics([NewTopic(n, partitions if n == name else 1, 1) for n in names])

        async def shown() -> bool:
            return set(names) <= set(await client.list_topics())

        _: bool = await wait_until(shown, f"topics {names}")


@asynccontextmanager
async def producing(stack: Stack) -> AsyncIterator[AIOKafkaProducer]:
    """A bare producer, which may send anything."""
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap, acks="all")
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def send(
    producer: AIOKafkaProducer, message: OutboxMessage, *, partition: int | None = None
) -> None:
    """Sends a message as the relay would."""
    await producer.send_and_wait(
        message.topic,
        key=message.key.encode(),
        value=message.body,
        headers=[(name, value.encode()) for name, value in message.headers.items()],
        partition=partition,
    )


async def everything_on(stack: Stack, topic: str) -> list[ConsumerRecord[bytes, bytes]]:
    """All that a topic holds now, partition by partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = consumer.partitions_for_topic(topic) or await _partitions(stack, topic)
        here = [TopicPartition(topic, number) for number in sorted(partitions)]
        consumer.assign(here)
        ends = await consumer.end_offsets(here)
        found = []
        for each in here:
            while await consumer.position(each) < ends[each]:
                batch = await consumer.getmany(each, timeout_ms=200)
                found += batch.get(each, [])
        return found
    finally:
        await consumer.stop()


async def _partitions(stack: Stack, topic: str) -> set[int]:
    async with admin_client(stack.bootstrap) as client:
        described = await client.describe_topics([topic])
        return {each["partition"] for each in described[0]["partitions"]}
