"""Between events and Kafka messages: CloudEvents 1.0 in binary mode, judged tolerantly on reading."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from pydantic import TypeAdapter

from shared import clock
from shared.events import EVENT_BY_TYPE, Envelope, Event
from shared.topics import check_tenant

CONTENT_TYPE = "application/json"
_ADAPTERS = {kind: TypeAdapter(event) for kind, event in EVENT_BY_TYPE.items()}


class KafkaRecord(Protocol):
    """The part of aiokafka's ConsumerRecord that is read here."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp: int


@dataclass(frozen=True)
class OutboxMessage:
    """A message on its way out; a body of None is a tombstone."""

    tenant_id: str
    topic: str
    key: str
    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True)
class Received:
    """A message that could be read. `event` is None for a tombstone."""

    envelope: Envelope
    event: Event | None
    topic: str
    partition: int
    offset: int
    key: str


class UnreadableMessageError(ValueError):
    """The message is not one of ours; the text says what is wrong without its content."""


def event_id(event_type: str, tenant_id: str, subject: str, version: int) -> str:
    """The CloudEvents id: the same for the same version of the same aggregate, however often sent."""
    return f"{event_type}|{tenant_id}|{subject}|{version}"


def encode(
    event: Event,
    *,
    tenant_id: str,
    source: str,
    subject: str,
    topic: str,
    key: str,
    traceparent: str | None = None,
    batch_id: str | None = None,
) -> OutboxMessage:
    """The message that carries an event; `subject` names its aggregate (a lead, an account …)."""
    headers = _headers(event.event_type, tenant_id, source, subject, event.version)
    if traceparent:
        headers["traceparent"] = traceparent
    if batch_id:
        headers["ce_batch"] = batch_id
    return OutboxMessage(
        tenant_id, topic, key, headers, event.__pydantic_serializer__.to_json(event)
    )


def tombstone(
    event_class: type[Event],
    *,
    tenant_id: str,
    source: str,
    subject: str,
    topic: str,
    key: str,
    version: int,
) -> OutboxMessage:
    """The message that removes a key from a compacted topic; its version stands in the headers."""
    headers = _headers(event_class.event_type, tenant_id, source, subject, version)
    return OutboxMessage(tenant_id, topic, key, headers, None)


def _headers(kind: str, tenant_id: str, source: str, subject: str, version: int) -> dict[str, str]:
    return {
        "ce_specversion": "1.0",
        "ce_id": event_id(kind, tenant_id, subject, version),
        "ce_type": kind,
        "ce_source": source,
        "ce_subject": subject,
        "ce_time": clock.now().isoformat(),
        "ce_tenant": tenant_id,
        "ce_version": str(version),
        "content-type": CONTENT_TYPE,
    }


def decode(record: KafkaRecord, tenant_id: str | None = None) -> Received:
    """Reads a record; `tenant_id`, when given, comes from the topic's name and overrules the header.

    Raises UnreadableMessageError for anything that is not one of our events.
    """
    try:
        headers = {name: (raw or b"").decode() for name, raw in record.headers}
        envelope = _envelope(record, headers, tenant_id)
        key = (record.key or b"").decode()
        event = None if record.value is None else _event(envelope.type, record.value)
    except UnreadableMessageError:
        raise
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        raise UnreadableMessageError(_without_content(error)) from None
    if event is None and not envelope.version:
        raise UnreadableMessageError("an empty body without ce_version")
    return Received(envelope, event, record.topic, record.partition, record.offset, key)


def _envelope(record: KafkaRecord, headers: dict[str, str], tenant_id: str | None) -> Envelope:
    kind = headers.get("ce_type", "")
    if kind not in _ADAPTERS:
        raise UnreadableMessageError(f"unknown ce_type {kind[:100]!r}")
    tenant = check_tenant(tenant_id or headers.get("ce_tenant", ""))
    sent_at = headers.get("ce_time")
    return Envelope(
        id=headers.get("ce_id") or f"{record.topic}/{record.partition}/{record.offset}",
        type=kind,
        source=headers.get("ce_source", ""),
        subject=headers.get("ce_subject", ""),
        time=datetime.fromisoformat(sent_at)
        if sent_at
        else datetime.fromtimestamp(record.timestamp / 1_000, UTC),
        tenant_id=tenant,
        version=int(headers.get("ce_version") or 0),
        traceparent=headers.get("traceparent"),
        batch_id=headers.get("ce_batch"),
    )


def _event(kind: str, body: bytes) -> Event:
    event: Event = _ADAPTERS[kind].validate_json(body)
    return event


def _without_content(error: BaseException) -> str:
    """Pydantic's messages quote the input; a log or a dead letter's reason must not."""
    problems = getattr(error, "errors", None)
    if callable(problems):
        listed = problems(include_input=False, include_url=False, include_context=False)
        places = [
            ".".join(str(p) for p in item["loc"]) + ": " + item["type"] for item in listed[:5]
        ]
        return f"{len(listed)} invalid fields: " + "; ".join(places)
    return type(error).__name__
