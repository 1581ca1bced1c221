"""A tenant's messages on the topics that all tenants share: found, and taken away where Kafka lets us.

Compacted topics get a tombstone for each key. Of the others only a beginning that is the tenant's
alone can be deleted; the rest goes with the topic's retention, and the latest moment of that is told.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin.records_to_delete import RecordsToDelete

from onelead.broker import admin_client, existing_topics
from onelead.messages import partitions_of, publisher, reader
from onelead.tenants.places import Counts, Found, Kind, Place
from onelead.tenants.topic_settings import TopicTimes, bound_compaction, topic_times
from onelead.tenants.whose_message import is_of
from shared import clock
from shared.messaging.codec import OutboxMessage, tombstone
from shared.topics import TOPICS, Topic, dead_letter_of

_POLL_MS = 200
_SENT_AT_ONCE = 2_000
Progress = Callable[[str], None]


@dataclass
class Seen:
    """What a topic holds of the tenant."""

    values: int = 0
    newest_ms: int = 0
    live: dict[bytes, str] = field(default_factory=dict)
    """Keys whose newest message has a value, with its subject."""
    beginnings: dict[TopicPartition, int] = field(default_factory=dict)
    """Up to where (exclusively) a partition begins with nothing but the tenant's messages."""

    @property
    def superseded(self) -> int:
        """Values that a newer message of their key has replaced."""
        return self.values - len(self.live)


class InnerTopics:
    """One tenant's part of the shared topics."""

    def __init__(self, bootstrap: str, tenant_id: str) -> None:
        self._bootstrap = bootstrap
        self._tenant = tenant_id

    async def count(self, progress: Progress = lambda _: None) -> Counts:
        """How many messages with a value are the tenant's, and until when at the latest."""
        found: dict[Place, Found] = {}
        async for topic, name in self._topics():
            progress(f"reading {name}")
            seen = await self._look(name)
            times = await topic_times(self._bootstrap, name)
            if topic is not None and topic.cleanup == "compact":
                found[Place(Kind.MESSAGES, name)] = Found(len(seen.live))
                replaced = Place(Kind.MESSAGES, f"{name} (replaced, not yet compacted)")
                found[replaced] = _expiring(seen.superseded, clock.now() + times.compacted_within)
            else:
                found[Place(Kind.MESSAGES, name)] = _expiring(seen.values, _gone_by(seen, times))
        return found

    async def remove(self, progress: Progress = lambda _: None) -> None:
        """Writes tombstones, deletes what may be deleted, and bounds how long compaction may wait."""
        async for topic, name in self._topics():
            progress(f"emptying {name}")
            seen = await self._look(name)
            if topic is None or topic.cleanup == "delete":
                await self._delete_beginnings(seen)
            elif seen.values:
                await bound_compaction(self._bootstrap, name)
                await self._bury(topic, seen)

    async def _topics(self) -> AsyncIterator[tuple[Topic | None, str]]:
        """The shared topics that are there; a dead-letter topic has no entry in the map."""
        there = await existing_topics(self._bootstrap)
        for topic in TOPICS:
            if not topic.per_tenant:
                for known, name in ((topic, topic.name), (None, dead_letter_of(topic.name))):
                    if name in there:
                        yield known, name

    async def _look(self, name: str) -> Seen:
        """Reads a topic from its beginning to where it ends now."""
        seen = Seen()
        foreign: set[TopicPartition] = set()
        async with reader(self._bootstrap) as consumer:
            async for where, record in _everything(consumer, name):
                if not is_of(record, self._tenant):
                    foreign.add(where)
                    continue
                _note(seen, record)
                if where not in foreign:
                    seen.beginnings[where] = record.offset + 1
        return seen

    async def _bury(self, topic: Topic, seen: Seen) -> None:
        version = clock.now_us()
        messages = [self._tombstone(topic, key, s, version) for key, s in seen.live.items()]
        async with publisher(self._bootstrap) as out:
            for start in range(0, len(messages), _SENT_AT_ONCE):
                await out.send(messages[start : start + _SENT_AT_ONCE])

    def _tombstone(self, topic: Topic, key: bytes, subject: str, version: int) -> OutboxMessage:
        return tombstone(
            topic.events[0],
            tenant_id=self._tenant,
            source="onelead tenants erase",
            subject=subject,
            topic=topic.name,
            key=key.decode(),
            version=version,
        )

    async def _delete_beginnings(self, seen: Seen) -> None:
        if seen.beginnings:
            wanted = {where: RecordsToDelete(end) for where, end in seen.beginnings.items()}
            async with admin_client(self._bootstrap) as client:
                await client.delete_records(wanted)


def _note(seen: Seen, record: ConsumerRecord) -> None:
    key = record.key or b""
    if record.value is None:
        seen.live.pop(key, None)
        return
    seen.values += 1
    seen.newest_ms = max(seen.newest_ms, record.timestamp)
    headers = {name: raw or b"" for name, raw in record.headers}
    seen.live[key] = headers.get("ce_subject", b"").decode(errors="replace")


def _expiring(count: int, until: datetime) -> Found:
    return Found(count, until if count else None)


def _gone_by(seen: Seen, times: TopicTimes) -> datetime:
    """A segment goes when its newest message is too old, and takes messages for a while."""
    newest = datetime.fromtimestamp(seen.newest_ms / 1_000, UTC)
    return newest + times.retained + times.segment + timedelta(minutes=10)


async def _everything(
    consumer: AIOKafkaConsumer, name: str
) -> AsyncIterator[tuple[TopicPartition, ConsumerRecord]]:
    partitions = await partitions_of(consumer, name)
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    ends = await consumer.end_offsets(partitions)
    while [p for p in partitions if await consumer.position(p) < ends[p]]:
        for where, records in (await consumer.getmany(timeout_ms=_POLL_MS)).items():
            for record in records:
                yield where, record
