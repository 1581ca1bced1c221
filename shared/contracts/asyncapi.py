"""Reads the topic map; writes the AsyncAPI 3.0 document: channels, operations, messages, headers."""

import inspect
import re
from collections.abc import Mapping, Sequence

from shared.contracts.schemas import JsonObject
from shared.events import Event
from shared.messaging.codec import CONTENT_TYPE
from shared.topics import TENANT_PATTERN, TOPICS, Topic, dead_letter_of

SCHEMA_FOLDER = "schemas"
_BINDING = "0.5.0"
THE_TENANT = "the tenant"
EVERY_SUBSCRIBER = "every subscriber of the tenant"
_HEADERS: Mapping[str, str] = {
    "ce_specversion": "CloudEvents' version, 1.0.",
    "ce_id": "The same for the same version of the same aggregate, however often sent.",
    "ce_type": "The event type: the name of the message.",
    "ce_source": "Who says so, for example /onelead/scoring.",
    "ce_subject": "The aggregate: a lead id, an account id, a family, a tenant.",
    "ce_time": "When it was said, ISO 8601 in UTC.",
    "ce_tenant": "The tenant; on a tenant's own topic the topic's name decides.",
    "ce_version": "The event's version; an empty body (a tombstone) has no other.",
    "content-type": CONTENT_TYPE,
    "traceparent": "W3C trace context.",
    "ce_batch": "The import it follows from.",
}
_ALWAYS = tuple(name for name in _HEADERS if name not in {"traceparent", "ce_batch"})
_DESCRIPTION = """\
Rows of an installed base go in on the tenant's own topic, whole and explained leads come out on
another; everything between is inner and may change with less notice.

Messages are CloudEvents 1.0 in Kafka's binary mode. Delivery is at least once: the same event may
come again with the same `ce_id`, and of one aggregate (`ce_subject`) the highest `ce_version` holds,
in whatever order versions come. Ignore fields you do not know; where a schema says
`x-extensible-enum`, read a value you do not know as `unknown`. A change that would break this
is a new event type and topic, `.v2`.
"""


def asyncapi_document(version: str) -> JsonObject:
    """The whole document for a version of OneLead; payloads refer to the files in `schemas/`."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "OneLead",
            "version": version,
            "description": _DESCRIPTION,
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": dict(_operations()),
        "components": {
            "messages": {e.event_type: _message(t, e) for t in TOPICS for e in t.events},
            "schemas": {
                "headers": _headers(_ALWAYS),
                "headersFromTenants": _headers(("ce_type",)),
            },
        },
    }


def _channel(topic: Topic) -> JsonObject:
    channel: JsonObject = {
        "address": topic.for_tenant("{tenant}"),
        "description": _channel_text(topic),
        "messages": {
            event.event_type: {"$ref": f"#/components/messages/{event.event_type}"}
            for event in topic.events
        },
    }
    if topic.per_tenant:
        text = f"The tenant, 1 to 40 characters matching {TENANT_PATTERN}."
        channel["parameters"] = {"tenant": {"description": text}}
    configuration: JsonObject = {"cleanup.policy": [topic.cleanup]}
    if topic.cleanup == "delete":
        configuration["retention.ms"] = topic.retention_ms
    channel["bindings"] = {
        "kafka": {
            "partitions": topic.partitions,
            "topicConfiguration": configuration,
            "bindingVersion": _BINDING,
        }
    }
    return channel


def _channel_text(topic: Topic) -> str:
    kept = (
        "Compacted: the latest of each key is kept; an empty body removes the key."
        if topic.cleanup == "compact"
        else f"Kept for {topic.retention_ms // 86_400_000} days."
    )
    letters = dead_letter_of(topic.for_tenant("{tenant}"))
    return f"Key: {topic.key}. {kept} What cannot be handled goes to {letters}."


def _operations() -> list[tuple[str, JsonObject]]:
    """What each part of OneLead does with each topic; outsiders do the opposite."""
    found = []
    for topic in TOPICS:
        parts = [
            *(("send", who) for who in topic.producers),
            *(("receive", who) for who in topic.consumers),
        ]
        for action, who in parts:
            if who in {THE_TENANT, EVERY_SUBSCRIBER}:
                continue
            name = f"{re.sub('[^a-z]+', '-', who)}-{action}s-{topic.name.replace('.', '-')}"
            found.append((name, _operation(topic, action, who)))
    return found


def _operation(topic: Topic, action: str, who: str) -> JsonObject:
    channel = f"#/channels/{topic.name}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "summary": f"{who} {action}s on {topic.for_tenant('{tenant}')}",
        "messages": [{"$ref": f"{channel}/messages/{e.event_type}"} for e in topic.events],
    }


def _message(topic: Topic, event: type[Event]) -> JsonObject:
    text = inspect.cleandoc(event.__doc__ or event.__name__)
    headers = "headersFromTenants" if topic.producer == THE_TENANT else "headers"
    return {
        "name": event.event_type,
        "title": event.__name__,
        "summary": text.partition("\n\n")[0],
        "description": text,
        "contentType": CONTENT_TYPE,
        "headers": {"$ref": f"#/components/schemas/{headers}"},
        "payload": {"$ref": f"./{SCHEMA_FOLDER}/{event.event_type}.json"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": topic.key},
                "bindingVersion": _BINDING,
            }
        },
    }


def _headers(required: Sequence[str]) -> JsonObject:
    properties = {name: {"type": "string", "description": text} for name, text in _HEADERS.items()}
    return {"type": "object", "properties": properties, "required": list(required)}
