"""Writes changes to the tenants' own topics until the broker has them, and logs each that it has."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared import clock
from shared.events import (
    Actor,
    BatchCompleted,
    BatchMode,
    BatchOpened,
    BatchPart,
    Event,
    RecordKind,
    RecordObserved,
    RecordRemoved,
)
from shared.messaging.codec import OutboxMessage, encode
from shared.topics import RECORDS
from tests.faults.generator import Change
from tests.faults.history import History, Input

SOURCE = "upstream"
_ACTOR = Actor(kind="upstream", id="battery")
_ANSWER_S = 10.0
_GIVE_UP_S = 180.0
_BURST_S = 0.05
_AGAIN_S = 0.5


class Feed:
    """An upstream that repeats what was not acknowledged, with the same id."""

    def __init__(self, bootstrap: str, history: History) -> None:
        self._bootstrap = bootstrap
        self._history = history
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()

    async def pour(self, changes: Sequence[Change], over_s: float) -> None:
        """Sends changes in their order, spread evenly over a time."""
        bursts = max(1, int(over_s / _BURST_S))
        size = -(-len(changes) // bursts)
        for start in range(0, len(changes), max(1, size)):
            await self.send(changes[start : start + size])
            await asyncio.sleep(_BURST_S)

    async def send(self, changes: Sequence[Change]) -> None:
        """Sends changes until all are acknowledged. Raises TimeoutError when that does not come."""
        await self._send_all([_message(change) for change in changes], changes)

    async def hand_over(self, rows: Sequence[Change]) -> None:
        """Sends the rows of one tenant as one import."""
        await self._send_all(_import(rows), rows)

    async def _send_all(self, messages: Sequence[OutboxMessage], changes: Sequence[Change]) -> None:
        async with self._lock, asyncio.timeout(_GIVE_UP_S):
            acknowledged = await self._acknowledged(messages)
            while not acknowledged:
                await asyncio.sleep(_AGAIN_S)
                acknowledged = await self._acknowledged(messages)
            now = clock.now().timestamp()
            self._history.add(*(as_input(change, now) for change in changes))

    async def _acknowledged(self, messages: Sequence[OutboxMessage]) -> bool:
        try:
            async with asyncio.timeout(_ANSWER_S):
                producer = await self._connected()
                sent = [await self._send(producer, message) for message in messages]
                await asyncio.gather(*sent)
        except (KafkaError, OSError, TimeoutError):
            await self.close()
            return False
        return True

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=[self._bootstrap], acks="all", enable_idempotence=True
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def _send(
        self, producer: AIOKafkaProducer, message: OutboxMessage
    ) -> "asyncio.Future[object]":
        sent: asyncio.Future[object] = await producer.send(
            message.topic,
            value=message.body,
            headers=[(name, value.encode()) for name, value in message.headers.items()],
        )
        return sent

    async def close(self) -> None:
        """Lets go of the broker; what it has not acknowledged is sent again by the next producer."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError, OSError, TimeoutError):
                async with asyncio.timeout(_ANSWER_S):
                    await producer.stop()


def as_input(change: Change, at: float = 0.0) -> Input:
    """A change as the history notes it."""
    event_id = _message(change).headers["ce_id"]
    return Input(change.tenant, change.box, change.version, change.values, event_id, at)


def _message(change: Change) -> OutboxMessage:
    event = (
        RecordRemoved(
            kind=RecordKind.INSTALL_BASE,
            source=SOURCE,
            record_id=change.box,
            version=change.version,
            actor=_ACTOR,
        )
        if change.values is None
        else RecordObserved(
            kind=RecordKind.INSTALL_BASE,
            source=SOURCE,
            record_id=change.box,
            values=dict(change.values),
            version=change.version,
            actor=_ACTOR,
        )
    )
    return _encoded(event, change.tenant, f"{SOURCE}/{change.box}")


def _import(rows: Sequence[Change]) -> list[OutboxMessage]:
    """An import of these rows from its opening to its completion."""
    tenant, batch_id, kind = rows[0].tenant, f"battery-{rows[0].box}", RecordKind.INSTALL_BASE
    part = BatchPart(
        kind=kind,
        source="import",
        mode=BatchMode.DELTA,
        file="boxes.csv",
        sheet="boxes",
        first_row=2,
        headers={},
    )
    observed = [
        RecordObserved(
            kind=kind,
            source="import",
            record_id=each.box,
            values=dict(each.values or {}),
            batch_id=batch_id,
            row=row,
            actor=_ACTOR,
        )
        for row, each in enumerate(rows, start=1)
    ]
    return [
        _encoded(BatchOpened(batch_id=batch_id, parts=(part,), actor=_ACTOR), tenant, batch_id),
        *(_encoded(each, tenant, f"{batch_id}/0/{each.row}") for each in observed),
        _encoded(
            BatchCompleted(batch_id=batch_id, count=len(rows), actor=_ACTOR), tenant, batch_id
        ),
    ]


def _encoded(event: Event, tenant: str, subject: str) -> OutboxMessage:
    return encode(
        event,
        tenant_id=tenant,
        source=f"/{SOURCE}",
        subject=subject,
        topic=RECORDS.for_tenant(tenant),
        key="",
    )
