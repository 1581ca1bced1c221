"""What waits unhandled is asked for with a few requests, however many topics there are."""

from collections.abc import Mapping
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import Fetcher

from onelead.lag import unhandled
from tests.support.stack import Stack


async def test_the_offsets_of_all_topics_come_at_once(
    migrated: Stack, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[set[str]] = []
    original = Fetcher._proc_offset_requests

    async def noted(fetcher: Fetcher, at: Mapping[TopicPartition, int]) -> Any:
        asked.append({partition.topic for partition in at})
        return await original(fetcher, at)

    monkeypatch.setattr(Fetcher, "_proc_offset_requests", noted)
    await unhandled(migrated.bootstrap, [tenant])
    assert len(asked) == 2, "once for the beginnings, once for the ends"
    assert len(asked[0]) > 1
