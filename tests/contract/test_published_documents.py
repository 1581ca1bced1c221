"""docs/events is what the code says: generated, committed, valid, and true of real messages."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shared.contracts.__main__ import EVENTS_FOLDER, documents, write
from shared.contracts.schemas import event_schemas
from shared.events import EVENTS, LeadChanged
from shared.messaging.codec import encode, tombstone
from shared.topics import LEADS, TOPICS
from tests.support.event_strategies import events

ASYNCAPI: dict[str, Any] = yaml.safe_load(documents()["asyncapi.yaml"])
HEADERS = ASYNCAPI["components"]["schemas"]["headers"]


@pytest.mark.parametrize("name", sorted(documents()))
def test_the_committed_file_is_the_generated_one(name: str) -> None:
    path = EVENTS_FOLDER / name
    assert path.exists(), f"{name} is missing: make schemas"
    assert path.read_text(encoding="utf-8") == documents()[name], f"{name} is old: make schemas"


def test_no_schema_is_left_of_an_event_that_is_gone() -> None:
    committed = {str(p.relative_to(EVENTS_FOLDER)) for p in EVENTS_FOLDER.glob("schemas/*.json")}
    assert committed == {f"schemas/{event.event_type}.json" for event in EVENTS}


def test_writing_again_removes_what_is_no_longer_generated(tmp_path: Path) -> None:
    write(tmp_path, {"schemas/a.json": "{}", "asyncapi.yaml": "a"})
    write(tmp_path, {"schemas/b.json": "{}", "asyncapi.yaml": "b"})
    assert sorted(p.name for p in tmp_path.rglob("*.*")) == ["asyncapi.yaml", "b.json"]


@pytest.mark.parametrize("kind", sorted(event_schemas()))
def test_every_schema_is_a_json_schema(kind: str) -> None:
    Draft202012Validator.check_schema(event_schemas()[kind])


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    for reference in _references(ASYNCAPI):
        place: Any = ASYNCAPI
        if reference.startswith("./"):
            assert (EVENTS_FOLDER / reference).exists()
            continue
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_every_topic_is_a_channel_and_every_event_a_message() -> None:
    assert [c["address"] for c in ASYNCAPI["channels"].values()] == [
        topic.for_tenant("{tenant}") for topic in TOPICS
    ]
    assert set(ASYNCAPI["components"]["messages"]) == {event.event_type for event in EVENTS}


def test_each_service_sends_and_receives_what_the_topic_map_says() -> None:
    told = {o["summary"] for o in ASYNCAPI["operations"].values()}
    for topic in TOPICS:
        for service in ("ingest", "scoring", "recommender", "notifier", "lifecycle"):
            name = topic.for_tenant("{tenant}")
            assert (f"{service} sends on {name}" in told) == (service in topic.producers)
            assert (f"{service} receives on {name}" in told) == (service in topic.consumers)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_headers_of_a_message_keep_their_published_schema(data: st.DataObject) -> None:
    event = data.draw(events(LeadChanged))
    message = encode(
        event,
        tenant_id="acme",
        source="/onelead/recommender",
        subject="lead",
        topic=LEADS.for_tenant("acme"),
        key="acme|lead",
    )
    Draft202012Validator(HEADERS).validate(dict(message.headers))
    assert set(message.headers) <= set(HEADERS["properties"])


def test_a_tombstone_has_the_same_headers() -> None:
    message = tombstone(
        LeadChanged,
        tenant_id="acme",
        source="/onelead/recommender",
        subject="lead",
        topic=LEADS.for_tenant("acme"),
        key="acme|lead",
        version=7,
    )
    Draft202012Validator(HEADERS).validate(dict(message.headers))
    assert message.body is None


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for inner in node for found in _references(inner)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [found for inner in node.values() for found in _references(inner)]
