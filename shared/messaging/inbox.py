"""Remembers which events had their one-shot effect, in the transaction of that effect."""

from collections.abc import Sequence

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db import bulk
from shared.messaging.codec import Received


class Inbox:
    """The inbox of one consumer."""

    def __init__(self, table: Table, consumer: str) -> None:
        self._table = table
        self._consumer = consumer

    async def first_seen(
        self, connection: AsyncConnection, messages: Sequence[Received]
    ) -> list[Received]:
        """Those messages whose event id was not here before, each once, in order; they are now recorded."""
        by_id: dict[tuple[str, str], Received] = {}
        for message in messages:
            by_id.setdefault((message.envelope.tenant_id, message.envelope.id), message)
        rows = [
            {"tenant_id": tenant, "consumer": self._consumer, "event_id": event_id}
            for tenant, event_id in by_id
        ]
        written = await bulk.upsert(
            connection,
            self._table,
            rows,
            key=("tenant_id", "consumer", "event_id"),
            guard="nothing",
            returning="tenant_id, event_id",
        )
        new = {(row.tenant_id, row.event_id) for row in written}
        return [m for key, m in by_id.items() if key in new]
