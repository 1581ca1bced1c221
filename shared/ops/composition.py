"""What every composition root needs: the databases of a service's roles, its outbox, its health."""

from dataclasses import dataclass

from faststream.kafka import KafkaBroker
from sqlalchemy import MetaData, text

from shared.db.engine import Database
from shared.db.guard import refuse_a_role_that_sees_too_much
from shared.messaging.broker import make_broker, subscribe
from shared.messaging.consumer import Consumer, Handler
from shared.messaging.dead_letter import DeadLetters
from shared.messaging.inbox import Inbox
from shared.messaging.outbox import Outbox
from shared.messaging.relay import Relay
from shared.ops import metrics
from shared.ops.health import Health, Subscription
from shared.ops.runtime import Service, Worker
from shared.settings import ServiceSettings
from shared.topics import Topic

_OUTBOX_TOO_OLD_S = 60.0


@dataclass
class Base:
    """The parts of a service that do not differ between services."""

    name: str
    settings: ServiceSettings
    metadata: MetaData
    database: Database
    tick_database: Database
    metrics_database: Database
    relay_database: Database
    outbox: Outbox
    broker: KafkaBroker
    health: Health

    @classmethod
    def build(cls, name: str, settings: ServiceSettings, metadata: MetaData) -> "Base":
        """The parts for service `name`, whose tables (outbox included) are in `metadata`."""

        def connect(suffix: str, pool_size: int) -> Database:
            return Database.connect(
                settings.url(suffix), application=f"onelead-{name}{suffix}", pool_size=pool_size
            )

        return cls(
            name=name,
            settings=settings,
            metadata=metadata,
            database=connect("", settings.database_pool_size),
            tick_database=connect("_tick", 1),
            metrics_database=connect("_metrics", 1),
            relay_database=connect("_relay", 1),
            outbox=Outbox(metadata.tables[f"{name}.outbox"], settings.relay_shards),
            broker=make_broker(settings, name),
            health=Health(name),
        )

    def inbox(self, consumer: str) -> Inbox:
        """The inbox of one consumer."""
        return Inbox(self.metadata.tables[f"{self.name}.inbox"], consumer)

    def consume(self, topic: Topic, handler: Handler) -> None:
        """Subscribes a handler to a topic, as the group `onelead.<service>.<topic without prefix>`."""
        group = f"onelead.{self.name}.{topic.name.removeprefix('onelead.')}"
        letters = DeadLetters(self.metadata.tables[f"{self.name}.dead_letters"], self.outbox, group)
        consumer = Consumer(group, topic, self.database, letters, handler)
        subscriber = subscribe(self.broker, consumer, self.settings)
        self.health.subscriptions.append(Subscription(consumer, subscriber))

    def service(self, *workers: Worker) -> Service:
        """The service, ready to run with its own workers beside relay and consumers."""
        self.health.probes["database"] = self._probe_database
        self.health.probes["outbox"] = self._probe_outbox
        return Service(
            name=self.name,
            settings=self.settings,
            health=self.health,
            broker=self.broker,
            relay=Relay(self.relay_database, self.name, self.settings),
            workers=workers,
            before=(self._refuse_unsafe_role,),
            after=(self._close,),
        )

    async def _refuse_unsafe_role(self) -> None:
        await refuse_a_role_that_sees_too_much(self.database, self.name)

    async def _probe_database(self) -> str | None:
        async with self.database.transaction() as connection:
            await connection.execute(text("SELECT 1"))
        return None

    async def _probe_outbox(self) -> str | None:
        statement = text(
            f"SELECT (SELECT count(*) FROM {self.name}.outbox) AS waiting,"
            f" (SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8"
            f"  FROM {self.name}.outbox) AS age_s,"
            f" (SELECT count(*) FROM {self.name}.dead_letters WHERE state = 'open') AS letters"
        )
        async with self.metrics_database.transaction() as connection:
            row = (await connection.execute(statement)).one()
        metrics.OUTBOX_ROWS.set(row.waiting)
        metrics.OUTBOX_AGE.set(row.age_s)
        metrics.OPEN_DEAD_LETTERS.set(row.letters)
        if row.age_s > _OUTBOX_TOO_OLD_S:
            return f"{row.waiting} messages wait for the broker, the oldest for {row.age_s:.0f} s"
        return None

    async def _close(self) -> None:
        for database in (
            self.database,
            self.tick_database,
            self.metrics_database,
            self.relay_database,
        ):
            await database.close()
