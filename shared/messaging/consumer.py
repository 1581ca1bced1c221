"""Runs a handler over a batch of records: judges each, dead-letters the bad, retries the unlucky."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import clock
from shared.db.engine import Database
from shared.db.erasure import erased_among
from shared.messaging.codec import KafkaRecord, Received, UnreadableMessageError, decode
from shared.messaging.dead_letter import NO_TENANT, DeadLetter, DeadLetters
from shared.messaging.errors import backoff_s, describe, is_transient
from shared.messaging.poison import Outcome, PoisonGuard
from shared.ops import metrics
from shared.ops.logs import get_logger
from shared.topics import Topic

Handler = Callable[[AsyncConnection, Sequence[Received]], Awaitable[None]]
_log = get_logger(__name__)


class ConsumerStoppedError(RuntimeError):
    """Too many bad messages: reading on would only put more aside. The health page says why."""


@dataclass(frozen=True)
class Judged:
    """A record with what it turned out to be: readable, or a dead letter."""

    record: KafkaRecord
    received: Received | None
    letter: DeadLetter | None

    @property
    def tenant_id(self) -> str:
        """Whose message it is."""
        if self.received:
            return self.received.envelope.tenant_id
        return self.letter.tenant_id if self.letter else NO_TENANT

    def outcome(self, *, good: bool) -> Outcome:
        """What the poison guard counts."""
        record = self.record
        return Outcome(record.topic, record.partition, record.offset, good)


class Consumer:
    """One subscription: load → decide → save in one transaction per batch, committed before the offset."""

    def __init__(
        self,
        name: str,
        topic: Topic,
        database: Database,
        dead_letters: DeadLetters,
        handler: Handler,
        *,
        marks: Table | None = None,
    ) -> None:
        """`marks`: the tenants that were erased; their messages are read and forgotten."""
        self.name = name
        self.topic = topic
        self.guard = None if topic.per_tenant and topic.producer == "the tenant" else PoisonGuard()
        self._database = database
        self._dead_letters = dead_letters
        self._handler = handler
        self._marks = marks
        self._attempt = 0
        self._dice = random.Random()  # noqa: S311 - spreads retries, guards nothing
        self.last_progress_s = clock.monotonic_s()
        self.last_turn_s = self.last_progress_s
        """When a batch was last given to it or given back, handled or not."""
        self.in_hand: Counter[tuple[str, int]] = Counter()
        """Records of the batch that is being handled or waits for its next attempt, by partition."""

    @property
    def stopped_because(self) -> str | None:
        """Why this consumer refuses to read on, or None."""
        return self.guard.tripped if self.guard else None

    async def consume(self, records: Sequence[KafkaRecord]) -> None:
        """Handles a batch. Raises when it must be read again, after having waited for its back-off."""
        self.in_hand = Counter((record.topic, record.partition) for record in records)
        self.last_turn_s = clock.monotonic_s()
        if self._attempt == 0:
            self.last_progress_s = clock.monotonic_s()
        try:
            await self._consume(records)
        finally:
            self.in_hand.clear()
            self.last_turn_s = clock.monotonic_s()
        self._attempt = 0
        self.last_progress_s = clock.monotonic_s()
        metrics.HANDLED.labels(self.name, self.topic.name).inc(len(records))

    async def _consume(self, records: Sequence[KafkaRecord]) -> None:
        judged = [self._judge(record) for record in records]
        try:
            with metrics.HANDLER_SECONDS.labels(self.name).time():
                await self._handle(judged)
        except (KeyboardInterrupt, SystemExit, asyncio.CancelledError):
            raise
        except BaseException as error:
            await self._wait_before_retry(error)
            raise

    def _judge(self, record: KafkaRecord) -> Judged:
        tenant_id: str | None = None
        try:
            tenant_id = self.topic.tenant_of(record.topic) if self.topic.per_tenant else None
            return Judged(record, decode(record, tenant_id), None)
        except (UnreadableMessageError, ValueError) as error:
            letter = DeadLetter(record, tenant_id or NO_TENANT, "unreadable", str(error))
            return Judged(record, None, letter)

    def _stop_when_poisoned(self, outcomes: Sequence[Outcome]) -> None:
        """Before a commit: what trips the guard must stay uncommitted."""
        if self.guard and self.guard.foresee(outcomes):
            raise ConsumerStoppedError(f"{self.name}: {self.guard.tripped}")

    def _observe(self, outcomes: Sequence[Outcome]) -> None:
        if self.guard:
            self.guard.observe(outcomes)

    async def _handle(self, judged: Sequence[Judged]) -> None:
        """One transaction for all; when a record makes it fail, halves, down to that record."""
        try:
            await self._in_one_transaction(judged)
        except Exception as error:
            if is_transient(error) or isinstance(error, ConsumerStoppedError):
                raise
            if len(judged) > 1:
                middle = len(judged) // 2
                await self._handle(judged[:middle])
                await self._handle(judged[middle:])
                return
            await self._put_aside(judged[0], error)

    async def _in_one_transaction(self, judged: Sequence[Judged]) -> None:
        outcomes = [item.outcome(good=item.received is not None) for item in judged]
        self._stop_when_poisoned(outcomes)
        async with self._database.transaction({item.tenant_id for item in judged}) as connection:
            erased = await self._erased(connection)
            judged = [item for item in judged if item.tenant_id not in erased]
            letters = [item.letter for item in judged if item.letter]
            received = [item.received for item in judged if item.received]
            await self._dead_letters.add(connection, letters)
            if received:
                await self._handler(connection, received)
        self._observe(outcomes)
        self._tell(letters)

    async def _erased(self, connection: AsyncConnection) -> frozenset[str]:
        """Those of the batch's tenants whose messages are no longer ours to keep."""
        return frozenset() if self._marks is None else await erased_among(connection, self._marks)

    async def _put_aside(self, item: Judged, error: Exception) -> None:
        tenant_id = item.tenant_id
        letter = DeadLetter(item.record, tenant_id, type(error).__name__, describe(error))
        outcomes = [item.outcome(good=False)]
        self._stop_when_poisoned(outcomes)
        async with self._database.transaction({tenant_id}) as connection:
            await self._dead_letters.add(connection, [letter])
        self._observe(outcomes)
        self._tell([letter])

    def _tell(self, letters: Sequence[DeadLetter]) -> None:
        for letter in letters:
            metrics.DEAD_LETTERS.labels(self.name, letter.error_class).inc()
            _log.warning(
                "message put aside",
                consumer=self.name,
                tenant=letter.tenant_id,
                topic=letter.record.topic,
                partition=letter.record.partition,
                offset=letter.record.offset,
                error_class=letter.error_class,
                error=letter.error[:300],
            )

    async def _wait_before_retry(self, error: BaseException) -> None:
        self._attempt += 1
        metrics.RETRIES.labels(self.name).inc()
        delay_s = backoff_s(self._attempt, self._dice)
        _log.warning(
            "batch will be read again",
            consumer=self.name,
            attempt=self._attempt,
            delay_s=round(delay_s, 2),
            error=f"{type(error).__name__}: {describe(error)[:300]}",
        )
        await asyncio.sleep(delay_s)
