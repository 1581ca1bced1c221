"""A Kafka that has just stood still names no broker for a moment: a command asks again."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from aiokafka.admin import NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import KafkaConnectionError, KafkaError

from onelead import messages
from onelead.broker import admin_client, existing_topics
from onelead.messages import partitions_of, reader
from shared.errors import UserError
from shared.topics import IMPORTS
from tests.support.stack import Stack
from tests.support.waiting import wait_until


def naming_no_broker(patch: pytest.MonkeyPatch, times: int) -> list[int]:
    """From now on so many answers name no broker; the list grows by each of them."""
    hidden: list[int] = []
    original = ClusterMetadata.update_metadata

    def update(cluster: ClusterMetadata, answer: Any) -> None:
        if len(hidden) < times:
            hidden.append(len(hidden))
        else:
            original(cluster, answer)

    patch.setattr(ClusterMetadata, "update_metadata", update)
    return hidden


async def test_topics_are_created_once_a_broker_is_named(
    migrated: Stack, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = naming_no_broker(monkeypatch, times=3)
    name = f"test.{tenant}.late"
    async with admin_client(migrated.bootstrap) as client:
        await client.create_topics([NewTopic(name, 1, 1)])
    assert len(hidden) == 3

    async def shown() -> bool:
        return name in await existing_topics(migrated.bootstrap)

    _: bool = await wait_until(shown, "the topic shows")


async def test_partitions_are_asked_for_again_when_no_broker_says_them(
    migrated: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = refusing(monkeypatch, times=2)
    async with reader(migrated.bootstrap) as consumer:
        assert await partitions_of(consumer, IMPORTS.name)
    assert len(asked) == 3


async def test_a_kafka_that_never_says_its_partitions_ends_the_command(
    migrated: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "_METADATA_TIMEOUT_S", 0.5)
    asked = refusing(monkeypatch, times=1_000)
    async with reader(migrated.bootstrap) as consumer:
        with pytest.raises(KafkaConnectionError, match="no broker says which topics there are"):
            await partitions_of(consumer, IMPORTS.name)
    assert len(asked) > 1


@pytest.mark.parametrize("opened", [admin_client, reader])
async def test_a_kafka_that_does_not_answer_in_time_is_told_by_its_address(
    migrated: Stack, opened: Callable[[str], AbstractAsyncContextManager[Any]]
) -> None:
    with pytest.raises(UserError, match=f"Kafka at {migrated.bootstrap} stopped answering"):
        async with opened(migrated.bootstrap), asyncio.timeout(0):
            await asyncio.sleep(1)


def refusing(patch: pytest.MonkeyPatch, times: int) -> list[int]:
    """The first answers to a question for all metadata fail; the list grows by each question."""
    asked: list[int] = []
    original = AIOKafkaClient.fetch_all_metadata

    async def fetch(client: AIOKafkaClient) -> ClusterMetadata:
        asked.append(len(asked))
        if len(asked) <= times:
            raise KafkaError("no broker")
        return await original(client)

    patch.setattr(AIOKafkaClient, "fetch_all_metadata", fetch)
    return asked
