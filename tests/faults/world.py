"""What is broken in a run: a Kafka, a PostgreSQL, stand-ins and every service in one or two replicas."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from onelead.broker import create_missing_topics
from onelead.edition.folder import DataFolder
from onelead.edition.kafka import Kafka
from onelead.edition.postgres import Postgres, PostgresOptions
from onelead.edition.prepare import prepare_kafka
from onelead.edition.service import SERVICES, service_environment
from onelead.reporting import SilentReporter
from onelead.settings import EditionSettings
from shared.db.migrate import SERVICES as SCHEMAS
from shared.db.migrate import ensure_database, upgrade
from shared.setting_names import SETTING_NAMES
from tests.faults.expectation import AS_OF
from tests.faults.network import Network
from tests.faults.replicas import Keeper, Replica
from tests.faults.sinks import notify_file, secrets, slack_webhooks
from tests.support.delivery_world import Standins, running_standins
from tests.support.lasting_port import lasting_port

START_TIMEOUT_S = 180.0
LAUNCHER = "tests.faults.launcher"
_SETTINGS = {
    # The shortest that is allowed: what a killed notifier left in doubt is settled after it.
    "ONELEAD_NOTIFY_LEASE_S": "40",
    "ONELEAD_NOTIFY_POLL_S": "0.5",
    "ONELEAD_NOTIFY_RETRY_SCALE": "0.05",
    "ONELEAD_RELAY_PUBLISH_TIMEOUT_S": "1",
    "ONELEAD_SESSION_TIMEOUT_MS": "6000",
    # Two cores have ten services and more to turn.
    "ONELEAD_FETCH_MAX_WAIT_MS": "500",
    "ONELEAD_OUTBOUND_TRUSTED": "127.0.0.1",
    "ONELEAD_AS_OF": AS_OF.isoformat(),
}
_MIGRATING = threading.Lock()
"""Alembic knows of one migration in a process."""


@dataclass(frozen=True)
class Manner:
    """How services run, in however many replicas.

    `launched`: by the launcher, which can end them at named points; `sabotage`: a fault put into the
    product; `networked`: they reach everything over the links of the network.
    """

    launched: bool = False
    sabotage: str = ""
    networked: bool = False


class World:
    """A stack of its own over a data folder; `tenants` are all that there will ever be."""

    def __init__(
        self, folder: DataFolder, kafka: Kafka, postgres: Postgres, network: Network
    ) -> None:
        self.folder = folder
        self.kafka = kafka
        self.postgres = postgres
        self.network = network
        self.keeper = Keeper()
        self.standins: Standins | None = None
        self.taken_log = folder.home / "taken.jsonl"
        self._settings: Mapping[str, str] = {}
        self._networked: Mapping[str, str] = {}
        self.runs: Manner | None = None
        """How the services run now; None before they do."""

    @property
    def bootstrap(self) -> str:
        """Kafka's address."""
        return self.kafka.bootstrap

    @property
    def owner_url(self) -> str:
        """PostgreSQL's address for the owner of the tables."""
        return self.postgres.url()

    async def prepare(self, standins: Standins, tenants: Sequence[str]) -> None:
        """Schemas, inner topics, and where the notifier tells what."""
        self.standins = standins
        await asyncio.to_thread(self._migrate)
        await create_missing_topics(self.bootstrap, [])
        at = standins.addresses
        self._settings = self._sinks("notify.yaml", notify_file(at, tenants)) | secrets(at, tenants)
        await self.network.add_sinks(at)
        crm = {"salesforce_url": self.network.sink("salesforce", at)["salesforce_url"]}
        hooks = {**at, **self.network.sink("webhook", at), **crm}
        slack = {**at, **self.network.sink("slack", at)}
        self._networked = self._sinks("networked.yaml", notify_file(hooks, tenants)) | secrets(
            slack, tenants
        )

    def _sinks(self, name: str, content: str) -> dict[str, str]:
        file = self.folder.home / name
        file.write_text(content)
        assert self.standins is not None
        return {
            **_SETTINGS,
            "ONELEAD_CONSOLE_URL": self.standins.addresses["page_url"],
            "ONELEAD_NOTIFY_FILE": str(file),
        }

    def _migrate(self) -> None:
        with _MIGRATING:
            ensure_database(self.owner_url)
            for schema in SCHEMAS:
                upgrade(self.owner_url, schema)

    async def run(self, manner: Manner, replicas: int) -> None:
        """Has every service run in this manner in so many replicas; starts anew what runs otherwise."""
        if self.runs != manner:
            await self.keeper.stop()
            self.runs = manner
        surplus = [replica for replica in self.keeper.replicas if replica.number >= replicas]
        await asyncio.gather(*(self.keeper.remove(replica) for replica in surplus))
        for service in SERVICES:
            self.add_replicas(service, replicas)
        await self.keeper.until_ready()

    def add_replicas(self, service: str, wanted: int) -> None:
        """Has a service run in so many replicas if it runs in fewer; waits for none."""
        assert self.runs is not None
        there = {replica.number for replica in self.keeper.of(service)}
        new = [number for number in range(wanted) if number not in there]
        self.keeper.add([self._replica(service, number, self.runs) for number in new])

    def _replica(self, service: str, number: int, runs: Manner) -> Replica:
        reached = self.network
        env = service_environment(
            service,
            bootstrap=reached.bootstrap(service) if runs.networked else self.bootstrap,
            owner_url=reached.owner_url(service) if runs.networked else self.owner_url,
            ops_port=0,
            log_level="INFO",
        )
        ours = {name: value for name, value in env.items() if not _is_foreign(name)}
        sinks = self._networked if runs.networked else self._settings
        settings = {**ours, **sinks, "ONELEAD_INSTANCE_ID": f"r{number}"}
        if runs.sabotage:
            settings["FAULTS_SABOTAGE"] = runs.sabotage
        by_launcher = runs.launched or runs.sabotage
        module = (LAUNCHER, f"services.{service}") if by_launcher else ()
        return Replica(service, number, settings, self.folder.logs, module)

    async def end_sessions(self) -> None:
        """Stops PostgreSQL as its immediate shutdown does: no checkpoint, every session cut."""
        child = self.postgres.child
        assert child is not None
        os.kill(child.pid, signal.SIGQUIT)
        await child.wait(START_TIMEOUT_S)

    async def stop(self) -> None:
        """Stops services, then the stack."""
        await self.keeper.stop()
        await asyncio.gather(self.kafka.stop(), self.postgres.stop())


def _is_foreign(name: str) -> bool:
    """A setting of whoever runs the battery, which must not reach what is under test."""
    return name in SETTING_NAMES and name in os.environ and not name.endswith(("_HOME", "_DIR"))


@asynccontextmanager
async def opened_world(home: Path, tenants: Sequence[str]) -> AsyncIterator[World]:
    """A world without services; all that runs in it ends with the block."""
    folder = DataFolder(home)
    folder.open()
    java = await prepare_kafka(EditionSettings(), SilentReporter())
    network = Network(folder.sockets)
    kafka = Kafka(
        folder.kafka,
        folder.logs / "kafka.log",
        java,
        lasting_port(),
        listeners=network.listeners(),
    )
    # Durable: what is stopped at once must still have what it had committed.
    options = PostgresOptions(durable=True, max_connections=300)
    postgres = Postgres(folder.postgres, folder.sockets, folder.logs / "postgres.log", options)
    world = World(folder, kafka, postgres, network)
    try:
        await network.open()
        await asyncio.gather(*(part.start(START_TIMEOUT_S) for part in (kafka, postgres)))
        hooks = {"SLACK_WEBHOOK": slack_webhooks(tenants)}
        async with running_standins(home, **hooks) as standins:
            await world.prepare(standins, tenants)
            try:
                yield world
            finally:
                await world.keeper.stop()
    finally:
        await world.stop()
        await network.close()
        folder.close()
