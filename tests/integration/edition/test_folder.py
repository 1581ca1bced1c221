"""The data folder: one edition at a time, and what a killed one left is found and ended."""

import os
import sys
from dataclasses import asdict
from pathlib import Path

import orjson
import psutil
import pytest

from onelead.edition.folder import DataFolder, Recorded
from onelead.edition.process import Child, ChildSpec
from shared.errors import UserError


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "home")


def sleeper(tmp_path: Path) -> Child:
    argv = [sys.executable, "-c", "import time; time.sleep(600)"]
    return Child(ChildSpec("sleeper", argv, dict(os.environ), tmp_path / "log"))


def left_by_a_killed_run(folder: DataFolder, *processes: Recorded) -> None:
    folder.run.mkdir(parents=True)
    (folder.run / "processes.json").write_bytes(orjson.dumps([asdict(p) for p in processes]))


def test_two_editions_never_work_in_one_folder(folder: DataFolder) -> None:
    folder.open()
    with pytest.raises(UserError, match="another OneLead works in data folder") as raised:
        DataFolder(folder.home).open()
    assert "ONELEAD_HOME" in str(raised.value.hint)
    folder.close()
    again = DataFolder(folder.home)
    again.open()
    again.close()


async def test_a_process_of_a_killed_run_is_ended(folder: DataFolder, tmp_path: Path) -> None:
    child = sleeper(tmp_path)
    started_at = psutil.Process(child.pid).create_time()
    left_by_a_killed_run(folder, Recorded("sleeper", child.pid, started_at, 15))
    folder.open()
    assert await folder.end_leftovers() == 1
    assert child.exit_code == -15
    folder.close()


async def test_another_process_with_a_recorded_number_is_left_alone(
    folder: DataFolder, tmp_path: Path
) -> None:
    child = sleeper(tmp_path)
    left_by_a_killed_run(folder, Recorded("old", child.pid, 1_000_000.0, 15))
    folder.open()
    assert await folder.end_leftovers() == 0
    assert child.exit_code is None
    await child.stop(1)
    folder.close()


async def test_a_record_that_was_cut_off_is_no_obstacle(folder: DataFolder) -> None:
    folder.run.mkdir(parents=True)
    (folder.run / "processes.json").write_text('[{"name": "ka')
    folder.open()
    assert await folder.end_leftovers() == 0
    folder.close()


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(UserError, match="cannot be used"):
        DataFolder(tmp_path / "home").open()


def test_too_little_room_is_told_with_the_settings_that_help(folder: DataFolder) -> None:
    folder.open()
    folder.require_room(1)
    with pytest.raises(UserError, match="disk full") as raised:
        folder.require_room(10**12)
    assert "ONELEAD_HOME" in str(raised.value.hint)
    assert "ONELEAD_MIN_FREE_MB" in str(raised.value.hint)
    folder.close()


def test_a_deep_folder_gets_a_short_socket_path_of_its_own(tmp_path: Path) -> None:
    deep = DataFolder(tmp_path / ("d" * 120))
    other = DataFolder(tmp_path / ("e" * 120))
    assert len(str(deep.sockets / ".s.PGSQL.5432")) <= 107
    assert deep.sockets != other.sockets
    assert DataFolder(Path("/tmp/x")).sockets == Path("/tmp/x/run/postgres")  # noqa: S108


def test_the_state_of_an_edition_that_ended_is_not_believed(folder: DataFolder) -> None:
    folder.open()
    folder.save_state({"pid": os.getpid(), "kafka_bootstrap": "h:1"})
    assert folder.load_state() == {"pid": os.getpid(), "kafka_bootstrap": "h:1"}
    folder.save_state({"pid": 2**22 + 1})
    assert folder.load_state() is None
    folder.close()
    assert folder.load_state() is None


def test_closing_removes_what_only_mattered_while_running(folder: DataFolder) -> None:
    folder.open()
    folder.postgres.mkdir()
    folder.close()
    assert sorted(path.name for path in folder.home.iterdir()) == ["lock", "logs", "postgres"]


def test_a_folder_can_be_emptied_and_removed_while_it_is_ours(folder: DataFolder) -> None:
    folder.open()
    (folder.kafka / "log").mkdir(parents=True)
    folder.empty()
    assert not folder.kafka.exists()
    folder.close(remove=True)
    assert not folder.home.exists()
