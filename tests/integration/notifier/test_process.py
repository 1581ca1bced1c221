"""The notifier as a process on the real Kafka: stopped and killed in the middle of its work."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from sqlalchemy import text

from onelead.standins.app import Addresses
from shared.events import LeadChanged
from shared.messaging.codec import encode
from shared.ops.composition import Base
from shared.topics import LEADS
from tests.integration.notifier.bench import FINAL
from tests.integration.notifier.conftest import Inside
from tests.support.notifier_builders import public_lead
from tests.support.stack import Stack
from tests.support.waiting import wait_until

LEADS_TOLD = 24


@pytest.fixture
def environment(standins: Addresses, role_url: str, migrated: Stack, tenant: str) -> dict[str, str]:
    settings = {
        "KAFKA_BOOTSTRAP": migrated.bootstrap,
        "DATABASE_URL": role_url,
        "INSTANCE_ID": tenant,
        "NOTIFY_TENANTS": tenant,
        "NOTIFY_POLL_S": "0.1",
        "OUTBOUND_TRUSTED": "127.0.0.1",
        "SLACK_WEBHOOK_URL": standins.slack_webhook_url,
        "MAIL_HOST": standins.mail_host,
        "MAIL_PORT": str(standins.mail_port),
        "MAIL_SECURITY": "none",
        "MAIL_FROM": "alerts@onelead.example",
        "MAIL_TO": "rep@example.com",
        "SALESFORCE_URL": standins.salesforce_url,
        "SALESFORCE_CLIENT_ID": standins.salesforce_client_id,
        "SALESFORCE_CLIENT_SECRET": standins.salesforce_client_secret,
    }
    return {f"ONELEAD_{name}": value for name, value in settings.items()}


@asynccontextmanager
async def notifier(environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.notifier",
        stdout=asyncio.subprocess.DEVNULL,
        env=os.environ | environment,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def publish(bootstrap: str, tenant: str, leads: Sequence[LeadChanged]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    topic = LEADS.for_tenant(tenant)
    for lead in leads:
        key = f"{tenant}|{lead.lead_id}"
        message = encode(
            lead, tenant_id=tenant, source="/test", subject=lead.lead_id, topic=topic, key=key
        )
        headers = [(name, value.encode()) for name, value in message.headers.items()]
        await producer.send(topic, message.body, key=key.encode(), headers=headers)
    await producer.stop()


async def deliveries(base: Base, tenant: str) -> list[Any]:
    async with base.database.transaction({tenant}) as connection:
        return list(await connection.execute(text("SELECT * FROM notifier.deliveries")))


async def until_all_final(base: Base, tenant: str, count: int) -> list[Any]:
    async def look() -> bool:
        rows = await deliveries(base, tenant)
        return len(rows) == count and all(row.state in FINAL for row in rows)

    _: bool = await wait_until(look, "every delivery has a final state", timeout_s=60)
    return await deliveries(base, tenant)


async def in_the_middle(inside: Inside) -> None:
    async def look() -> bool:
        counts = (await inside.summary())["deliveries"]
        return bool(4 <= counts["slack"] <= LEADS_TOLD // 2)

    _: bool = await wait_until(look, "some alerts are out and some are not", timeout_s=60)


async def test_a_restart_in_the_middle_alerts_everything_exactly_once(
    environment: dict[str, str], migrated: Stack, tenant: str, inside: Inside, base: Base
) -> None:
    await inside.faults(slack={"delay_s": 0.1, "count": 1_000})
    leads = [public_lead(lead_id=f"{tenant}-{n}") for n in range(LEADS_TOLD)]
    await publish(migrated.bootstrap, tenant, leads)
    async with notifier(environment) as process:
        await in_the_middle(inside)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0
    await publish(migrated.bootstrap, tenant, leads)
    async with notifier(environment):
        rows = await until_all_final(base, tenant, 3 * LEADS_TOLD)
    assert {row.state for row in rows} == {"sent"}
    summary = await inside.summary()
    used = ("slack", "email", "salesforce")
    assert {name: summary["deliveries"][name] for name in used} == dict.fromkeys(used, LEADS_TOLD)
    assert set(summary["repeated"].values()) == {0}


async def test_a_kill_in_the_middle_sends_nothing_twice_and_names_what_is_in_doubt(
    environment: dict[str, str], migrated: Stack, tenant: str, inside: Inside, base: Base
) -> None:
    await inside.faults(slack={"delay_s": 0.1, "count": 1_000})
    leads = [public_lead(lead_id=f"{tenant}-{n}") for n in range(LEADS_TOLD)]
    await publish(migrated.bootstrap, tenant, leads)
    async with notifier(environment) as process:
        await in_the_middle(inside)
        process.kill()
        await process.wait()
    async with base.database.transaction({tenant}) as connection:
        ran_out = "UPDATE notifier.deliveries SET leased_until = now() - interval '1 s'"
        await connection.execute(text(ran_out))
    async with notifier(environment):
        rows = await until_all_final(base, tenant, 3 * LEADS_TOLD)
    summary = await inside.summary()
    for channel in ("slack", "email"):
        assert summary["repeated"][channel] == 0
        sent = sum(row.state == "sent" for row in rows if row.channel == channel)
        doubtful = sum(row.state == "unknown" for row in rows if row.channel == channel)
        assert sent + doubtful == LEADS_TOLD
        assert sent <= summary["deliveries"][channel] <= LEADS_TOLD
        assert doubtful <= 4, "no more than can be under way at once"
    assert summary["deliveries"]["salesforce"] == LEADS_TOLD
    assert {row.state for row in rows if row.channel == "salesforce"} == {"sent"}


async def test_wrong_settings_end_the_process_with_one_line(environment: dict[str, str]) -> None:
    wrong = environment | {"ONELEAD_MAIL_FROM": ""}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.notifier",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | wrong,
    )
    _, errors = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 2
    said = errors.decode()
    assert said.startswith("onelead notifier: ONELEAD_MAIL_FROM not set, although")
    assert "Traceback" not in said
