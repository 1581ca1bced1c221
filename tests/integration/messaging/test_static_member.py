"""A static member that comes back at once reads the topics that came while it was away."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiokafka.admin import NewTopic

from onelead.broker import admin_client
from tests.integration.messaging.bench import TENANT, Bench, new_bench
from tests.integration.messaging.reading import Reader, reading
from tests.integration.messaging.test_consumer import send_good
from tests.support.stack import Stack
from tests.support.waiting import wait_until


@pytest.fixture
async def bench(migrated: Stack) -> AsyncIterator[Bench]:
    """Its topic is one of every tenant, and none is there yet."""
    async with new_bench(migrated) as made:
        yield replace(made, topic=replace(made.topic, per_tenant=True))


def has_joined(reader: Reader) -> bool:
    client = reader.subscription.kafka
    subscription = client._subscription.subscription if client else None
    return subscription is not None and subscription.assignment is not None


async def test_a_tenant_that_was_added_while_a_service_restarted_is_read(bench: Bench) -> None:
    async with reading(bench, instance_id="r0") as reader:
        await wait_until(lambda: has_joined(reader), "it has joined, with nothing to read")
    topic = f"{bench.topic.name}.{TENANT}"
    async with admin_client(bench.stack.bootstrap) as admin:
        await admin.create_topics([NewTopic(topic, bench.topic.partitions, 1)])
    await send_good(bench, [1], topic)

    async with reading(bench, instance_id="r0") as reader:

        async def was_read() -> bool:
            await reader.subscription.look()
            return await reader.handled() == [1]

        _: bool = await wait_until(was_read, "the new topic is read")
