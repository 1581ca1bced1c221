"""The Kafka that the edition starts: answers, keeps its data through a kill, leaves nothing."""

import shutil
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient

from onelead.access import allow_tenant, rights_of
from onelead.broker import create_missing_topics, tenants_on
from onelead.edition import ports
from onelead.edition.jars import local_jars
from onelead.edition.java import JavaKafka
from onelead.edition.kafka import Kafka, Listener, is_answering
from onelead.messages import read_from_beginning
from shared.errors import UserError
from shared.topics import RECORDS
from tests.support.command import processes_of

_TIMEOUT_S = 60.0


def kafka_in(folder: Path, java: JavaKafka, **properties: str) -> Kafka:
    named = {name.replace("_", "."): value for name, value in properties.items()}
    log = folder / "kafka.log"
    return Kafka(folder / "kafka", log, java, ports.claim(0, "X"), properties=named)


async def send(bootstrap: str, topic: str, *values: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    for value in values:
        await producer.send_and_wait(topic, value)
    await producer.stop()


async def test_it_answers_when_it_is_ready_and_leaves_no_process(
    java: JavaKafka, tmp_path: Path
) -> None:
    kafka = kafka_in(tmp_path, java)
    await kafka.start(_TIMEOUT_S)
    assert await is_answering(kafka.bootstrap)
    await kafka.stop()
    assert not await is_answering(kafka.bootstrap, timeout_s=1)
    assert processes_of(tmp_path) == []


async def test_what_it_acknowledged_survives_a_kill_and_a_new_port(
    java: JavaKafka, tmp_path: Path
) -> None:
    kafka = kafka_in(tmp_path, java)
    await kafka.start(_TIMEOUT_S)
    await create_missing_topics(kafka.bootstrap, ["acme"])
    topic = RECORDS.for_tenant("acme")
    await send(kafka.bootstrap, topic, b"1", b"2")
    kafka.kill()
    again = kafka_in(tmp_path, java)
    await again.start(_TIMEOUT_S)
    await send(again.bootstrap, topic, b"3")
    assert [r.value for r in await read_from_beginning(again.bootstrap, topic)] == [
        b"1",
        b"2",
        b"3",
    ]
    await again.stop()


async def ports_told(bootstrap: str) -> set[int]:
    """Where the broker's clients are told to go on."""
    client = AIOKafkaClient(bootstrap_servers=[bootstrap])
    await client.bootstrap()
    told = {broker.port for broker in client.cluster.brokers()}
    await client.close()
    return told


async def test_who_comes_in_by_another_listener_is_told_to_come_where_that_says(
    java: JavaKafka, tmp_path: Path
) -> None:
    own, port, proxy = (ports.claim(0, "X") for _ in range(3))
    log, beside = tmp_path / "kafka.log", Listener("PROXIED", port, advertised_port=proxy)
    kafka = Kafka(tmp_path / "kafka", log, java, own, listeners=[beside])
    await kafka.start(_TIMEOUT_S)
    assert await ports_told(f"{ports.HOST}:{port}") == {proxy}
    assert await ports_told(kafka.bootstrap) == {own}
    await kafka.stop()


async def test_a_format_that_was_cut_off_is_done_again(java: JavaKafka, tmp_path: Path) -> None:
    draft = tmp_path / "kafka" / "log.new"
    draft.mkdir(parents=True)
    (draft / "meta.properties").write_text("version=1\ncluster.id=x\nnode.id=1\n")
    kafka = kafka_in(tmp_path, java)
    await kafka.start(_TIMEOUT_S)
    await kafka.stop()


async def test_a_broker_that_cannot_start_says_why_and_where_its_log_is(
    java: JavaKafka, tmp_path: Path
) -> None:
    kafka = kafka_in(tmp_path, java, log_segment_bytes="no-number")
    with pytest.raises(UserError, match=r"Kafka (ended|could not)") as raised:
        await kafka.start(_TIMEOUT_S)
    assert "log.segment.bytes" in raised.value.message
    assert "kafka.log" in str(raised.value.hint)
    assert processes_of(tmp_path) == []


async def test_it_runs_without_a_trained_start_too(java: JavaKafka, tmp_path: Path) -> None:
    kafka = kafka_in(tmp_path, JavaKafka(java.jars, java.heap_mb))
    await kafka.start(_TIMEOUT_S)
    await kafka.stop()


async def test_a_tenant_exists_once_its_topics_do(java: JavaKafka, tmp_path: Path) -> None:
    kafka = kafka_in(tmp_path, java)
    await kafka.start(_TIMEOUT_S)
    created = await create_missing_topics(kafka.bootstrap, ["acme", "default"])
    assert len(created) == len(set(created)) > 0
    assert await create_missing_topics(kafka.bootstrap, ["acme"]) == []
    assert await tenants_on(kafka.bootstrap) == ["acme", "default"]
    assert not await allow_tenant(kafka.bootstrap, "acme", "User:acme")
    await kafka.stop()


async def test_a_guarded_broker_gets_a_tenants_rights(java: JavaKafka, tmp_path: Path) -> None:
    kafka = kafka_in(
        tmp_path,
        java,
        authorizer_class_name="org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        super_users="User:ANONYMOUS",
    )
    await kafka.start(_TIMEOUT_S)
    await create_missing_topics(kafka.bootstrap, ["acme"])
    assert await allow_tenant(kafka.bootstrap, "acme", "User:acme")
    assert await allow_tenant(kafka.bootstrap, "acme", "User:acme")
    with pytest.raises(UserError, match="was not granted"):
        await allow_tenant(kafka.bootstrap, "acme", "acme")
    await kafka.stop()


def test_a_tenants_rights_reach_its_own_topics_only() -> None:
    names = {right.name for right in rights_of("acme")}
    assert names == {"onelead.records.v1.acme", "onelead.leads.v1.acme", "acme."}


async def test_jars_of_ones_own_are_used_when_kafka_is_among_them(
    java: JavaKafka, tmp_path: Path
) -> None:
    libs = tmp_path / "libs"
    libs.mkdir()
    with pytest.raises(UserError, match="ONELEAD_KAFKA_JARS"):
        local_jars(libs)
    for jar in java.jars:
        shutil.copy(jar, libs)
    kafka = kafka_in(tmp_path, JavaKafka(local_jars(libs), 320))
    await kafka.start(_TIMEOUT_S)
    await kafka.stop()
