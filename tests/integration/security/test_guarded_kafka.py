"""On a broker that wants TLS and a password every client of ours comes in, and nobody else."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError

from onelead.access import allow_tenant
from onelead.broker import create_missing_topics, existing_topics, reaching, tenants_on
from onelead.edition import ports
from onelead.edition.java import JavaKafka
from onelead.edition.kafka import is_answering
from onelead.messages import publisher, read_from_beginning
from shared.errors import UserError
from shared.messaging.codec import OutboxMessage
from shared.topics import LEADS, RECORDS
from tests.integration.security.conftest import Become
from tests.support.guarded_kafka import ADMINISTRATOR, GuardedKafka, guarded_kafka


def message(topic: str) -> OutboxMessage:
    return OutboxMessage("acme", topic, "k", {"h": "v"}, b"hello")


async def a_tenant(guarded: GuardedKafka, become: Become, name: str) -> str:
    """A tenant with topics of its own; its user is called as it is."""
    become(ADMINISTRATOR)
    await create_missing_topics(guarded.bootstrap, [name])
    assert await allow_tenant(guarded.bootstrap, name, f"User:{name}")
    return name


async def test_admin_clients_producers_and_consumers_come_in_with_name_and_password(
    guarded: GuardedKafka, become: Become
) -> None:
    await a_tenant(guarded, become, "acme")
    assert "acme" in await tenants_on(guarded.bootstrap)
    become("acme")
    async with publisher(guarded.bootstrap) as out:
        await out.send([message(RECORDS.for_tenant("acme"))])
    become(ADMINISTRATOR)
    found = await read_from_beginning(guarded.bootstrap, RECORDS.for_tenant("acme"))
    assert b"hello" in [record.value for record in found]


@pytest.mark.parametrize(
    "change",
    [
        {"KAFKA_PASSWORD": "guessed"},
        {"KAFKA_USERNAME": "nobody"},
        {"KAFKA_MECHANISM": "SCRAM-SHA-256"},
    ],
)
async def test_who_does_not_know_the_password_is_not_let_in(
    guarded: GuardedKafka, become: Become, change: dict[str, str]
) -> None:
    become("acme", **change)
    for attempt in (existing_topics(guarded.bootstrap), enter(publisher(guarded.bootstrap))):
        with pytest.raises(UserError, match="does not let us in") as refused:
            await attempt
        assert "ONELEAD_KAFKA_USERNAME" in str(refused.value.hint)
        assert "word-of-acme" not in str(refused.value)
        assert "guessed" not in str(refused.value)


async def enter(client: Any) -> None:
    async with client:
        pass


async def test_a_client_without_encryption_gets_no_answer(guarded: GuardedKafka) -> None:
    with pytest.raises(UserError, match="no Kafka answers"):
        await existing_topics(guarded.bootstrap)


async def test_a_broker_that_an_unknown_authority_vouches_for_is_not_believed(
    guarded: GuardedKafka, become: Become, tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    become(ADMINISTRATOR, KAFKA_CA_FILE=str(tmp_path / "other.pem"))
    with pytest.raises(UserError, match="does not let us in"):
        await existing_topics(guarded.bootstrap)


async def test_a_broker_with_a_certificate_for_another_name_is_not_believed(
    guarded: GuardedKafka, become: Become
) -> None:
    become(ADMINISTRATOR)
    assert await existing_topics(guarded.bootstrap) is not None
    with pytest.raises(UserError, match="does not let us in"):
        await existing_topics(guarded.bootstrap.replace(ports.HOST, "localhost"))


def test_a_broker_may_ask_for_our_certificate(java: JavaKafka, tmp_path: Path) -> None:
    with guarded_kafka(tmp_path, java, (), asks_for_certificates=True) as broker:
        shown = broker.access(ADMINISTRATOR)
        without = shown.model_copy(update={"kafka_certificate_file": None})
        assert asyncio.run(is_answering(broker.bootstrap, access=shown))
        assert not asyncio.run(is_answering(broker.bootstrap, access=without))


async def test_a_tenants_user_neither_reads_nor_writes_another_tenants_topics(
    guarded: GuardedKafka, become: Become
) -> None:
    for name in ("acme", "globex"):
        await a_tenant(guarded, become, name)
    become("globex")
    own = {RECORDS.for_tenant("globex"), LEADS.for_tenant("globex")}
    assert await existing_topics(guarded.bootstrap) == own
    for topic in (RECORDS.for_tenant("acme"), LEADS.for_tenant("acme")):
        with pytest.raises(TopicAuthorizationFailedError):
            await write(guarded, topic)
        with pytest.raises(TopicAuthorizationFailedError):
            await read(guarded, topic, group="globex.reader")
    with pytest.raises(TopicAuthorizationFailedError):
        await write(guarded, LEADS.for_tenant("globex"))
    with pytest.raises(GroupAuthorizationFailedError):
        await read(guarded, LEADS.for_tenant("globex"), group="acme.reader")
    await write(guarded, RECORDS.for_tenant("globex"))
    become(ADMINISTRATOR)
    async with publisher(guarded.bootstrap) as out:
        await out.send([message(LEADS.for_tenant("globex"))])
    become("globex")
    assert await read(guarded, LEADS.for_tenant("globex"), group="globex.reader") == b"hello"


async def write(guarded: GuardedKafka, topic: str) -> None:
    producer = AIOKafkaProducer(**reaching(guarded.bootstrap), acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(topic, b"hello", key=b"k")
    finally:
        await producer.stop()


async def read(guarded: GuardedKafka, topic: str, *, group: str) -> bytes:
    """The first message of a topic."""
    consumer = AIOKafkaConsumer(
        topic, **reaching(guarded.bootstrap), group_id=group, auto_offset_reset="earliest"
    )
    try:
        await consumer.start()
        async with asyncio.timeout(20):
            record = await consumer.getone()
        return bytes(record.value)
    finally:
        await consumer.stop()
