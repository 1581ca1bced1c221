"""Puts aside the outbox rows no broker will ever take, so that what waits behind them goes out.

Reads the broker's list of topics, decides by it and by a message's size, moves rows to `dead_letters`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import clock
from shared.ops import metrics
from shared.ops.logs import get_logger

_log = get_logger(__name__)
CONSUMER = "relay"
MISSING_TOPIC, TOO_LARGE = "MissingTopic", "TooLarge"
LARGEST_BYTES = 1_000_000
"""Key, body and headers of one message; a broker's default limit is 1,048,588 with its own framing."""
_PER_HEADER_BYTES = 10
_DOUBT_S = 1.0


@dataclass(frozen=True)
class Sifted:
    """What can be sent now, in its order, and how many rows were moved; the others wait a moment."""

    sendable: Sequence[Row[Any]]
    moved: int


class Unpublishable:
    """Sorts out, for one relay, what cannot be published. Its role may insert dead letters."""

    def __init__(self, schema: str) -> None:
        self._known: set[str] = set()
        self._missed_since_s: dict[str, float] = {}
        self._move = text(
            f"WITH gone AS (DELETE FROM {schema}.outbox WHERE id = ANY(CAST(:ids AS bigint[]))"
            "  RETURNING tenant_id, id, topic, key, headers, body)"
            f" INSERT INTO {schema}.dead_letters (tenant_id, consumer, topic, partition,"
            "  kafka_offset, key, headers, body, error_class, error)"
            f" SELECT tenant_id, '{CONSUMER}', topic, -1, id, convert_to(key, 'UTF8'),"
            "  (SELECT coalesce(jsonb_agg(jsonb_build_array(name,"
            "    translate(encode(convert_to(value, 'UTF8'), 'base64'), E'\\n', ''))), '[]')"
            "   FROM jsonb_each_text(headers) AS header(name, value)),"
            "  body, :error_class, :error FROM gone"
        )

    async def sift(
        self, connection: AsyncConnection, producer: AIOKafkaProducer, rows: Sequence[Row[Any]]
    ) -> Sifted:
        """Tells rows apart and moves those that no broker will take."""
        await self._look_for(producer, {row.topic for row in rows})
        homeless = [row for row in rows if self._is_gone(row.topic)]
        here = [row for row in rows if row.topic in self._known]
        large = [row for row in here if size_bytes(row) > LARGEST_BYTES]
        await self._put_aside(connection, homeless, MISSING_TOPIC, "the broker has no such topic")
        await self._put_aside(connection, large, TOO_LARGE, f"more than {LARGEST_BYTES} bytes")
        too_large = {row.id for row in large}
        sendable = [row for row in here if row.id not in too_large]
        return Sifted(sendable, len(homeless) + len(large))

    async def _look_for(self, producer: AIOKafkaProducer, names: set[str]) -> None:
        if names <= self._known:
            return
        there = await self._topics(producer)
        self._known |= names & there
        for name in names - there:
            self._missed_since_s.setdefault(name, clock.monotonic_s())
        for name in there & set(self._missed_since_s):
            del self._missed_since_s[name]

    def _is_gone(self, name: str) -> bool:
        # A topic made a moment ago may not have reached the broker that was asked.
        since_s = self._missed_since_s.get(name)
        return since_s is not None and clock.monotonic_s() - since_s >= _DOUBT_S

    async def _topics(self, producer: AIOKafkaProducer) -> set[str]:
        cluster = await producer.client.fetch_all_metadata()
        return set(cluster.topics(exclude_internal_topics=False))

    async def _put_aside(
        self, connection: AsyncConnection, rows: Sequence[Row[Any]], error_class: str, error: str
    ) -> None:
        if not rows:
            return
        parameters = {"ids": [row.id for row in rows], "error_class": error_class, "error": error}
        await connection.execute(self._move, parameters)
        metrics.DEAD_LETTERS.labels(CONSUMER, error_class).inc(len(rows))
        topics = sorted({row.topic for row in rows})
        _log.error("messages cannot be published", error=error, count=len(rows), topics=topics)


def size_bytes(row: Row[Any]) -> int:
    """What a message takes on the wire, rounded up."""
    headers = sum(
        len(name.encode()) + len(value.encode()) + _PER_HEADER_BYTES
        for name, value in row.headers.items()
    )
    return len(row.key.encode()) + len(row.body or b"") + headers
