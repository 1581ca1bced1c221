"""A Kafka record without Kafka: what an outbox message becomes on its way."""

from dataclasses import dataclass
from typing import Self

from shared.messaging.codec import OutboxMessage


@dataclass
class FakeRecord:
    """The part of aiokafka's ConsumerRecord that is read."""

    topic: str = "t"
    key: bytes | None = b"k"
    value: bytes | None = b"{}"
    headers: tuple[tuple[str, bytes | None], ...] = ()
    partition: int = 0
    offset: int = 0
    timestamp: int = 1_700_000_000_000

    @classmethod
    def of(cls, message: OutboxMessage, offset: int = 0) -> Self:
        """The record that a message becomes."""
        headers = tuple((name, value.encode()) for name, value in message.headers.items())
        return cls(message.topic, message.key.encode(), message.body, headers, offset=offset)
