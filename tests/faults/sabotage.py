"""Deliberate faults, put into a service's process before it starts: each must be caught by the checker."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from aiokafka import AIOKafkaProducer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.engine import Database
from shared.messaging.consumer import Consumer
from shared.messaging.outbox import Outbox
from shared.messaging.relay import Relay

_SLOW_COMMIT_S = 0.3


@dataclass(frozen=True)
class Sabotage:
    """A fault in the product: `change` makes it, in the process of `service` (none: of every service)."""

    change: Callable[[], None]
    service: str = ""

    def apply(self, service: str) -> None:
        """Makes the fault, if it is one of this service."""
        if self.service in ("", service):
            self.change()


def _ack_for_nack() -> None:
    """A batch that could not be handled is acknowledged."""
    original = Consumer.consume

    async def consume(self: Consumer, records: Sequence[Any]) -> None:
        try:
            await original(self, records)
        except Exception:  # noqa: BLE001 - the fault itself
            return

    _put(Consumer, "consume", consume)


def _unique_key_dropped() -> None:
    """The same news makes a delivery each time, and who asks for the alert of an episode takes any."""
    from services.notifier.repository import NotifierRepository, queue  # noqa: PLC0415 - its service only

    original = NotifierRepository.add

    async def add(self: Any, connection: AsyncConnection, new: Sequence[Any]) -> None:
        other = [
            replace(item, delivery=replace(item.delivery, number=random.randrange(1, 2**30)))  # noqa: S311
            for item in new
        ]
        await original(self, connection, other)

    the_alert = "AND d.purpose IN ('update', 'withdrawal')"
    statements: dict[str, Any] = dict(queue._SQL)
    for name in ("lease", "adopt"):
        statements[name] = _changed(statements[name], the_alert, f"{the_alert} LIMIT 1")
    _put(queue, "_SQL", statements)
    _put(NotifierRepository, "add", add)


def _sent_before_sending() -> None:
    """A delivery counts as sent when its sending begins."""
    from services.notifier.repository import DeliveryQueue  # noqa: PLC0415 - its service only

    original = DeliveryQueue.lease
    mark = text(
        "UPDATE notifier.deliveries SET state = 'sent' WHERE delivery_id = ANY(CAST(:ids AS text[]))"
    )

    async def leased(self: Any, connection: AsyncConnection, wanted: Any, lease: Any) -> Any:
        begun = await original(self, connection, wanted, lease)
        await connection.execute(mark, {"ids": [item.delivery.id for item in begun]})
        return begun

    _put(DeliveryQueue, "lease", leased)


def _lease_unchecked() -> None:
    """What is being sent is leased again, and nobody asks for the token."""
    from services.notifier.repository import queue  # noqa: PLC0415 - its service only

    statements: dict[str, Any] = dict(queue._SQL)
    for name, old, new in (
        (
            "lease",
            "c.state IN ('pending', 'retry') AND",
            "c.state IN ('pending', 'retry', 'sending') AND",
        ),
        ("record", "AND d.lease_token = x.token", ""),
    ):
        statements[name] = _changed(statements[name], old, new)
    _put(queue, "_SQL", statements)


def _relay_by_id() -> None:
    """The relay goes on after the highest id it has seen; transactions commit in another order."""
    original = Outbox.add

    async def add(self: Outbox, connection: AsyncConnection, messages: Sequence[Any]) -> None:
        await original(self, connection, messages)
        await asyncio.sleep(random.uniform(0, _SLOW_COMMIT_S))  # noqa: S311 - a test's dice

    async def publish(self: Any, lock: AsyncConnection, producer: AIOKafkaProducer) -> int:
        select = text(
            f"SELECT id, topic, key, headers, body FROM {self._schema}.outbox WHERE id > :last"
            " AND shard = ANY(CAST(:shards AS smallint[])) ORDER BY id LIMIT 2000"
        )
        last = getattr(self, "last_id", 0)
        rows = (await lock.execute(select, {"last": last, "shards": self._held})).all()
        if not rows:
            return 0
        self.last_id = rows[-1].id
        await self._publish(producer, rows)
        await lock.execute(self._delete, {"ids": [row.id for row in rows]})
        return len(rows)

    _put(Outbox, "add", add)
    _put(Relay, "_publish_chunk", publish)


def _tenant_per_session() -> None:
    """A connection is bound to its first tenants, and stays so."""

    @asynccontextmanager
    async def transaction(
        self: Database, tenants: Collection[str] = ()
    ) -> AsyncIterator[AsyncConnection]:
        async with self.engine.begin() as connection:
            raw = await connection.get_raw_connection()
            if tenants and not raw.info.setdefault("bound", False):
                raw.info["bound"] = True
                statement = text("SELECT set_config('app.tenants', :tenants, false)")
                await connection.execute(statement, {"tenants": ",".join(sorted(tenants))})
            yield connection

    _put(Database, "transaction", transaction)


def _version_unguarded() -> None:
    """The change that comes last wins, whatever its version."""
    from services.ingest.repository import records  # noqa: PLC0415 - its service only

    guard = "AND (excluded.change_version = 0 OR held.change_version < excluded.change_version)"
    statements: dict[str, Any] = dict(records._SQL)
    statements["apply_rows"] = _changed(statements["apply_rows"], guard, "")
    _put(records, "_SQL", statements)


def _offices_ignored() -> None:
    """Every sink hears of every office's leads."""
    from services.notifier.domain.plan.plan import Sink  # noqa: PLC0415 - its service only

    def sees(self: Sink, office_id: str | None) -> bool:
        return True

    _put(Sink, "sees", sees)


SABOTAGES: Mapping[str, Sabotage] = {
    "ack for nack": Sabotage(_ack_for_nack),
    "unique key dropped": Sabotage(_unique_key_dropped, "notifier"),
    "marked sent before sending": Sabotage(_sent_before_sending, "notifier"),
    "lease unchecked": Sabotage(_lease_unchecked, "notifier"),
    "relay by id": Sabotage(_relay_by_id, "scoring"),
    "tenant set per session": Sabotage(_tenant_per_session),
    "version unguarded": Sabotage(_version_unguarded, "ingest"),
    "offices ignored": Sabotage(_offices_ignored, "notifier"),
}


def _changed(statement: Any, old: str, new: str) -> Any:
    """The statement with a part replaced. Raises ValueError when the product has no such part any more."""
    written = str(statement)
    if old not in written:
        raise ValueError(f"there is nothing to sabotage: {old!r} is not in the statement")
    return text(written.replace(old, new))


def _put(owner: Any, name: str, value: object | Callable[..., Awaitable[Any]]) -> None:
    """Puts a fault in place of a part of the product. Raises AttributeError for a part it has not."""
    getattr(owner, name)
    setattr(owner, name, value)
