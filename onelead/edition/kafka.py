"""A real, unmodified Kafka as our own child: formatted, started on free ports, awaited, stopped."""

import asyncio
import base64
import os
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from onelead.broker import reaching, until_a_broker_is_known
from onelead.edition import ports
from onelead.edition.java import JavaKafka
from onelead.edition.process import POLL_S, Child, ChildSpec, Remember, forget, tail
from shared import clock
from shared.access import AccessSettings
from shared.errors import UserError

_STOP_TIMEOUT_S = 5.0
# Measured on 2 cores: the smaller cleaner buffer (128 MB by default) brings the resident memory from
# 325 to 200 MB; the shorter session the return after a kill -9 from 14 s (the broker waits for its own
# old session to end) to 4 s.
_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=CLIENTS://{host}:{port},CONTROLLER://{host}:{controller_port}{listeners}
advertised.listeners=CLIENTS://{host}:{port}{advertised}
listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT{protocols}
inter.broker.listener.name=CLIENTS
controller.listener.names=CONTROLLER
log.dirs={log_dir}
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=8388608
num.network.threads=2
num.io.threads=4
"""


@dataclass(frozen=True)
class Guard:
    """A broker that lets in whom it knows: `users` by SCRAM, the first of them may do everything."""

    users: Mapping[str, str]
    certificate: Path
    authority: Path
    client: AccessSettings
    """How we reach it ourselves, to see whether it answers."""
    mechanism: str = "SCRAM-SHA-512"

    def properties(self) -> dict[str, str]:
        """What turns the listener for clients into a guarded one; the controller's stays ours alone."""
        administrator = next(iter(self.users))
        login = "org.apache.kafka.common.security.scram.ScramLoginModule required"
        secret = f'username="{administrator}" password="{self.users[administrator]}"'
        return {
            "listener.security.protocol.map": "CLIENTS:SASL_SSL,CONTROLLER:PLAINTEXT",
            "sasl.enabled.mechanisms": self.mechanism,
            "sasl.mechanism.inter.broker.protocol": self.mechanism,
            f"listener.name.clients.{self.mechanism.lower()}.sasl.jaas.config": f"{login} {secret};",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.certificate),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            # Nobody comes in as ANONYMOUS but the broker itself, as its own controller.
            "super.users": f"User:{administrator};User:ANONYMOUS",
            "allow.everyone.if.no.acl.found": "false",
        }

    def format_arguments(self) -> list[str]:
        """Makes the users known before the first start."""
        made = (f"{self.mechanism}=[name={n},password={p}]" for n, p in self.users.items())
        return [part for user in made for part in ("--add-scram", user)]


@dataclass(frozen=True)
class Listener:
    """One more way in for clients, unguarded: who comes in by it is told to come to `advertised_port`.

    A broker names its own address to its clients; only so can a proxy stay between the two.
    """

    name: str
    port: int
    advertised_port: int


class Kafka:
    """One broker over a data folder of its own, reachable on this machine only."""

    name = "Kafka"

    def __init__(
        self,
        data: Path,
        log_path: Path,
        java: JavaKafka,
        port: int,
        *,
        properties: Mapping[str, str] | None = None,
        guard: Guard | None = None,
        listeners: Sequence[Listener] = (),
        remember: Remember = forget,
    ) -> None:
        self.data = data
        self.log_path = log_path
        self.port = port
        self.child: Child | None = None
        self._java = java
        self._guard = guard
        self._listeners = listeners
        self._extra = {**(guard.properties() if guard else {}), **(properties or {})}
        self._remember = remember

    @property
    def bootstrap(self) -> str:
        """host:port for clients."""
        return f"{ports.HOST}:{self.port}"

    async def start(self, timeout_s: float, *, jvm: Sequence[str] = ()) -> Child:
        """Starts the broker, formatting its folder the first time; returns once it answers."""
        self.data.mkdir(parents=True, exist_ok=True)
        properties = self.data / "server.properties"
        if not self._log_dir.exists():
            await self._format(timeout_s)
        properties.write_text(self._properties(self._log_dir))
        self.child = Child(self._spec("kafka", "kafka.Kafka", str(properties), jvm=jvm))
        self._remember(self.name, self.child)
        await self._until_ready(self.child, timeout_s)
        return self.child

    async def stop(self, timeout_s: float = _STOP_TIMEOUT_S) -> None:
        """Stops the broker; its data is safe even when it has to be killed."""
        if self.child is not None:
            await self.child.stop(timeout_s)

    def kill(self) -> None:
        """Ends the broker as a power cut would."""
        if self.child is not None:
            self.child.kill()

    @property
    def _log_dir(self) -> Path:
        return self.data / "log"

    def _properties(self, log_dir: Path) -> str:
        controller_port = ports.claim(0, "")
        ours = _PROPERTIES.format(
            host=ports.HOST,
            port=self.port,
            controller_port=controller_port,
            log_dir=log_dir,
            listeners=self._each(lambda one: f"{one.name}://{ports.HOST}:{one.port}"),
            advertised=self._each(lambda one: f"{one.name}://{ports.HOST}:{one.advertised_port}"),
            protocols=self._each(lambda one: f"{one.name}:PLAINTEXT"),
        )
        return ours + "".join(f"{name}={value}\n" for name, value in self._extra.items())

    def _each(self, says: Callable[[Listener], str]) -> str:
        return "".join(f",{says(listener)}" for listener in self._listeners)

    async def _format(self, timeout_s: float) -> None:
        """Formats a draft folder, renamed when complete: a killed run leaves no half format."""
        draft = self.data / "log.new"
        shutil.rmtree(draft, ignore_errors=True)
        properties = self.data / "format.properties"
        properties.write_text(self._properties(draft))
        # Never with a leading "-", which the tool would take for an option.
        cluster_id = "A" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
        users = self._guard.format_arguments() if self._guard else []
        arguments = ("format", "-t", cluster_id, "-c", str(properties), *users)
        child = Child(self._spec("kafka-format", "kafka.tools.StorageTool", *arguments))
        try:
            finished = await child.wait(timeout_s)
        finally:
            child.kill()
        if not finished or child.exit_code != 0:
            raise self._failure("could not format its data folder")
        draft.rename(self._log_dir)
        properties.unlink()

    def _spec(
        self, name: str, main_class: str, *arguments: str, jvm: Sequence[str] = ()
    ) -> ChildSpec:
        return ChildSpec(
            name=name,
            argv=self._java.argv(main_class, *arguments, jvm=jvm),
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            log_path=self.log_path,
        )

    async def _until_ready(self, child: Child, timeout_s: float) -> None:
        deadline_s = clock.monotonic_s() + timeout_s
        while clock.monotonic_s() < deadline_s:
            if child.exit_code is not None:
                raise self._failure("ended while starting")
            access = self._guard.client if self._guard else AccessSettings.model_construct()
            if ports.answers(self.port) and await is_answering(self.bootstrap, access=access):
                return
            await asyncio.sleep(POLL_S)
        raise self._failure(f"does not answer after {timeout_s:.0f} s")

    def _failure(self, what: str) -> UserError:
        return UserError(
            f"Kafka {what}:\n{tail(self.log_path, 6)}",
            hint=f"the whole log is {self.log_path}; ONELEAD_KAFKA_BOOTSTRAP points to another Kafka",
            exit_code=1,
        )


async def is_answering(
    bootstrap: str, timeout_s: float = 5.0, *, access: AccessSettings | None = None
) -> bool:
    """Whether a broker answers a metadata request of ours; by default as our environment says."""
    client = AIOKafkaAdminClient(
        **reaching(bootstrap, access), request_timeout_ms=int(timeout_s * 1_000)
    )
    try:
        async with asyncio.timeout(timeout_s):
            await client.start()
            await until_a_broker_is_known(client)
            await client.list_topics()
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        with suppress(Exception):
            await client.close()
    return True
