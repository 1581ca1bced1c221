"""How long a topic keeps what it holds, by its settings on the broker."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from onelead.broker import admin_client
from shared.errors import UserError

COMPACTED_WITHIN = timedelta(days=1)
_LAG = "max.compaction.lag.ms"
_OF_THE_TOPIC = 1
_LONGEST = timedelta(days=3_650)


@dataclass(frozen=True)
class TopicTimes:
    """How long a message is kept, a segment takes new ones, and a replaced value may wait."""

    retained: timedelta
    segment: timedelta
    compacted_within: timedelta


async def topic_times(bootstrap: str, name: str) -> TopicTimes:
    """The times of a topic. What is kept for ever counts as ten years."""
    async with admin_client(bootstrap) as client:
        known = {setting: value for setting, value, _ in await _settings(client, name)}
    return TopicTimes(_time(known["retention.ms"]), _time(known["segment.ms"]), _time(known[_LAG]))


async def bound_compaction(bootstrap: str, name: str) -> None:
    """Lets replaced values wait a day at most, unless the topic says less; its other settings stay."""
    async with admin_client(bootstrap) as client:
        settings = await _settings(client, name)
        own = {setting: value for setting, value, source in settings if source == _OF_THE_TOPIC}
        if _time({s: v for s, v, _ in settings}[_LAG]) <= COMPACTED_WITHIN:
            return
        own[_LAG] = str(int(COMPACTED_WITHIN.total_seconds() * 1_000))
        resource = ConfigResource(ConfigResourceType.TOPIC, name, configs=own)
        for response in await client.alter_configs([resource]):
            for code, message, *_ in response.resources:
                if code:
                    raise UserError(f"topic {name} cannot be changed: {message}", exit_code=1)


async def _settings(client: AIOKafkaAdminClient, name: str) -> list[tuple[str, str, int]]:
    """Name, value and where it was said, of every setting of a topic."""
    found: list[tuple[str, str, int]] = []
    for response in await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)]):
        for code, message, _, _, entries in response.resources:
            if code:
                raise UserError(f"topic {name} cannot be read: {message}", exit_code=1)
            found += [_setting(entry) for entry in entries]
    return found


def _setting(entry: Any) -> tuple[str, str, int]:
    return entry[0], entry[1], entry[3]


def _time(milliseconds: str) -> timedelta:
    number = int(milliseconds)
    longest = int(_LONGEST.total_seconds() * 1_000)
    return timedelta(milliseconds=longest if number < 0 else min(number, longest))
