"""The topics on the broker: creates what the map wants, and finds the tenants by theirs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from shared.access import AccessSettings
from shared.errors import UserError
from shared.messaging.security import client_arguments
from shared.settings import load_settings
from shared.topics import (
    DAY_MS,
    DEAD_LETTER_SUFFIX,
    RECORDS,
    TOPICS,
    Topic,
    check_tenant,
    dead_letter_of,
)

_TIMEOUT_MS = 15_000
_POLL_S = 0.05
_RETRY_S = 0.2
_DEAD_LETTER_DAYS = 30
_MAX_REPLICAS = 3


@dataclass(frozen=True)
class WantedTopic:
    """A topic as it should be on the broker."""

    name: str
    partitions: int
    configs: dict[str, str]


def wanted_topics(tenants: Iterable[str]) -> list[WantedTopic]:
    """Every topic of the map, with its dead letter, per-tenant ones for each tenant."""
    tenants = [check_tenant(tenant) for tenant in tenants]
    found = []
    for topic in TOPICS:
        for name in [topic.for_tenant(t) for t in tenants] if topic.per_tenant else [topic.name]:
            found += [_main(topic, name), _dead_letter(name)]
    return found


def _main(topic: Topic, name: str) -> WantedTopic:
    configs: dict[str, str] = {"cleanup.policy": topic.cleanup}
    if topic.cleanup == "delete":
        configs["retention.ms"] = str(topic.retention_ms)
    return WantedTopic(name, topic.partitions, configs)


def _dead_letter(name: str) -> WantedTopic:
    configs = {"cleanup.policy": "delete", "retention.ms": str(_DEAD_LETTER_DAYS * DAY_MS)}
    return WantedTopic(dead_letter_of(name), 1, configs)


def reaching(bootstrap: str, access: AccessSettings | None = None) -> dict[str, Any]:
    """What each Kafka client of a command is given: the address, and who we are by our environment."""
    if access is None:
        access = _our_access()
    return {"bootstrap_servers": bootstrap.split(","), **client_arguments(access)}


def no_answer(bootstrap: str) -> UserError:
    """What to say when no broker lets us in."""
    if _our_access().kafka_security == "PLAINTEXT":
        return UserError(
            f"no Kafka answers at {bootstrap}",
            hint="start one with `onelead up`, or set ONELEAD_KAFKA_BOOTSTRAP",
            exit_code=1,
        )
    return UserError(
        f"no Kafka answers at {bootstrap}, or it does not let us in",
        hint="check ONELEAD_KAFKA_USERNAME, its password and ONELEAD_KAFKA_CA_FILE",
        exit_code=1,
    )


@contextlib.contextmanager
def telling_of_silence(bootstrap: str) -> Iterator[None]:
    """For what is asked of Kafka in its block. Raises UserError when it does not answer in time."""
    try:
        yield
    except TimeoutError:
        raise UserError(f"Kafka at {bootstrap} stopped answering", exit_code=1) from None


def _our_access() -> AccessSettings:
    return load_settings(AccessSettings, _env_ignore_empty=True)


@contextlib.asynccontextmanager
async def admin_client(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client that knows a broker. Raises UserError when none answers."""
    client = AIOKafkaAdminClient(**reaching(bootstrap), request_timeout_ms=_TIMEOUT_MS)
    try:
        try:
            async with asyncio.timeout(_TIMEOUT_MS / 1_000):
                await client.start()
                await until_a_broker_is_known(client)
        except (KafkaError, OSError, TimeoutError):
            raise no_answer(bootstrap) from None
        with telling_of_silence(bootstrap):
            yield client
    finally:
        await client.close()


async def until_a_broker_is_known(client: AIOKafkaAdminClient) -> None:
    """Returns once Kafka names a broker: one that stood still, on a machine that slept, names none first.

    Waits without an end; the caller bounds it.
    """
    # The client has no public way to ask: it takes the first answer, even one that names no broker.
    while not client._client.cluster.brokers():
        await asyncio.sleep(_RETRY_S)
        await client._client.force_metadata_update()


async def existing_topics(bootstrap: str) -> set[str]:
    """The names of all topics on the broker."""
    async with admin_client(bootstrap) as client:
        return set(await client.list_topics())


async def create_missing_topics(bootstrap: str, tenants: Iterable[str]) -> list[str]:
    """Creates what the map wants and the broker lacks; returns the names created, once all show."""
    async with admin_client(bootstrap) as client:
        there = set(await client.list_topics())
        wanted = wanted_topics(tenants)
        missing = [topic for topic in wanted if topic.name not in there]
        if not missing:
            return []
        brokers = (await client.describe_cluster())["brokers"]
        created = await _create(client, missing, replicas=min(_MAX_REPLICAS, len(brokers)))
        async with asyncio.timeout(_TIMEOUT_MS / 1_000):
            await _until_shown(client, {topic.name for topic in wanted})
        return created


async def _until_shown(client: AIOKafkaAdminClient, names: set[str]) -> None:
    while True:
        if names <= set(await client.list_topics()):
            return
        await asyncio.sleep(_POLL_S)


async def _create(
    client: AIOKafkaAdminClient, topics: Sequence[WantedTopic], replicas: int
) -> list[str]:
    """The names of those that were not there, which a broker may say of itself too late."""
    response = await client.create_topics(
        [NewTopic(t.name, t.partitions, replicas, topic_configs=t.configs) for t in topics]
    )
    created = []
    for name, code, *detail in response.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            reason = detail[0] if detail and detail[0] else error.__name__
            raise UserError(f"topic {name} could not be created: {reason}", exit_code=1)
        if not code:
            created.append(name)
    return created


async def tenants_on(bootstrap: str) -> list[str]:
    """The tenants: those that have their own topics."""
    found = set()
    for name in await existing_topics(bootstrap):
        if name.startswith(f"{RECORDS.name}.") and not name.endswith(DEAD_LETTER_SUFFIX):
            with contextlib.suppress(ValueError):
                found.add(RECORDS.tenant_of(name))
    return sorted(found)
