"""What a service asks its database about itself: whether it answers, what waits, who publishes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from shared import clock
from shared.db.engine import Database
from shared.messaging.relay import LOCK_SPACE, Relay
from shared.ops import metrics

OUTBOX_TOO_OLD_S = 60.0
UNHELD_TOO_LONG_S = 30.0
_HELD = text(
    """
    SELECT shard FROM generate_series(0, CAST(:shards AS int) - 1) AS shard
    WHERE EXISTS (SELECT FROM pg_locks
                  WHERE locktype = 'advisory' AND granted AND objsubid = 2
                    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    AND classid = CAST(:space AS oid)
                    AND objid = CAST(hashtext(:schema || '/' || shard)::bigint & 4294967295 AS oid))
    """
)


@dataclass
class Probes:
    """The probes of one service; each returns what is wrong, or None, and leaves what it saw."""

    schema: str
    database: Database
    metrics_database: Database
    shards: int
    relay: Relay
    shown: dict[str, Any] = field(default_factory=dict)
    _unheld_since_s: float | None = None

    def all(self) -> dict[str, Callable[[], Any]]:
        """The probes by name."""
        return {"database": self.of_database, "outbox": self.of_outbox, "relay": self.of_relay}

    async def of_database(self) -> str | None:
        """Whether a handler would get a transaction."""
        self.shown.pop("database", None)
        async with self.database.transaction() as connection:
            await connection.execute(text("SELECT 1"))
        self.shown["database"] = "answers"
        return None

    async def of_outbox(self) -> str | None:
        """What waits for the broker, and for how long."""
        self.shown.pop("outbox", None)
        statement = text(
            f"SELECT (SELECT count(*) FROM {self.schema}.outbox) AS waiting,"
            f" (SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8"
            f"  FROM {self.schema}.outbox) AS age_s,"
            f" (SELECT count(*) FROM {self.schema}.dead_letters WHERE state = 'open') AS letters"
        )
        async with self.metrics_database.transaction() as connection:
            row = (await connection.execute(statement)).one()
        metrics.OUTBOX_ROWS.set(row.waiting)
        metrics.OUTBOX_AGE.set(row.age_s)
        metrics.OPEN_DEAD_LETTERS.set(row.letters)
        self.shown["outbox"] = {"waiting": row.waiting, "oldest_s": round(row.age_s, 1)}
        if row.age_s > OUTBOX_TOO_OLD_S:
            return f"{row.waiting} messages wait for the broker, the oldest for {row.age_s:.0f} s"
        return None

    async def of_relay(self) -> str | None:
        """Whether somebody, here or in another process of this service, publishes each shard."""
        self.shown.pop("relay", None)
        parameters = {"shards": self.shards, "space": LOCK_SPACE, "schema": self.schema}
        async with self.metrics_database.transaction() as connection:
            held = set((await connection.execute(_HELD, parameters)).scalars())
        unheld = sorted(set(range(self.shards)) - held)
        ours = sorted(self.relay.held_shards)
        self.shown["relay"] = {"ours": ours, "others": sorted(held - {*ours}), "nobodys": unheld}
        return self._unheld(unheld)

    def _unheld(self, shards: Sequence[int]) -> str | None:
        """A holder that died is followed by another within seconds."""
        if not shards:
            self._unheld_since_s = None
            return None
        now_s = clock.monotonic_s()
        if self._unheld_since_s is None:
            self._unheld_since_s = now_s
        waited_s = now_s - self._unheld_since_s
        if waited_s <= UNHELD_TOO_LONG_S:
            return None
        return f"nobody publishes the shards {list(shards)} of the outbox for {waited_s:.0f} s"
