"""How much of what is on the broker our services have not handled yet."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import chain

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import BrokerResponseError, KafkaError

from onelead.broker import admin_client
from onelead.edition.service import SERVICES
from onelead.messages import partitions_of, reader
from shared import clock
from shared.errors import UserError
from shared.topics import TOPICS, Topic

_COORDINATOR_TIMEOUT_S = 15.0
_RETRY_S = 0.1


def group_of(service: str, topic: Topic) -> str:
    """The consumer group with which a service reads a topic (shared/ops/composition.py)."""
    return f"onelead.{service}.{topic.name.removeprefix('onelead.')}"


async def unhandled(bootstrap: str, tenants: Sequence[str]) -> dict[str, int]:
    """Messages not yet handled and committed, by consumer group; groups without any are left out.

    Raises UserError when the broker does not say what a group has read.
    """
    read = {topic: _names(topic, tenants) for topic in TOPICS if set(topic.consumers) & {*SERVICES}}
    found = {}
    async with admin_client(bootstrap) as admin, reader(bootstrap) as consumer:
        partitions = await partitions_of(consumer, *chain(*read.values()))
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        for topic, names in read.items():
            ours = [p for p in partitions if p.topic in names]
            for service in [s for s in SERVICES if s in topic.consumers]:
                group = group_of(service, topic)
                at = {**begins, **await _committed(admin, group, ours)}
                if behind := sum(max(0, ends[p] - at[p]) for p in ours):
                    found[group] = behind
    return found


def _names(topic: Topic, tenants: Iterable[str]) -> list[str]:
    return [topic.for_tenant(t) for t in tenants] if topic.per_tenant else [topic.name]


async def _committed(
    admin: AIOKafkaAdminClient, group: str, partitions: list[TopicPartition]
) -> dict[TopicPartition, int]:
    """Where a group goes on, for the partitions where it has committed.

    A broker that has just started has no coordinator for a group yet, or one that is still reading what
    was committed: then it names no partition, where else it says -1 of those without an offset.
    """
    deadline_s = clock.monotonic_s() + _COORDINATOR_TIMEOUT_S
    while True:
        why, final = "it names no offsets", False
        try:
            offsets = await admin.list_consumer_group_offsets(group, partitions=partitions)
            if len(offsets) == len(partitions):
                return {p: known.offset for p, known in offsets.items() if known.offset >= 0}
        except KafkaError as error:
            why, final = str(error), not error.retriable
            if final and not isinstance(error, BrokerResponseError):
                raise
        if final or clock.monotonic_s() > deadline_s:
            raise UserError(f"Kafka does not say what {group} has read: {why}", exit_code=1)
        await asyncio.sleep(_RETRY_S)
