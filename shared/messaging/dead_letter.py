"""Keeps what could not be handled: a row in the table, a message on the dead-letter topic."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db import bulk
from shared.messaging.codec import KafkaRecord, OutboxMessage
from shared.messaging.outbox import Outbox
from shared.topics import dead_letter_of

NO_TENANT = "_unknown_"
"""The tenant of a message that names none we could believe; no tenant's name may hold a '_'."""


@dataclass(frozen=True)
class DeadLetter:
    """A record that could not be handled, and why."""

    record: KafkaRecord
    tenant_id: str
    error_class: str
    error: str


class DeadLetters:
    """The dead letters of one consumer."""

    def __init__(self, table: Table, outbox: Outbox, consumer: str) -> None:
        self._table = table
        self._outbox = outbox
        self._consumer = consumer

    async def add(self, connection: AsyncConnection, letters: Sequence[DeadLetter]) -> None:
        """Stores letters once each, however often their records are read, and publishes new ones."""
        written = await bulk.upsert(
            connection,
            self._table,
            [self._row(letter) for letter in letters],
            key=("tenant_id", "consumer", "topic", "partition", "kafka_offset"),
            guard="nothing",
            returning="topic, partition, kafka_offset",
        )
        new = {(row.topic, row.partition, row.kafka_offset) for row in written}
        await self._outbox.add(
            connection,
            [
                self._message(letter)
                for letter in letters
                if (letter.record.topic, letter.record.partition, letter.record.offset) in new
            ],
        )

    def _row(self, letter: DeadLetter) -> dict[str, object]:
        record = letter.record
        return {
            "tenant_id": letter.tenant_id,
            "consumer": self._consumer,
            "topic": record.topic,
            "partition": record.partition,
            "kafka_offset": record.offset,
            "key": record.key,
            "headers": _header_pairs(record),
            "body": record.value,
            "error_class": letter.error_class,
            "error": _storable(letter.error[:2_000]),
        }

    def _message(self, letter: DeadLetter) -> OutboxMessage:
        record = letter.record
        position = f"{record.topic}/{record.partition}/{record.offset}"
        headers = {
            "dead_letter_position": position,
            "dead_letter_consumer": self._consumer,
            "dead_letter_error_class": letter.error_class,
            "dead_letter_error": _storable(letter.error[:500]),
            "dead_letter_key_base64": base64.b64encode(record.key or b"").decode(),
        }
        topic = dead_letter_of(record.topic)
        return OutboxMessage(letter.tenant_id, topic, position, headers, record.value)


def _storable(text: str) -> str:
    """The text without what PostgreSQL cannot hold: NUL and lone surrogates, written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _header_pairs(record: KafkaRecord) -> list[list[str | None]]:
    """Headers as [name, base64 of the value]: they may hold anything, null included."""
    return [
        [_storable(str(name)), None if raw is None else base64.b64encode(raw).decode()]
        for name, raw in record.headers
    ]
