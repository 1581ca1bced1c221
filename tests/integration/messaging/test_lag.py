"""What waits unhandled is asked for with a few requests, again when the broker cannot say yet."""

from collections.abc import Mapping
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.errors import GroupAuthorizationFailedError, GroupCoordinatorNotAvailableError

from onelead import lag
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


NO_COORDINATOR = GroupCoordinatorNotAvailableError()
STILL_READING: Mapping[TopicPartition, Any] = {}
"""How aiokafka shows a coordinator that is still reading what was committed."""


@pytest.mark.parametrize("answer", [NO_COORDINATOR, STILL_READING], ids=["none", "still reading"])
async def test_a_broker_whose_coordinator_is_not_ready_is_asked_again(
    migrated: Stack, tenant: str, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    found = await unhandled(migrated.bootstrap, [tenant])
    asked = answering(monkeypatch, answer, times=2)
    assert await unhandled(migrated.bootstrap, [tenant]) == found
    assert asked[:3] == asked[:1] * 3


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (NO_COORDINATOR, "GroupCoordinatorNotAvailableError"),
        (STILL_READING, "it names no offsets"),
        (GroupAuthorizationFailedError(), "GroupAuthorizationFailedError"),
    ],
)
async def test_a_broker_that_never_says_what_a_group_has_read_ends_the_look(
    migrated: Stack, tenant: str, monkeypatch: pytest.MonkeyPatch, answer: Any, said: str
) -> None:
    monkeypatch.setattr(lag, "_COORDINATOR_TIMEOUT_S", 0.0)
    answering(monkeypatch, answer, times=1_000)
    with pytest.raises(UserError, match=rf"what onelead\.\w+\.\S+ has read: .*{said}"):
        await unhandled(migrated.bootstrap, [tenant])


def answering(monkeypatch: pytest.MonkeyPatch, answer: Any, *, times: int) -> list[str]:
    """The first questions for a group's offsets are answered so; returns the groups asked for."""
    asked: list[str] = []
    original = AIOKafkaAdminClient.list_consumer_group_offsets

    async def noted(admin: AIOKafkaAdminClient, group: str, **options: Any) -> Any:
        asked.append(group)
        if len(asked) > times:
            return await original(admin, group, **options)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(AIOKafkaAdminClient, "list_consumer_group_offsets", noted)
    return asked
