"""Hands a batch to ingest over Kafka, and follows what ingest says about it to its report."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from onelead.messages import partitions_of, publisher, reader
from shared import clock
from shared.errors import UserError
from shared.events import ImportPhase, ImportProgressed
from shared.messaging.codec import OutboxMessage, UnreadableMessageError, decode
from shared.topics import IMPORTS, RECORDS

_SENT_AT_ONCE = 2_000
_POLL_MS = 200
_FRAME = 2  # the batch's opening and its completion are no rows
ENDS = (ImportPhase.COMPLETED, ImportPhase.REFUSED)


@dataclass(frozen=True)
class Handover:
    """A batch ready to be sent: its messages in order, from its opening to its completion."""

    tenant_id: str
    batch_id: str
    messages: Sequence[OutboxMessage]


@dataclass(frozen=True)
class Progress:
    """Where an import stands, for a bar; `total` is None while it is not known."""

    doing: str
    done: int
    total: int | None


Watcher = Callable[[Progress], None]


async def hand_over(
    bootstrap: str,
    batch: Handover,
    watch: Watcher,
    *,
    idle_timeout_s: float,
    check: Callable[[], None] = lambda: None,
) -> ImportProgressed:
    """Publishes the batch and follows it; returns the last word about it, completed or refused.

    `check` is called now and then and may raise to give up. Raises UserError when nothing is heard
    of the batch for `idle_timeout_s`.
    """
    async with reader(bootstrap) as progress:
        await _require_tenant(progress, batch)
        await _listen(progress, bootstrap, idle_timeout_s)
        await _send(bootstrap, batch, watch, check)
        return await _follow(progress, batch, watch, idle_timeout_s, check)


async def _listen(progress: AIOKafkaConsumer, bootstrap: str, timeout_s: float) -> None:
    """Stands at the end of the progress topic. Raises UserError when the broker stops answering."""
    try:
        async with asyncio.timeout(timeout_s):
            partitions = await partitions_of(progress, IMPORTS.name)
            progress.assign(partitions)
            await progress.seek_to_end(*partitions)
            for partition in partitions:
                # Seeks are lazy: settle them before anything is sent.
                await progress.position(partition)
    except (TimeoutError, KafkaError):
        raise UserError(
            f"Kafka at {bootstrap} stopped answering; nothing was sent", exit_code=1
        ) from None


async def _require_tenant(consumer: AIOKafkaConsumer, batch: Handover) -> None:
    try:
        await partitions_of(consumer, RECORDS.for_tenant(batch.tenant_id))
    except UserError:
        raise UserError(
            f"there is no tenant {batch.tenant_id}",
            hint=f"onelead tenants add {batch.tenant_id}; `onelead tenants list` shows the others",
        ) from None


async def _send(bootstrap: str, batch: Handover, watch: Watcher, check: Callable[[], None]) -> None:
    sent = 0
    async with publisher(bootstrap) as out:
        for chunk in _chunks(batch.messages, _SENT_AT_ONCE):
            check()
            await out.send(chunk)
            sent += len(chunk)
            watch(Progress("sending", sent, len(batch.messages)))


async def _follow(
    progress: AIOKafkaConsumer,
    batch: Handover,
    watch: Watcher,
    idle_timeout_s: float,
    check: Callable[[], None],
) -> ImportProgressed:
    heard_at_s = clock.monotonic_s()
    last: ImportProgressed | None = None
    while clock.monotonic_s() - heard_at_s < idle_timeout_s:
        check()
        for event in await _heard(progress, batch):
            heard_at_s = clock.monotonic_s()
            last = event
            total = len(batch.messages) - _FRAME if event.total is None else event.total
            watch(Progress(event.phase.value, event.done, total))
            if event.phase in ENDS:
                return event
        await asyncio.sleep(0)
    raise _silence(batch, last, idle_timeout_s)


async def _heard(progress: AIOKafkaConsumer, batch: Handover) -> list[ImportProgressed]:
    found = []
    for records in (await progress.getmany(timeout_ms=_POLL_MS)).values():
        for record in records:
            try:
                received = decode(record)
            except UnreadableMessageError:
                continue
            event = received.event
            if not isinstance(event, ImportProgressed) or event.batch_id != batch.batch_id:
                continue
            if received.envelope.tenant_id == batch.tenant_id:
                found.append(event)
    return found


def _silence(batch: Handover, last: ImportProgressed | None, timeout_s: float) -> UserError:
    if last is None:
        return UserError(
            f"no ingest service answered within {timeout_s:.0f} s; the rows were sent and will be "
            f"handled once it runs (batch {batch.batch_id})",
            hint="start it with `onelead up`; its log is logs/ingest.log in the data folder",
            exit_code=1,
        )
    return UserError(
        f"the import stands still since {timeout_s:.0f} s while {last.phase.value} "
        f"({last.done} of {last.total or '?'}); it goes on once its cause is mended "
        f"(batch {batch.batch_id})",
        hint="logs/ingest.log in the data folder says why; ONELEAD_IMPORT_IDLE_TIMEOUT_S waits longer",
        exit_code=1,
    )


def _chunks(messages: Sequence[OutboxMessage], size: int) -> "Sequence[Sequence[OutboxMessage]]":
    return [messages[start : start + size] for start in range(0, len(messages), size)]
