"""Each service runs with the rights that the map of topics gives it, and has no others."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from sqlalchemy.engine import URL, make_url

from onelead.access import COMMAND
from onelead.broker import create_missing_topics, existing_topics
from onelead.demo.results import open_leads
from onelead.edition.folder import DataFolder
from onelead.edition.service import (
    SERVICES,
    ServiceProcess,
    StandinsProcess,
    service_environment,
)
from onelead.lag import group_of
from onelead.messages import read_from_beginning
from shared.db.migrate import ensure_database, upgrade
from shared.topics import (
    LEADS,
    LEADS_SCORED,
    NOTIFICATIONS,
    RECORDS,
    TOPICS,
    Topic,
    dead_letter_of,
)
from tests.integration.security.conftest import Become
from tests.integration.security.test_guarded_kafka import read, write
from tests.support.command import run_onelead
from tests.support.edition import AS_OF, SAMPLES
from tests.support.guarded_kafka import ADMINISTRATOR, GuardedKafka
from tests.support.stack import Stack
from tests.support.waiting import wait_until

TENANT = "acme"
READ_BY_SERVICES = [topic for topic in TOPICS if set(topic.consumers) & set(SERVICES)]


def own_database(stack: Stack) -> URL:
    """A database of this test's own, with every service's schema; the roles have a password."""
    name, word = f"guarded_{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    owner = make_url(stack.owner_url).set(database=name)
    address = owner.render_as_string(hide_password=False)
    ensure_database(address)
    for service in SERVICES:
        upgrade(address, service, role_password=word)
    return owner.set(password=word)


def environment_of(service: str, guarded: GuardedKafka, database: URL) -> dict[str, str]:
    role = database.set(username=f"onelead_{service}").render_as_string(hide_password=False)
    env = service_environment(
        service, bootstrap=guarded.bootstrap, owner_url=role, ops_port=0, log_level="INFO"
    )
    env |= {"ONELEAD_DATABASE_URL": role, "ONELEAD_AS_OF": AS_OF.isoformat()}
    return env | guarded.environment(f"onelead_{service}")


@asynccontextmanager
async def running(
    folder: DataFolder, guarded: GuardedKafka, database: URL
) -> AsyncIterator[Sequence[ServiceProcess]]:
    """All services, each as a user of its own, and stand-ins for the sinks."""
    folder.open()
    standins = StandinsProcess(folder)
    started: list[ServiceProcess | StandinsProcess] = [standins]
    try:
        await standins.start(60)
        services = []
        for name in SERVICES:
            env = environment_of(name, guarded, database)
            extra = standins.notifier_settings() if name == "notifier" else {}
            tenants = {"ONELEAD_NOTIFY_TENANTS": TENANT} if extra else {}
            services.append(ServiceProcess(name, env | extra | tenants, folder))
        started += services
        await asyncio.gather(*(service.start(60) for service in services))
        yield services
    finally:
        await asyncio.gather(*(each.stop(8) for each in started))
        folder.close()


async def command(
    guarded: GuardedKafka, folder: DataFolder, user: str, *arguments: str | Path
) -> CompletedProcess[str]:
    return await asyncio.to_thread(
        run_onelead, *arguments, home=folder.home / "none", settings=guarded.environment(user)
    )


@pytest.mark.slow
async def test_every_service_works_with_its_own_rights_and_no_others(
    guarded: GuardedKafka, stack: Stack, become: Become, tmp_path: Path
) -> None:
    folder = DataFolder(tmp_path / "home")
    become(ADMINISTRATOR)
    await create_missing_topics(guarded.bootstrap, [TENANT])
    granted = await command(guarded, folder, ADMINISTRATOR, "topics", "acls", "--apply")
    assert granted.returncode == 0, granted.stderr
    tenant = await command(guarded, folder, ADMINISTRATOR, "tenants", "add", TENANT)
    assert "may write the one and read the other" in tenant.stderr
    database = await asyncio.to_thread(own_database, stack)
    async with running(folder, guarded, database) as services:
        imported = await command(
            guarded, folder, f"onelead_{COMMAND}", "import", *SAMPLES, "--tenant", TENANT
        )
        assert imported.returncode == 0, imported.stderr
        become(TENANT)
        await leads_of_the_tenant(guarded)
        become(ADMINISTRATOR)
        await until_told(guarded, NOTIFICATIONS.name, 1)
        await every_consumer_puts_aside_what_it_cannot_read(guarded)
        assert [
            service.name
            for service in services
            if service.child and service.child.exit_code is not None
        ] == []
    await nothing_beyond(guarded, become)


async def leads_of_the_tenant(guarded: GuardedKafka) -> None:
    """All of the reference's leads, read as the tenant."""

    async def complete() -> bool:
        records = await read_from_beginning(guarded.bootstrap, LEADS.for_tenant(TENANT))
        return len(list(open_leads(records))) == 77

    _: bool = await wait_until(complete, "77 leads on the tenant's topic", timeout_s=90)


async def until_told(guarded: GuardedKafka, topic: str, count: int) -> None:
    async def there() -> bool:
        return len(await read_from_beginning(guarded.bootstrap, topic)) >= count

    _: bool = await wait_until(there, f"{count} messages on {topic}", timeout_s=60)


async def every_consumer_puts_aside_what_it_cannot_read(guarded: GuardedKafka) -> None:
    for topic in READ_BY_SERVICES:
        await write(guarded, topic.for_tenant(TENANT))
    for topic in READ_BY_SERVICES:
        readers = len(set(topic.consumers) & set(SERVICES))
        await until_told(guarded, dead_letter_of(topic.for_tenant(TENANT)), readers)


async def nothing_beyond(guarded: GuardedKafka, become: Become) -> None:
    become("onelead_scoring")
    seen = await existing_topics(guarded.bootstrap)
    assert seen == {name for topic in TOPICS for name in of_scoring(topic)}
    with pytest.raises(TopicAuthorizationFailedError):
        await write(guarded, LEADS.for_tenant(TENANT))
    with pytest.raises(TopicAuthorizationFailedError):
        await read(guarded, RECORDS.for_tenant(TENANT), group="onelead.scoring.leads.detected.v1")
    become("onelead_recommender")
    with pytest.raises(GroupAuthorizationFailedError):
        await read(guarded, LEADS_SCORED.name, group=group_of("scoring", LEADS_SCORED))
    become("onelead_lifecycle")
    with pytest.raises(TopicAuthorizationFailedError):
        await write(guarded, LEADS.for_tenant(TENANT))


def of_scoring(topic: Topic) -> set[str]:
    if "scoring" in topic.consumers:
        return {topic.name, dead_letter_of(topic.name)}
    return {topic.name} if "scoring" in topic.producers else set()
