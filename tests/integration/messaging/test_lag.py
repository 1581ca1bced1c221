"""What waits unhandled is asked for with a few requests, again when the broker cannot say yet."""

from collections.abc import Mapping
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.errors import GroupAuthorizationFailedError, GroupCoordinatorNotAvailableError

from onelead.lag import unhandled
from shared.errors import UserError
from tests.support.stack import Stack


async def test_the_offsets_of_all_topics_come_at_once(
    migrated: Stack, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[set[str]] = []
    original = Fetcher._retrieve_offsets

    # What asks once, and again by itself while a topic just made has no leader yet.
    async def noted(fetcher: Fetcher, at: Mapping[TopicPartition, int], *options: Any) -> Any:
        asked.append({partition.topic for partition in at})
        return await original(fetcher, at, *options)

    monkeypatch.setattr(Fetcher, "_retrieve_offsets", noted)
    await unhandled(migrated.bootstrap, [tenant])
    assert len(asked) == 2, "once for the beginnings, once for the ends"
    assert len(asked[0]) > 1


async def test_a_broker_that_has_no_coordinator_yet_is_asked_again(
    migrated: Stack, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await unhandled(migrated.bootstrap, [tenant])
    asked = refuse(monkeypatch, GroupCoordinatorNotAvailableError, times=2)
    assert await unhandled(migrated.bootstrap, [tenant]) == found
    assert asked[:3] == asked[:1] * 3


async def test_a_broker_that_refuses_to_say_what_a_group_has_read_ends_the_look(
    migrated: Stack, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, GroupAuthorizationFailedError, times=1)
    with pytest.raises(UserError, match=r"the group onelead\.\w+\.\S+ has read"):
        await unhandled(migrated.bootstrap, [tenant])


def refuse(monkeypatch: pytest.MonkeyPatch, error: type[Exception], *, times: int) -> list[str]:
    """The first questions for a group's offsets are refused; returns the groups asked for."""
    asked: list[str] = []
    original = AIOKafkaAdminClient.list_consumer_group_offsets

    async def noted(admin: AIOKafkaAdminClient, group: str, **options: Any) -> Any:
        asked.append(group)
        if len(asked) <= times:
            raise error
        return await original(admin, group, **options)

    monkeypatch.setattr(AIOKafkaAdminClient, "list_consumer_group_offsets", noted)
    return asked
