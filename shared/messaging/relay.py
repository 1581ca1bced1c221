"""The outbox relay: publishes committed messages in key order and deletes what the broker acknowledged.

One process holds a shard, by an advisory lock on a connection of its own; when that connection or
the broker stops answering, the process ends and the next holder waits until nothing can be in flight.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared import clock
from shared.db.engine import Database
from shared.messaging.security import client_arguments
from shared.messaging.unpublishable import Unpublishable
from shared.ops import metrics
from shared.ops.logs import get_logger
from shared.settings import ServiceSettings

_log = get_logger(__name__)
_CHUNK = 2_000
LOCK_SPACE = 0x01EAD
"""Of the advisory locks `SERVICE/SHARD`; who has one publishes that shard."""
_LONGEST_ANSWER_S = 5.0
_RETRY_LOCK_S = 1.0


def answer_within_s(publish_timeout_s: float) -> float:
    """So long a relay waits for PostgreSQL: as for the broker, and no longer than 5 seconds."""
    return min(publish_timeout_s, _LONGEST_ANSWER_S)


def in_flight_s(publish_timeout_s: float) -> float:
    """So long what a relay has asked for may be on its way: from PostgreSQL, then to the broker."""
    return answer_within_s(publish_timeout_s) + publish_timeout_s


class RelayLostError(RuntimeError):
    """The right to publish is gone or in doubt: the process must end without flushing."""


class Relay:
    """Publishes one service's outbox for the shards this process holds."""

    def __init__(self, database: Database, schema: str, settings: ServiceSettings) -> None:
        self._database = database
        self._schema = schema
        self._settings = settings
        self._answer_s = answer_within_s(settings.relay_publish_timeout_s)
        self._wake = asyncio.Event()
        self._held: list[int] = []
        self._stop = asyncio.Event()
        self._unpublishable = Unpublishable(schema)
        self.name = f"{schema}/{settings.instance_id or 'dynamic'}"
        self._select = text(
            f"SELECT id, topic, key, headers, body FROM {schema}.outbox"
            f" WHERE shard = ANY(CAST(:shards AS smallint[])) ORDER BY id LIMIT {_CHUNK}"
        )
        self._delete = text(f"DELETE FROM {schema}.outbox WHERE id = ANY(CAST(:ids AS bigint[]))")

    @property
    def held_shards(self) -> tuple[int, ...]:
        """The shards this process publishes."""
        return tuple(self._held)

    def stop(self) -> None:
        """Asks `run` to publish what is committed, give its shards back and return."""
        self._stop.set()
        self._wake.set()

    async def run(self) -> None:
        """Holds and publishes shards until stopped. Raises RelayLostError when it must not go on."""
        async with self._database.engine.connect() as connection:
            lock = await connection.execution_options(isolation_level="AUTOCOMMIT")
            driver = (await lock.get_raw_connection()).driver_connection
            assert driver is not None
            await driver.add_listener(f"{self._schema}_outbox", self._on_notify)
            producer = self._producer()
            await producer.start()
            # Not in a `finally`: after a loss the producer must not flush what it still holds.
            try:
                await self._serve(lock, producer)
                await self._give_back(lock)
            except Exception as error:
                raise RelayLostError(f"{type(error).__name__}: {error}") from error
            await producer.stop()

    def _producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self._settings.kafka_bootstrap.split(","),
            client_id=f"onelead-{self._schema}-relay",
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=256 * 1024,
            request_timeout_ms=int(self._settings.relay_publish_timeout_s * 1_000),
            **client_arguments(self._settings),
        )

    def _on_notify(self, *_: Any) -> None:
        self._wake.set()

    async def _serve(self, lock: AsyncConnection, producer: AIOKafkaProducer) -> None:
        await self._let_go_when_silent(lock)
        next_try_s = 0.0
        while True:
            self._wake.clear()
            if clock.monotonic_s() >= next_try_s:
                await self._take_free_shards(lock)
                next_try_s = clock.monotonic_s() + _RETRY_LOCK_S
            published = await self._publish_chunk(lock, producer)
            if published:
                continue
            if self._stop.is_set():
                return
            await self._idle()

    async def _let_go_when_silent(self, lock: AsyncConnection) -> None:
        """Has PostgreSQL end the session, and the locks with it, when it hears nothing from here.

        It is not told when a connection dies on the way, and would keep the locks from the next holder.
        """
        pauses_s = self._settings.relay_poll_ms / 1_000 + self._settings.relay_publish_timeout_s
        most_ms = int((pauses_s + 2 * self._answer_s) * 1_000)
        statement = text("SELECT set_config('idle_session_timeout', :most_ms, false)")
        async with asyncio.timeout(self._answer_s):
            await lock.execute(statement, {"most_ms": str(most_ms)})

    async def _idle(self) -> None:
        try:
            async with asyncio.timeout(self._settings.relay_poll_ms / 1_000):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _take_free_shards(self, lock: AsyncConnection) -> None:
        """Takes every shard nobody holds; waits first if a last holder may still be publishing."""
        if self._stop.is_set():
            return
        shards = range(self._settings.relay_shards)
        taken = [s for s in shards if s not in self._held and await self._lock(lock, s)]
        if not taken:
            return
        unclean = await self._any_left_unclean(lock, taken)
        if unclean and await self._stopped_within(
            in_flight_s(self._settings.relay_publish_timeout_s)
        ):
            return
        for shard in taken:
            await self._record_holder(lock, shard, clean=False)
            self._held.append(shard)
            metrics.RELAY_HOLDER.labels(str(shard)).set(1)
        _log.info("relay holds shards", shards=taken, waited=unclean)

    async def _lock(self, lock: AsyncConnection, shard: int) -> bool:
        statement = text("SELECT pg_try_advisory_lock(:space, hashtext(:name))")
        parameters = {"space": LOCK_SPACE, "name": f"{self._schema}/{shard}"}
        async with asyncio.timeout(self._answer_s):
            return bool(await lock.scalar(statement, parameters))

    async def _any_left_unclean(self, lock: AsyncConnection, shards: Sequence[int]) -> bool:
        statement = text(
            f"SELECT EXISTS (SELECT FROM {self._schema}.relay_holders"
            " WHERE NOT clean AND shard = ANY(CAST(:shards AS smallint[])))"
        )
        async with asyncio.timeout(self._answer_s):
            return bool(await lock.scalar(statement, {"shards": list(shards)}))

    async def _stopped_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._stop.wait()
        except TimeoutError:
            return False

    async def _give_back(self, lock: AsyncConnection) -> None:
        for shard in self._held:
            await self._record_holder(lock, shard, clean=True)
            metrics.RELAY_HOLDER.labels(str(shard)).set(0)
        self._held.clear()
        # The connection goes back to a pool, which would keep the locks.
        await lock.execute(text("SELECT pg_advisory_unlock_all()"))

    async def _record_holder(self, lock: AsyncConnection, shard: int, *, clean: bool) -> None:
        statement = text(
            f"INSERT INTO {self._schema}.relay_holders (tenant_id, shard, holder, clean)"
            " VALUES ('_relay_', :shard, :holder, :clean)"
            " ON CONFLICT (tenant_id, shard) DO UPDATE"
            " SET holder = excluded.holder, clean = excluded.clean, changed_at = now()"
        )
        async with asyncio.timeout(self._answer_s):
            await lock.execute(statement, {"shard": shard, "holder": self.name, "clean": clean})

    async def _publish_chunk(self, lock: AsyncConnection, producer: AIOKafkaProducer) -> int:
        """Publishes and deletes the oldest rows of the held shards; returns how many there were."""
        if not self._held:
            return 0
        # The lock's own connection reads the rows: an answer proves that the lock is still ours.
        async with asyncio.timeout(self._answer_s):
            rows = (await lock.execute(self._select, {"shards": self._held})).all()
        if not rows:
            return 0
        async with asyncio.timeout(self._settings.relay_publish_timeout_s):
            sifted = await self._unpublishable.sift(lock, producer, rows)
            await self._publish(producer, sifted.sendable)
        async with asyncio.timeout(self._answer_s):
            await lock.execute(self._delete, {"ids": [row.id for row in sifted.sendable]})
        return len(sifted.sendable) + sifted.moved

    async def _publish(self, producer: AIOKafkaProducer, rows: Sequence[Row[Any]]) -> None:
        waiting = [
            await producer.send(
                row.topic,
                key=row.key.encode(),
                value=row.body,
                # A broker refuses what lies more than an hour ahead, as the machine's clock may.
                timestamp_ms=clock.now_us() // 1_000,
                headers=[(name, value.encode()) for name, value in row.headers.items()],
            )
            for row in rows
        ]
        await asyncio.gather(*waiting)
        for row in rows:
            metrics.PUBLISHED.labels(row.topic).inc()
