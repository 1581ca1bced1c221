"""The whole edition as a person runs it: starts, is found, survives a kill, leaves nothing, says why not."""

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import orjson
import pytest

from onelead.addresses import kafka_address, ops_addresses, problems_of
from onelead.edition.service import SERVICES
from onelead.messages import read_from_beginning
from onelead.settings import EditionSettings
from shared.errors import UserError
from shared.topics import LEADS
from tests.support.command import ROOT, RunningCommand, processes_of, run_onelead
from tests.support.waiting import wait_until

AS_OF = {"ONELEAD_AS_OF": "2025-10-09"}
UP = "Stop with Ctrl-C"
STOP_BOUND_S = 10.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
async def onelead(home: Path, tmp_path: Path) -> AsyncIterator[RunningCommand]:
    """`onelead up`, started and not waited for."""
    command = RunningCommand("up", home=home, log=tmp_path / "up.log", settings=AS_OF)
    yield command
    command.kill_everything()


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


async def end_and_check(command: RunningCommand, number: signal.Signals, code: int) -> None:
    begun = time.monotonic()
    assert await command.end(number) == code, command.output
    assert time.monotonic() - begun < STOP_BOUND_S
    assert processes_of(command.home) == []
    assert "Traceback" not in command.output
    assert not (command.home / "run").exists()


async def test_ctrl_c_while_the_command_is_still_loading_is_quiet(onelead: RunningCommand) -> None:
    await asyncio.sleep(0.25)
    await end_and_check(onelead, signal.SIGINT, 130)


@pytest.mark.parametrize(
    "moment",
    [
        "Starting Kafka",
        pytest.param("Creating topics", marks=pytest.mark.slow),
        "Starting the services",
        pytest.param(UP, marks=pytest.mark.slow),
    ],
)
async def test_ctrl_c_at_any_moment_stops_everything_quietly(
    onelead: RunningCommand, moment: str
) -> None:
    await onelead.until_it_says(moment)
    await end_and_check(onelead, signal.SIGINT, 130)


@pytest.mark.slow
async def test_a_polite_end_stops_everything_too(onelead: RunningCommand) -> None:
    await onelead.until_it_says("Starting the services")
    await end_and_check(onelead, signal.SIGTERM, 143)


@pytest.mark.slow
async def test_a_closed_terminal_stops_everything_too(onelead: RunningCommand) -> None:
    await onelead.until_it_says("Creating topics")
    await end_and_check(onelead, signal.SIGHUP, 129)


@pytest.mark.slow
async def test_an_impatient_second_ctrl_c_leaves_nothing_either(onelead: RunningCommand) -> None:
    await onelead.until_it_says("Starting the services")
    onelead.process.send_signal(signal.SIGINT)
    await end_and_check(onelead, signal.SIGINT, 130)


@pytest.mark.slow
async def test_a_killed_edition_takes_everything_with_it_and_starts_again(
    onelead: RunningCommand, home: Path, tmp_path: Path
) -> None:
    await onelead.until_it_says(UP)
    await onelead.end(signal.SIGKILL)
    await wait_until(lambda: processes_of(home) == [], "everything to end", timeout_s=15)
    again = RunningCommand("up", home=home, log=tmp_path / "again.log")
    try:
        await again.until_it_says(UP)
        await end_and_check(again, signal.SIGINT, 130)
    finally:
        again.kill_everything()


async def test_a_running_edition_is_found_by_its_data_folder_and_mends_itself(
    onelead: RunningCommand, home: Path
) -> None:
    await onelead.until_it_says(UP)
    settings = EditionSettings(home=home, kafka_bootstrap=None, database_url=None)
    bootstrap = kafka_address(settings)
    assert await read_from_beginning(bootstrap, LEADS.for_tenant("default")) == []
    assert set(ops_addresses(settings)) == set(SERVICES)
    async with httpx.AsyncClient() as client:
        for address in ops_addresses(settings).values():
            assert "onelead_" in (await client.get(f"{address}/metrics")).text
    assert await problems_of(settings, "scoring") == ""
    second = run_onelead("up", home=home)
    assert second.returncode == 2
    assert "another OneLead works in data folder" in second.stderr
    [scoring] = [p for p in processes_of(home) if "services.scoring" in p.cmdline()]
    scoring.kill()
    await onelead.until_it_says("scoring runs again")
    await end_and_check(onelead, signal.SIGINT, 130)
    with pytest.raises(UserError, match="no OneLead runs in data folder"):
        kafka_address(settings)


@pytest.mark.parametrize(
    ("setting", "value", "said", "helps"),
    [
        ("ONELEAD_KAFKA_BOOTSTRAP", "127.0.0.1:9", "no Kafka answers at 127.0.0.1:9", "unset"),
        ("ONELEAD_KAFKA_JARS", "/nowhere", "no kafka_2.13-….jar in /nowhere", "libs folder"),
        ("ONELEAD_MIN_FREE_MB", 10**9, "disk full", "ONELEAD_HOME"),
        ("ONELEAD_HOME", "/proc/none", "data folder /proc/none cannot be used", "ONELEAD_HOME"),
        ("ONELEAD_KAFKA_PORT", "many", "ONELEAD_KAFKA_PORT", "environment"),
    ],
)
def test_what_prevents_a_start_is_told_with_the_setting_that_helps(
    home: Path, setting: str, value: object, said: str, helps: str
) -> None:
    result = run_onelead("up", home=home, settings={setting: value})
    assert result.returncode in (1, 2)
    assert said in result.stderr
    assert helps in result.stderr
    assert "Traceback" not in result.stderr
    assert processes_of(home) == []


@pytest.mark.parametrize("setting", ["ONELEAD_KAFKA_PORT", "ONELEAD_OPS_BASE_PORT"])
def test_a_port_in_use_is_told_with_the_setting_that_moves_it(
    home: Path, taken: int, setting: str
) -> None:
    result = run_onelead("up", home=home, settings={setting: taken})
    assert result.returncode == 2
    assert f"port {taken} on 127.0.0.1 is in use by" in result.stderr
    assert setting in result.stderr
    assert processes_of(home) == []


def test_a_database_that_is_not_there_is_told(home: Path) -> None:
    url = "postgresql+asyncpg://postgres@127.0.0.1:9/onelead"
    result = run_onelead("up", home=home, settings={"ONELEAD_DATABASE_URL": url})
    assert result.returncode == 1
    assert "127.0.0.1:9" in result.stderr
    assert "ONELEAD_DATABASE_URL" in result.stderr
    assert "Traceback" not in result.stderr
    assert processes_of(home) == []


def test_the_demo_ends_by_itself_with_the_numbers_and_leaves_nothing(home: Path) -> None:
    result = run_onelead("demo", "--once", "--json", home=home, timeout_s=120)
    assert result.returncode == 0, result.stderr
    last = orjson.loads(result.stdout.splitlines()[-1])
    assert last["rows"]["install_base"] == 63
    assert last["rows"]["projects"] == 2_394
    assert last["leads"] == {"renewal": 30, "hardware_refresh": 27, "service_attach": 20}
    assert last["priorities"] == {"CRITICAL": 43, "HIGH": 31, "MEDIUM": 3}
    assert last["deliveries"] == {"slack": 43, "email": 43, "salesforce": 43}
    assert set(last["seconds"]) == {"start", "settled"}
    assert last["peak_rss_mb"] > 0
    assert all(len(line) <= 100 for line in result.stdout.splitlines()[:-1])
    assert not home.exists()
    assert processes_of(home) == []


@pytest.mark.slow
async def test_the_demo_stays_up_until_ctrl_c(home: Path, tmp_path: Path) -> None:
    demo = RunningCommand("demo", home=home, log=tmp_path / "up.log")
    try:
        await demo.until_it_says("Stop with Ctrl-C")
        await end_and_check(demo, signal.SIGINT, 130)
    finally:
        demo.kill_everything()
    assert not (tmp_path / "home").exists()


def test_samples_are_there() -> None:
    assert len(list((ROOT / "samples").glob("*.xlsx"))) == 2
