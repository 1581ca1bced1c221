"""What every composition root needs: the databases of a service's roles, its outbox, its health."""

from dataclasses import dataclass

from faststream.kafka import KafkaBroker
from sqlalchemy import MetaData

from shared.db.engine import Database
from shared.db.erasure import ERASED_TENANTS
from shared.db.guard import refuse_a_role_that_sees_too_much
from shared.messaging.broker import make_broker, subscribe
from shared.messaging.consumer import Consumer, Handler
from shared.messaging.dead_letter import DeadLetters
from shared.messaging.inbox import Inbox
from shared.messaging.outbox import Outbox
from shared.messaging.relay import Relay
from shared.ops.health import Health
from shared.ops.health_consumer import Subscription
from shared.ops.health_probes import Probes
from shared.ops.one_clock import OneClock
from shared.ops.runtime import Service, Worker
from shared.settings import ServiceSettings
from shared.topics import Topic


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
        marks = self.metadata.tables.get(f"{self.name}.{ERASED_TENANTS}")
        consumer = Consumer(group, topic, self.database, letters, handler, marks=marks)
        subscriber = subscribe(self.broker, consumer, self.settings)
        self.health.subscriptions.append(Subscription(consumer, subscriber))

    def service(self, *workers: Worker) -> Service:
        """The service, ready to run with its own workers beside relay and consumers."""
        relay = Relay(self.relay_database, self.name, self.settings)
        probes = Probes(
            self.name, self.database, self.metrics_database, self.settings.relay_shards, relay
        )
        self.health.probes |= probes.all()
        self.health.shown = probes.shown
        one_clock = OneClock(self.database)
        return Service(
            name=self.name,
            settings=self.settings,
            health=self.health,
            broker=self.broker,
            relay=relay,
            workers=(*workers, one_clock.run),
            before=(self._refuse_unsafe_role, one_clock.set),
            after=(self._close,),
        )

    async def _refuse_unsafe_role(self) -> None:
        for suffix, database in (
            ("", self.database),
            ("_relay", self.relay_database),
            ("_tick", self.tick_database),
            ("_metrics", self.metrics_database),
        ):
            await refuse_a_role_that_sees_too_much(database, self.name, suffix)

    async def _close(self) -> None:
        for database in (
            self.database,
            self.tick_database,
            self.metrics_database,
            self.relay_database,
        ):
            await database.close()
