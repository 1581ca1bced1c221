"""The PostgreSQL that the edition starts: on a socket, durable, back after any kind of end."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from onelead.edition.folder import DataFolder
from onelead.edition.postgres import Postgres, PostgresOptions
from shared.errors import UserError
from tests.support.command import processes_of
from tests.support.waiting import wait_until

_TIMEOUT_S = 60.0
_QUICK = PostgresOptions(durable=False)


def postgres_in(home: Path, options: PostgresOptions = _QUICK) -> Postgres:
    folder = DataFolder(home)
    folder.home.mkdir(parents=True, exist_ok=True)
    return Postgres(folder.postgres, folder.sockets, home / "postgres.log", options)


@asynccontextmanager
async def running(home: Path, options: PostgresOptions = _QUICK) -> AsyncIterator[Postgres]:
    postgres = postgres_in(home, options)
    try:
        await postgres.start(_TIMEOUT_S)
        yield postgres
    finally:
        await postgres.stop()


async def ask(postgres: Postgres, statement: str) -> object:
    url = postgres.url(database="postgres").replace("+asyncpg", "")
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_it_answers_and_leaves_neither_process_nor_socket(tmp_path: Path) -> None:
    async with running(tmp_path) as postgres:
        assert await ask(postgres, "SELECT 1 + 1") == 2
    assert processes_of(tmp_path) == []
    assert not postgres.sockets.exists()


async def test_it_sorts_and_folds_every_script_the_same_everywhere(tmp_path: Path) -> None:
    async with running(tmp_path) as postgres:
        assert await ask(postgres, "SELECT lower('ÄΣ') || current_setting('TimeZone')") == "äσUTC"


async def test_a_durable_one_flushes_and_a_throw_away_one_does_not(tmp_path: Path) -> None:
    async with running(tmp_path / "durable", PostgresOptions()) as postgres:
        assert await ask(postgres, "SELECT current_setting('fsync')") == "on"
    async with running(tmp_path / "quick") as postgres:
        assert await ask(postgres, "SELECT current_setting('fsync')") == "off"


async def test_a_data_folder_however_deep_can_be_used(tmp_path: Path) -> None:
    async with running(tmp_path / ("deep" * 30)) as postgres:
        assert await ask(postgres, "SELECT 1") == 1


async def test_what_was_committed_survives_a_kill(tmp_path: Path) -> None:
    postgres = postgres_in(tmp_path, PostgresOptions())
    child = await postgres.start(_TIMEOUT_S)
    await ask(postgres, "CREATE TABLE kept AS SELECT 7 AS n")
    os.kill(child.pid, signal.SIGKILL)
    await wait_until(lambda: processes_of(tmp_path) == [], "the backends to end")
    async with running(tmp_path) as again:
        assert await ask(again, "SELECT n FROM kept") == 7


async def test_a_left_lock_whose_number_is_somebody_elses_now_is_no_obstacle(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as postgres:
        lock = (postgres.data / "postmaster.pid").read_text()
    own, _, rest = lock.partition("\n")
    assert own.isdigit()
    # Our own parent: PostgreSQL by itself would take it for a postmaster that runs.
    (postgres.data / "postmaster.pid").write_text(f"{os.getppid()}\n{rest}")
    async with running(tmp_path) as again:
        assert await ask(again, "SELECT 1") == 1


async def test_a_creation_that_was_cut_off_is_done_again(tmp_path: Path) -> None:
    draft = tmp_path / "postgres.new"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18")
    async with running(tmp_path) as postgres:
        assert await ask(postgres, "SELECT 1") == 1


async def test_a_data_folder_of_another_kind_is_told(tmp_path: Path) -> None:
    async with running(tmp_path) as postgres:
        pass
    (postgres.data / "PG_VERSION").write_text("11\n")
    with pytest.raises(UserError, match="PostgreSQL ended while starting") as raised:
        async with running(tmp_path):
            pass
    assert "11" in raised.value.message
    assert "ONELEAD_DATABASE_URL" in str(raised.value.hint)
    assert processes_of(tmp_path) == []


async def test_every_role_has_an_address_of_its_own(tmp_path: Path) -> None:
    postgres = postgres_in(tmp_path)
    expected = f"postgresql+asyncpg://onelead_scoring@/onelead?host={postgres.sockets}"
    assert postgres.url("onelead_scoring") == expected
