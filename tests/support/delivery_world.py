"""What the delivery battery runs on: Kafka and PostgreSQL, stand-ins and the notifier as processes."""

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
from sqlalchemy import text
from sqlalchemy.engine import make_url

from onelead.broker import create_missing_topics
from onelead.messages import Publisher, publisher
from shared.db.engine import Database
from shared.db.migrate import SERVICES, ensure_database, upgrade
from shared.events import LeadChanged
from shared.messaging.codec import encode
from shared.topics import LEADS
from tests.support.delivery_checks import Entry, Taken
from tests.support.stack import Stack
from tests.support.waiting import wait_until

SCHEMA = "notifier"
RETRY_SCALE = 0.02
_START_TIMEOUT_S = 60.0
_NO_LIMIT = 1_000_000
_STANDINS = {
    "SLACK_BURST": _NO_LIMIT,
    "SLACK_PER_SECOND": _NO_LIMIT,
    "SLACK_READS_PER_MINUTE": _NO_LIMIT,
    "SALESFORCE_DAILY_CALLS": 1_000 * _NO_LIMIT,
    "KEPT_MESSAGES": 5_000,
}
_ENTRIES = text(
    "SELECT lead_id, channel, state FROM notifier.deliveries"
    " WHERE tenant_id = :tenant AND starts_with(lead_id, :prefix) AND purpose = 'alert'"
)
_BEGUN = text(
    "SELECT EXISTS (SELECT FROM notifier.deliveries WHERE tenant_id = :tenant"
    " AND starts_with(lead_id, :prefix) AND (lease_token IS NOT NULL OR tries > 0))"
)
_LEASES_RAN_OUT = text(
    "UPDATE notifier.deliveries SET leased_until = now() - interval '1 second'"
    " WHERE tenant_id = :tenant AND state IN ('leased', 'sending')"
)


class Standins:
    """The stand-ins as a process; what they took is read from their log, which outlives them."""

    def __init__(self, addresses: Mapping[str, Any], log: Path) -> None:
        self.addresses = addresses
        self._log = log
        self._read = 0
        self.taken = Taken()

    async def faults(self, plans: Sequence[Mapping[str, Any]]) -> None:
        """Switches faults on, in place of those before."""
        async with httpx.AsyncClient(base_url=self.addresses["page_url"]) as client:
            (await client.delete("/api/faults")).raise_for_status()
            for plan in plans:
                (await client.post("/api/faults", json=plan)).raise_for_status()

    def read_log(self) -> list[dict[str, Any]]:
        """The messages that were taken since the last look; they are added to `taken`."""
        with self._log.open("rb") as log:
            log.seek(self._read)
            lines = [orjson.loads(line) for line in log]
            self._read = log.tell()
        for line in lines:
            self.taken.add(line)
        return lines


@asynccontextmanager
async def running_standins(folder: Path, **settings: Any) -> AsyncIterator[Standins]:
    """The stand-ins in a process of their own, without limits of rate unless `settings` say so."""
    log, ready = folder / "taken.jsonl", folder / "standins.json"
    log.touch()
    values = {**_STANDINS, "LOG_FILE": log, "READY_FILE": ready, **settings}
    process = await _started("onelead.standins", folder, _named("STANDINS_", values))
    try:
        _ = await wait_until(ready.exists, "the stand-ins are up", timeout_s=_START_TIMEOUT_S)
        yield Standins(orjson.loads(ready.read_bytes()), log)
    finally:
        await _ended(process)


class World:
    """One tenant, its topic and its rows in the notifier's schema."""

    def __init__(self, stack: Stack, database: Database, url: str, sender: Publisher) -> None:
        self.tenant = f"b-{uuid.uuid4().hex[:10]}"
        self.stack = stack
        self.url = url
        self._database = database
        self._publisher = sender

    async def publish(self, leads: Sequence[LeadChanged]) -> None:
        """Puts leads onto the tenant's public topic, at once."""
        topic = LEADS.for_tenant(self.tenant)
        await self._publisher.send(
            encode(
                lead,
                tenant_id=self.tenant,
                source="/battery",
                subject=lead.lead_id,
                topic=topic,
                key=f"{self.tenant}|{lead.lead_id}",
            )
            for lead in leads
        )

    async def entries(self, prefix: str) -> list[Entry]:
        """The alerts of the leads whose ids begin so."""
        return [Entry(*row) for row in await self._rows(_ENTRIES, prefix=prefix)]

    async def begun(self, prefix: str) -> bool:
        """Whether any of them was leased."""
        ((found,),) = await self._rows(_BEGUN, prefix=prefix)
        return bool(found)

    async def let_leases_run_out(self) -> None:
        """What the time would do of which the battery has not enough; for when no notifier runs."""
        async with self._database.transaction({self.tenant}) as connection:
            await connection.execute(_LEASES_RAN_OUT, {"tenant": self.tenant})

    async def _rows(self, statement: Any, **parameters: Any) -> Sequence[Any]:
        async with self._database.transaction({self.tenant}) as connection:
            found = await connection.execute(statement, {"tenant": self.tenant, **parameters})
            return found.all()


@asynccontextmanager
async def opened_world(stack: Stack) -> AsyncIterator[World]:
    """A new tenant on a stack whose schemas are the newest."""
    word = uuid.uuid4().hex
    url = make_url(stack.owner_url).set(username=f"onelead_{SCHEMA}", password=word)
    address = url.render_as_string(hide_password=False)
    await asyncio.to_thread(_migrate, stack, word)
    database = Database.connect(url, application="battery", pool_size=1)
    async with publisher(stack.bootstrap) as sender:
        world = World(stack, database, address, sender)
        await create_missing_topics(stack.bootstrap, [world.tenant])
        yield world
    await database.close()


def _migrate(stack: Stack, password: str) -> None:
    ensure_database(stack.owner_url)
    for service in SERVICES:
        upgrade(stack.owner_url, service, role_password=password if service == SCHEMA else None)


async def start_notifier(
    world: World, folder: Path, settings: Mapping[str, str]
) -> asyncio.subprocess.Process:
    """A notifier as it runs in production; it is the caller's to end."""
    values = {
        "KAFKA_BOOTSTRAP": world.stack.bootstrap,
        "DATABASE_URL": world.url,
        "INSTANCE_ID": world.tenant,
        "NOTIFY_POLL_S": "0.1",
        "NOTIFY_RETRY_SCALE": str(RETRY_SCALE),
        "OUTBOUND_TRUSTED": "127.0.0.1",
        "LOG_LEVEL": "WARNING",
    }
    return await _started("services.notifier", folder, _named("", values) | dict(settings))


async def _started(
    module: str, folder: Path, environment: Mapping[str, str]
) -> asyncio.subprocess.Process:
    with (folder / f"{module}.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, stdout=log, stderr=log, env={**os.environ, **environment}
        )


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
    await process.wait()


def _named(prefix: str, values: Mapping[str, Any]) -> dict[str, str]:
    return {f"ONELEAD_{prefix}{name}": str(value) for name, value in values.items()}
