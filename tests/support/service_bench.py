"""A service's own roles on the real PostgreSQL, messages for its handlers, and what its outbox holds."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from sqlalchemy import MetaData, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.engine import make_engine
from shared.db.migrate import upgrade
from shared.events import Event
from shared.messaging.codec import OutboxMessage, Received, decode, encode
from shared.ops.composition import Base
from shared.settings import ServiceSettings
from shared.topics import Topic
from tests.support.kafka_record import FakeRecord
from tests.support.stack import Stack

E = TypeVar("E", bound=Event)


def role_url(stack: Stack, service: str) -> str:
    """The database's address for a service's role, with a password where the server asks for one."""
    word = uuid.uuid4().hex
    upgrade(stack.owner_url, service, role_password=word)
    url = make_url(stack.owner_url).set(username=f"onelead_{service}", password=word)
    return url.render_as_string(hide_password=False)


@asynccontextmanager
async def connected(
    service: str, settings: ServiceSettings, metadata: MetaData
) -> AsyncIterator[Base]:
    """What the service's composition root starts from; nothing runs by itself."""
    base = Base.build(service, settings, metadata)
    yield base
    for database in (
        base.database,
        base.tick_database,
        base.metrics_database,
        base.relay_database,
    ):
        await database.close()


@asynccontextmanager
async def owner_of(stack: Stack) -> AsyncIterator[AsyncEngine]:
    """The database as its owner sees it: everything."""
    engine = make_engine(make_url(stack.owner_url), application="onelead-test", pool_size=2)
    yield engine
    await engine.dispose()


def received(event: Event, tenant: str, subject: str, topic: Topic, offset: int = 0) -> Received:
    """An event as it arrives from Kafka."""
    message = encode(
        event, tenant_id=tenant, source="/test", subject=subject, topic=topic.name, key=subject
    )
    return decode(FakeRecord.of(message, offset))


class Sent:
    """What a service committed for the broker, of one tenant; each message is given out once."""

    def __init__(self, owner: AsyncEngine, service: str, tenant: str) -> None:
        self._owner = owner
        self._service = service
        self._tenant = tenant
        self._last = 0

    async def messages(self) -> list[Received]:
        """The messages since the last call, in the order of the outbox."""
        rows = await self._rows()
        return [decode(FakeRecord.of(message, offset)) for offset, message in rows]

    async def _rows(self) -> list[tuple[int, OutboxMessage]]:
        statement = text(
            f"SELECT * FROM {self._service}.outbox WHERE tenant_id = :tenant AND id > :last ORDER BY id"
        )
        parameters = {"tenant": self._tenant, "last": self._last}
        async with self._owner.begin() as connection:
            rows = (await connection.execute(statement, parameters)).all()
        self._last = max([self._last, *(row.id for row in rows)])
        return [
            (row.id, OutboxMessage(row.tenant_id, row.topic, row.key, row.headers, row.body))
            for row in rows
        ]


def of_type(messages: Sequence[Received], kind: type[E]) -> list[E]:
    """The events of one kind."""
    return [message.event for message in messages if isinstance(message.event, kind)]


async def query(owner: AsyncEngine, statement: str, **parameters: Any) -> list[Any]:
    """Rows as the owner sees them."""
    async with owner.begin() as connection:
        return list((await connection.execute(text(statement), parameters)).all())


async def forget(owner: AsyncEngine, metadata: MetaData, tenant: str) -> None:
    """Removes a tenant from a service, so that its ticks find nothing to do for it any more."""
    async with owner.begin() as connection:
        for table in metadata.sorted_tables:
            if "tenant_id" in table.c:
                await connection.execute(table.delete().where(table.c.tenant_id == tenant))
