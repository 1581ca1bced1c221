"""Composes the one-machine edition: folder → Kafka and PostgreSQL → topics and schemas → services."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from onelead import broker
from onelead.edition import ports
from onelead.edition.folder import DataFolder
from onelead.edition.java import JavaKafka
from onelead.edition.kafka import Kafka, is_answering
from onelead.edition.postgres import Postgres
from onelead.edition.process import Child, ChildSpec
from onelead.edition.service import (
    ROOT,
    SERVICES,
    ServiceProcess,
    StandinsProcess,
    our_environment,
    service_environment,
)
from onelead.edition.supervisor import Part, Supervisor, together
from onelead.lifecycle import uninterrupted
from onelead.reporting import Reporter
from onelead.settings import EditionSettings
from shared import clock
from shared.errors import UserError

DEFAULT_TENANT = "default"
_INFRASTRUCTURE_STOP_TIMEOUT_S = 3.0


@dataclass
class Edition:
    """A running (or starting) edition. Use `running`, which also stops it whatever happens.

    `fresh`: what the data folder holds is removed first; `discard`: removed when it stops.
    """

    settings: EditionSettings
    reporter: Reporter
    with_standins: bool = False
    fresh: bool = False
    discard: bool = False
    bootstrap: str = ""
    owner_url: str = ""
    infrastructure_s: float = 0.0

    def __post_init__(self) -> None:
        self.folder = DataFolder(self.settings.home)
        self.supervisor = Supervisor(self.reporter, self.settings.start_timeout_s)
        self.services: list[ServiceProcess] = []
        self.kafka_port = 0
        self.ops_ports: dict[str, int] = {}
        self.standins = StandinsProcess(self.folder) if self.with_standins else None

    async def start(self) -> None:
        """Starts everything that has no address in the settings; returns when all of it is ready."""
        self.folder.open()
        self.folder.require_room(self.settings.min_free_mb)
        if ended := await self.folder.end_leftovers():
            self.reporter.say(f"Ended {ended} processes of a run that was killed")
        if self.fresh:
            self.folder.empty()
        self._claim_ports()
        java = await self._java()
        begun_s = clock.monotonic_s()
        self.reporter.doing("Starting Kafka and PostgreSQL")
        await self._start_infrastructure(java)
        self.infrastructure_s = clock.monotonic_s() - begun_s
        self.reporter.doing("Creating topics and schemas")
        await together(
            broker.create_missing_topics(self.bootstrap, [DEFAULT_TENANT]), self._migrate()
        )
        self.reporter.doing("Starting the services")
        await self._start_services()
        self.folder.save_state(self._state())
        self.reporter.done()

    async def stop(self) -> None:
        """Stops services first, then Kafka and PostgreSQL, and gives the folder free."""
        self.reporter.doing("Stopping")
        await self.supervisor.stop(self.settings.stop_timeout_s)
        self.reporter.done()
        self.folder.close(remove=self.discard)

    def _claim_ports(self) -> None:
        """Before anything is started: a port in use is told at once."""
        settings = self.settings
        if not settings.kafka_bootstrap:
            self.kafka_port = ports.claim(settings.kafka_port, "ONELEAD_KAFKA_PORT")
        base = settings.ops_base_port
        self.ops_ports = ports.claim_range(base, SERVICES, "ONELEAD_OPS_BASE_PORT")

    async def _java(self) -> JavaKafka | None:
        if self.settings.kafka_bootstrap:
            return None
        try:
            from onelead.edition.prepare import prepare_kafka  # noqa: PLC0415 - not in the image
        except ModuleNotFoundError as error:
            raise UserError(
                f"no Kafka can be started here: the package {error.name} is not installed",
                hint="install requirements/one-machine.txt, or set ONELEAD_KAFKA_BOOTSTRAP",
            ) from None
        return await prepare_kafka(self.settings, self.reporter)

    async def _start_infrastructure(self, java: JavaKafka | None) -> None:
        parts: list[Part] = []
        logs, remember = self.folder.logs, self.folder.remember
        if java is None:
            self.bootstrap = await self._existing_kafka()
        else:
            broker_process = Kafka(
                self.folder.kafka, logs / "kafka.log", java, self.kafka_port, remember=remember
            )
            self.bootstrap = broker_process.bootstrap
            parts.append(broker_process)
        if self.settings.database_url:
            self.owner_url = self.settings.database_url
        else:
            database = Postgres(
                self.folder.postgres, self.folder.sockets, logs / "postgres.log", remember=remember
            )
            self.owner_url = database.url()
            parts.append(database)
        await self.supervisor.start(*parts, *filter(None, [self.standins]))

    async def _existing_kafka(self) -> str:
        address = str(self.settings.kafka_bootstrap)
        if not await is_answering(address, timeout_s=10):
            raise UserError(
                f"no Kafka answers at {address} (ONELEAD_KAFKA_BOOTSTRAP)",
                hint="start it, or unset the setting and a Kafka is started for you",
            )
        return address

    async def _migrate(self) -> None:
        """In a process of its own: what Alembic loads need not stay in this one's memory."""
        log = self.folder.logs / "migrate.log"
        env = our_environment(ONELEAD_DATABASE_URL=self.owner_url)
        child = Child(
            ChildSpec("migrate", [sys.executable, "-m", "onelead", "migrate"], env, log, cwd=ROOT)
        )
        try:
            finished = await child.wait(self.settings.start_timeout_s)
        finally:
            child.kill()
        if not finished or child.exit_code != 0:
            raise UserError(
                f"the schemas could not be migrated:\n{child.log_tail()}",
                hint=f"the whole log is {log}",
                exit_code=1,
            )

    async def _start_services(self) -> None:
        self.services = [
            ServiceProcess(name, self._environment(name), self.folder) for name in SERVICES
        ]
        await self.supervisor.start(*self.services)

    def _environment(self, name: str) -> dict[str, str]:
        env = service_environment(
            name,
            bootstrap=self.bootstrap,
            owner_url=self.owner_url,
            # A free one was only looked for; the service takes its own, also when it starts again.
            ops_port=self.ops_ports[name] if self.settings.ops_base_port else 0,
            log_level=self.settings.log_level,
        )
        if self.settings.as_of:
            env["ONELEAD_AS_OF"] = self.settings.as_of.isoformat()
        if name == "notifier" and self.standins is not None:
            env |= self.standins.notifier_settings()
        return env

    def _state(self) -> dict[str, object]:
        return {
            "pid": os.getpid(),
            "kafka_bootstrap": self.bootstrap,
            "database_url": self.owner_url,
            "ops": {service.name: service.port for service in self.services},
        }


@asynccontextmanager
async def running(edition: Edition) -> AsyncIterator[Edition]:
    """Starts an edition and stops it again, also when the start fails or is interrupted."""
    try:
        await edition.start()
        yield edition
    finally:
        await uninterrupted(edition.stop())
