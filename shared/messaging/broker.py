"""The FastStream edge: a safe broker, and batch subscribers that survive any header and any body."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.message import StreamMessage

from shared.messaging.codec import KafkaRecord
from shared.messaging.consumer import Consumer
from shared.messaging.security import broker_security
from shared.messaging.tolerant_records import tolerate_any_header_name
from shared.ops.logs import get_logger
from shared.settings import ServiceSettings

_log = get_logger(__name__)
_Original = Callable[[tuple[Any, ...]], Awaitable[StreamMessage[Any]]]


def make_broker(settings: ServiceSettings, service: str) -> KafkaBroker:
    """A broker that only consumes safely; all publishing goes through the outbox relay."""
    tolerate_any_header_name()
    return KafkaBroker(
        settings.kafka_bootstrap.split(","),
        client_id=f"onelead-{service}",
        acks="all",
        enable_idempotence=True,
        allow_auto_create_topics=False,
        metadata_max_age_ms=settings.metadata_max_age_ms,
        graceful_timeout=settings.stop_timeout_s,
        security=broker_security(settings),
        logger=None,
    )


class _Headerless:
    """A record shown to FastStream's own parser without headers, any of which could kill it."""

    headers: tuple[()] = ()

    def __init__(self, record: Any) -> None:
        self._record = record

    def __getattr__(self, name: str) -> Any:
        return getattr(self._record, name)


async def _tolerant_parser(records: tuple[Any, ...], original: _Original) -> StreamMessage[Any]:
    message = await original(tuple(_Headerless(record) for record in records))
    message.raw_message = records
    return message


async def _raw_decoder(message: StreamMessage[Any], _original: Any = None) -> Any:
    return message.body


def subscribe(broker: KafkaBroker, consumer: Consumer, settings: ServiceSettings) -> Any:
    """Connects a consumer to its topic (of every tenant, if it is theirs). Returns the subscriber."""
    topic = consumer.topic
    where: dict[str, Any] = {"pattern": topic.pattern} if topic.per_tenant else {}
    names = () if topic.per_tenant else (topic.name,)
    instance = settings.instance_id and f"{consumer.name}-{settings.instance_id}"
    subscriber = broker.subscriber(
        *names,
        **where,
        batch=True,
        group_id=consumer.name,
        group_instance_id=instance or None,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        no_reply=True,
        max_records=settings.batch_max_records,
        batch_timeout_ms=settings.fetch_max_wait_ms,
        fetch_max_wait_ms=settings.fetch_max_wait_ms,
        session_timeout_ms=settings.session_timeout_ms,
        heartbeat_interval_ms=max(300, settings.session_timeout_ms // 4),
        parser=cast("Any", _tolerant_parser),
        decoder=cast("Any", _raw_decoder),
    )

    async def on_batch(message: KafkaMessage) -> None:
        records = cast("Sequence[KafkaRecord]", message.raw_message)
        await consumer.consume(records)

    subscriber(on_batch)
    return subscriber
