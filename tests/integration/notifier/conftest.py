"""Running stand-ins, a client to look into them, and the notifier's settings that point to them."""

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import make_url

from onelead.standins.app import Addresses, running
from onelead.standins.settings import StandinSettings
from services.notifier.channels import AnyChannel
from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.planning import open_sinks
from services.notifier.settings import NotifierSettings
from services.notifier.tables import SCHEMA, metadata
from shared import clock
from shared.db.migrate import upgrade
from shared.ops.composition import Base
from shared.outbound import OutboundPolicy
from shared.settings import load_settings
from tests.support.set_clock import SetClock, held_clock
from tests.support.stack import Stack


@pytest.fixture
async def standins() -> AsyncIterator[Addresses]:
    async with running(StandinSettings()) as addresses:
        yield addresses


@pytest.fixture
async def inside(standins: Addresses) -> AsyncIterator["Inside"]:
    async with httpx.AsyncClient(base_url=standins.page_url) as client:
        yield Inside(client)


class Inside:
    """What a test asks of the stand-ins beside sending to them."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def faults(self, **plan: Any) -> None:
        (await self.client.post("/api/faults", json=plan)).raise_for_status()

    async def accounts(self, *names: str) -> None:
        answer = await self.client.post("/api/salesforce/accounts", json={"names": names})
        answer.raise_for_status()

    async def messages(self, channel: str) -> list[dict[str, Any]]:
        """Everything a channel got, refusals included, oldest first."""
        answer = await self.client.get("/api/messages", params={"channel": channel})
        found: list[dict[str, Any]] = answer.json()["messages"]
        return found

    async def summary(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.client.get("/api/summary")).json()
        return found


def notifier_settings(addresses: Addresses, **changes: Any) -> NotifierSettings:
    """Settings whose sinks are the stand-ins."""
    values: dict[str, Any] = {
        "kafka_bootstrap": "localhost:1",
        "database_url": "postgresql+asyncpg://nobody@localhost/none",
        "console_url": addresses.page_url,
        "outbound_trusted": addresses.mail_host,
        "slack_webhook_url": addresses.slack_webhook_url,
        "mail_host": addresses.mail_host,
        "mail_port": addresses.mail_port,
        "mail_security": "none",
        "mail_from": "alerts@onelead.example",
        "mail_to": "rep@example.com",
        "salesforce_url": addresses.salesforce_url,
        "salesforce_client_id": addresses.salesforce_client_id,
        "salesforce_client_secret": addresses.salesforce_client_secret,
    }
    return load_settings(NotifierSettings, **(values | changes))


def open_channels(settings: NotifierSettings) -> dict[str, AnyChannel]:
    """The sinks of these settings, opened, by name."""
    policy = OutboundPolicy(frozenset(settings.outbound_trusted))
    return open_sinks(settings.notifications(), policy)


@pytest.fixture(scope="session")
def role_url(migrated: Stack) -> str:
    """The database address of the notifier's role, with a password where the server asks for one."""
    word = uuid.uuid4().hex
    upgrade(migrated.owner_url, SCHEMA, role_password=word)
    url = make_url(migrated.owner_url).set(username=f"onelead_{SCHEMA}", password=word)
    return url.render_as_string(hide_password=False)


@pytest.fixture
async def base(role_url: str, standins: Addresses) -> AsyncIterator[Base]:
    """The databases of the notifier's roles."""
    settings = notifier_settings(standins, database_url=role_url)
    built = Base.build(SCHEMA, settings, metadata)
    yield built
    for database in (
        built.database,
        built.tick_database,
        built.metrics_database,
        built.relay_database,
    ):
        await database.close()


@pytest.fixture
def set_clock() -> Iterator[SetClock]:
    """What the product takes for the time; durations are measured as ever."""
    with held_clock(reads=("now", "today", "now_us")) as found:
        yield found


@pytest.fixture
def tenant_id() -> str:
    """A tenant no other test uses, known to the database only."""
    return f"n-{uuid.uuid4().hex[:12]}"


def a_delivery(channel: str, target: str, **changes: Any) -> Delivery:
    """A first attempt, begun now."""
    delivery = Delivery(
        tenant_id="default",
        lead_id="lead-1",
        episode=1,
        purpose=Purpose.ALERT,
        channel=channel,
        target=target,
        created_at=clock.now(),
        tries=1,
    )
    return replace(delivery, **changes)
