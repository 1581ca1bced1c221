"""Writes messages into the outbox, in the transaction that changes the state they tell of."""

import zlib
from collections.abc import Sequence

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db import bulk
from shared.messaging.codec import OutboxMessage


def shard_of(key: str, shards: int) -> int:
    """The shard that publishes a key; equal keys keep their order because they share a shard."""
    return zlib.crc32(key.encode()) % shards


class Outbox:
    """The outbox of one service. `shards` must be the same for all its processes."""

    def __init__(self, table: Table, shards: int) -> None:
        self._table = table
        self._shards = shards
        self.channel = f"{table.schema}_outbox"

    async def add(self, connection: AsyncConnection, messages: Sequence[OutboxMessage]) -> None:
        """Adds messages in order and wakes the relay once the transaction commits."""
        if not messages:
            return
        await bulk.insert(connection, self._table, [self._row(message) for message in messages])
        await connection.execute(text(f"NOTIFY {self.channel}"))

    def _row(self, message: OutboxMessage) -> dict[str, object]:
        return {
            "tenant_id": message.tenant_id,
            "shard": shard_of(message.key, self._shards),
            "topic": message.topic,
            "key": message.key,
            "headers": dict(message.headers),
            "body": message.body,
        }
