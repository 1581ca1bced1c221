"""A real Kafka and a real PostgreSQL for tests: from the environment, from Docker, or from packages.

One choice for each of the two, in this order: the address in ONELEAD_KAFKA_BOOTSTRAP or
ONELEAD_DATABASE_URL; a container where a Docker engine answers; else the one-machine edition's own.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import docker
import psutil
from docker.errors import DockerException
from testcontainers.community.kafka import KafkaContainer
from testcontainers.community.postgres import PostgresContainer

from onelead.edition import ports
from onelead.edition.folder import DataFolder
from onelead.edition.kafka import Kafka
from onelead.edition.postgres import Postgres, PostgresOptions
from onelead.edition.prepare import prepare_kafka
from onelead.reporting import SilentReporter
from onelead.settings import EditionSettings

Way = Literal["environment", "container", "packages"]
_PREFIX = "onelead-test-"
_START_TIMEOUT_S = 60.0
_POSTGRES_IMAGE = "postgres:18-alpine"


@dataclass(frozen=True)
class Stack:
    """Where Kafka and PostgreSQL answer; `owner_url` is the address for the owner of the tables."""

    bootstrap: str
    owner_url: str


def choose(address: str | None, docker_answers: bool) -> Way:
    """How one of the two is come by."""
    if address:
        return "environment"
    return "container" if docker_answers else "packages"


def docker_answers() -> bool:
    """Whether a Docker engine can be talked to here."""
    try:
        client = docker.from_env(timeout=3)
        client.ping()
        client.close()
    except (DockerException, OSError):
        return False
    return True


@contextmanager
def running_stack(environment: Mapping[str, str] = os.environ) -> Iterator[Stack]:
    """Kafka and PostgreSQL for the length of a block. Call it from the main thread."""
    broker = environment.get("ONELEAD_KAFKA_BOOTSTRAP")
    database = environment.get("ONELEAD_DATABASE_URL")
    in_containers = not (broker and database) and docker_answers()
    with ExitStack() as stack:
        if choose(broker, in_containers) == "container":
            broker = stack.enter_context(_kafka_container())
        if choose(database, in_containers) == "container":
            database = stack.enter_context(_postgres_container())
        if broker is None or database is None:
            ours = stack.enter_context(_from_packages(broker is None, database is None))
            broker, database = broker or ours.bootstrap, database or ours.owner_url
        yield Stack(broker, database)


@contextmanager
def _kafka_container() -> Iterator[str]:
    with KafkaContainer().with_kraft() as container:
        yield container.get_bootstrap_server()


@contextmanager
def _postgres_container() -> Iterator[str]:
    with PostgresContainer(_POSTGRES_IMAGE, driver="asyncpg", dbname="onelead") as container:
        yield container.get_connection_url()


@contextmanager
def _from_packages(with_kafka: bool, with_postgres: bool) -> Iterator[Stack]:
    _remove_left_folders()
    folder = DataFolder(Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")))
    folder.open()
    started: list[Kafka | Postgres] = []
    try:
        stack = asyncio.run(_start(folder, with_kafka, with_postgres, started))
        yield stack
    finally:
        asyncio.run(_stop(started))
        folder.close()
        shutil.rmtree(folder.home, ignore_errors=True)


async def _start(
    folder: DataFolder, with_kafka: bool, with_postgres: bool, started: list[Kafka | Postgres]
) -> Stack:
    bootstrap = owner_url = ""
    if with_kafka:
        java = await prepare_kafka(EditionSettings(), SilentReporter())
        broker = Kafka(folder.kafka, folder.logs / "kafka.log", java, ports.claim(0, ""))
        bootstrap = broker.bootstrap
        started.append(broker)
    if with_postgres:
        options = PostgresOptions(durable=False, max_connections=200)
        log = folder.logs / "postgres.log"
        database = Postgres(folder.postgres, folder.sockets, log, options)
        owner_url = database.url()
        started.append(database)
    await asyncio.gather(*(part.start(_START_TIMEOUT_S) for part in started))
    return Stack(bootstrap, owner_url)


async def _stop(started: list[Kafka | Postgres]) -> None:
    await asyncio.gather(*(part.stop() for part in started))


def _remove_left_folders() -> None:
    """Those of test runs that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)
