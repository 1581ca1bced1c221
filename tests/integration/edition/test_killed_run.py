"""A data folder left by a killed run: started again, nothing is lost and nothing sent twice."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from onelead.addresses import database_address, kafka_address
from onelead.demo.results import open_leads
from onelead.demo.settled import wait_until_settled
from onelead.edition.edition import DEFAULT_TENANT
from onelead.edition.folder import DataFolder
from onelead.edition.service import StandinsProcess
from onelead.handover import FileBatch, read_batch
from onelead.importing import hand_over
from onelead.messages import read_from_beginning
from onelead.reporting import SilentReporter
from onelead.settings import EditionSettings
from shared.events import DeliveryOutcome, NotificationSettled
from shared.messaging.codec import decode
from shared.topics import LEADS, NOTIFICATIONS
from tests.support.command import RunningCommand, processes_of
from tests.support.edition import SAMPLES
from tests.support.waiting import wait_until

UP = "Stop with Ctrl-C"
CRITICAL = 43


@pytest.fixture
async def standins(tmp_path: Path) -> AsyncIterator[StandinsProcess]:
    """Receivers that outlive the edition."""
    folder = DataFolder(tmp_path / "standins")
    folder.open()
    process = StandinsProcess(folder)
    await process.start(30)
    yield process
    await process.stop(5)
    folder.close()


async def received(standins: StandinsProcess) -> dict[str, dict[str, int]]:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{standins.addresses['page_url']}/api/summary")
        found: dict[str, dict[str, int]] = answer.json()
        return found


def up(home: Path, log: Path, standins: StandinsProcess) -> RunningCommand:
    settings = {"ONELEAD_AS_OF": "2025-10-09", **standins.notifier_settings()}
    return RunningCommand("up", home=home, log=log, settings=settings)


async def import_samples(bootstrap: str) -> None:
    batch, _ = await read_batch(bootstrap, FileBatch(DEFAULT_TENANT, SAMPLES))
    await hand_over(bootstrap, batch, lambda _: None, idle_timeout_s=60)


async def outcomes(bootstrap: str) -> dict[str, dict[DeliveryOutcome, int]]:
    """Deliveries by channel and outcome, each once."""
    settled: dict[str, tuple[str, DeliveryOutcome]] = {}
    for record in await read_from_beginning(bootstrap, NOTIFICATIONS.name):
        event = decode(record).event
        if isinstance(event, NotificationSettled):
            settled[event.delivery_id] = (event.channel, event.outcome)
    found: dict[str, dict[DeliveryOutcome, int]] = {}
    for channel, outcome in settled.values():
        counts = found.setdefault(channel, {})
        counts[outcome] = counts.get(outcome, 0) + 1
    return found


@pytest.mark.slow
async def test_after_a_kill_in_the_middle_nothing_is_lost_and_nothing_sent_twice(
    tmp_path: Path, standins: StandinsProcess
) -> None:
    home = tmp_path / "home"
    settings = EditionSettings(home=home, kafka_bootstrap=None, database_url=None)
    first = up(home, tmp_path / "first.log", standins)
    second: RunningCommand | None = None
    try:
        await first.until_it_says(UP)
        importing = asyncio.create_task(import_samples(kafka_address(settings)))
        _: bool = await wait_until(lambda: some_arrived(standins), "the first alerts", timeout_s=60)
        await first.end(signal.SIGKILL)
        importing.cancel()
        await wait_until(lambda: processes_of(home) == [], "everything to end", timeout_s=20)
        second = up(home, tmp_path / "second.log", standins)
        await second.until_it_says(UP)
        await check_everything_arrived_once(settings, standins)
        assert await second.end(signal.SIGINT) == 130
    finally:
        first.kill_everything()
        if second is not None:
            second.kill_everything()


async def some_arrived(standins: StandinsProcess) -> bool:
    return sum((await received(standins))["deliveries"].values()) >= 5


async def check_everything_arrived_once(
    settings: EditionSettings, standins: StandinsProcess
) -> None:
    bootstrap = kafka_address(settings)
    await wait_until_settled(
        bootstrap, database_address(settings), [DEFAULT_TENANT], SilentReporter(), 120
    )
    leads = open_leads(await read_from_beginning(bootstrap, LEADS.for_tenant(DEFAULT_TENANT)))
    assert len(leads) == 77
    arrived = await received(standins)
    assert arrived["repeated"]["slack"] == arrived["repeated"]["email"] == 0
    assert arrived["deliveries"]["salesforce"] == CRITICAL
    by_channel = await outcomes(bootstrap)
    for channel in ("slack", "email"):
        # What was on the wire when the power went may have arrived: it is said, and not sent again.
        unsure = by_channel[channel].get(DeliveryOutcome.UNSURE, 0)
        assert by_channel[channel][DeliveryOutcome.SENT] + unsure == CRITICAL
        assert CRITICAL - unsure <= arrived["deliveries"][channel] <= CRITICAL
