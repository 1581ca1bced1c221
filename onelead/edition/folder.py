"""The data folder: one edition at a time works in it, and what a killed one left is ended first."""

import asyncio
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
import psutil

from onelead.edition.process import POLL_S, Child
from shared import clock
from shared.errors import UserError

MEGABYTE = 1_000_000
_SOCKET_NAME = ".s.PGSQL.5432"
_SOCKET_PATH_LIMIT = 107
_LEFTOVER_GRACE_S = 10.0
_CLOCK_SLACK_S = 2.0


@dataclass(frozen=True)
class Recorded:
    """A started process as the data folder remembers it; a pid alone could be anybody's by now."""

    name: str
    pid: int
    started_at: float
    stop_signal: int

    def process(self) -> psutil.Process | None:
        """The process if it is still that one."""
        with suppress(psutil.Error):
            found = psutil.Process(self.pid)
            if abs(found.create_time() - self.started_at) <= _CLOCK_SLACK_S and found.is_running():
                return found
        return None


class DataFolder:
    """Where an edition keeps everything: `kafka/`, `postgres/`, `logs/`, `run/`."""

    def __init__(self, home: Path) -> None:
        self.home = home.expanduser().absolute()
        self.kafka = self.home / "kafka"
        self.postgres = self.home / "postgres"
        self.logs = self.home / "logs"
        self.run = self.home / "run"
        self.state_file = self.run / "edition.json"
        self._record = self.run / "processes.json"
        self._lock: int | None = None
        self._processes: list[Recorded] = []

    @property
    def sockets(self) -> Path:
        """PostgreSQL's socket folder: inside, or in a temporary folder when the path is too long."""
        digest = hashlib.sha256(str(self.home).encode()).hexdigest()[:12]
        outside = f"onelead-{os.getuid()}-{digest}"
        candidates = (self.run / "postgres", Path(tempfile.gettempdir()) / outside)
        return next((p for p in candidates if _is_short(p)), Path("/tmp") / outside)  # noqa: S108

    def open(self) -> None:
        """Creates and locks the folder.

        Raises UserError when another edition works here or the folder cannot be used.
        """
        try:
            self._make_folders()
            lock = os.open(self.home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise UserError(
                f"data folder {self.home} cannot be used: {error.strerror}",
                hint="set ONELEAD_HOME to a folder you may write to",
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise UserError(
                f"another OneLead works in data folder {self.home}",
                hint="stop it, or set ONELEAD_HOME to another folder",
            ) from None
        self._lock = lock

    def close(self, *, remove: bool = False) -> None:
        """Removes what only matters to a running edition, or everything, and gives the folder free."""
        if self._lock is None:
            return
        shutil.rmtree(self.run, ignore_errors=True)
        if not self.sockets.is_relative_to(self.home):
            shutil.rmtree(self.sockets, ignore_errors=True)
        if remove:
            shutil.rmtree(self.home, ignore_errors=True)
            with suppress(OSError):
                self.home.parent.rmdir()  # only when nothing else is in it
        os.close(self._lock)
        self._lock = None

    def empty(self) -> None:
        """Removes everything in the folder but its lock."""
        for folder in (self.kafka, self.postgres, self.logs, self.run):
            shutil.rmtree(folder, ignore_errors=True)
        self._make_folders()

    def _make_folders(self) -> None:
        for folder in (self.home, self.logs, self.run):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def remember(self, name: str, child: Child) -> None:
        """Records a started process, so that the next run can end it if we are killed."""
        with suppress(psutil.Error):
            started_at = psutil.Process(child.pid).create_time()
            stop_signal = int(child.spec.stop_signal)
            self._processes = [p for p in self._processes if p.name != name]
            self._processes.append(Recorded(name, child.pid, started_at, stop_signal))
            self._write(self._record, [asdict(p) for p in self._processes])

    def save_state(self, state: dict[str, Any]) -> None:
        """Publishes the running edition's addresses to other `onelead` commands."""
        self._write(self.state_file, state)

    def load_state(self) -> dict[str, Any] | None:
        """The addresses of the edition that runs here; None when none does."""
        try:
            state: dict[str, Any] = orjson.loads(self.state_file.read_bytes())
        except (OSError, ValueError):
            return None
        return state if psutil.pid_exists(int(state["pid"])) else None

    def free_mb(self) -> int:
        """Room on the disk of the data folder, in MB."""
        return shutil.disk_usage(self.home).free // MEGABYTE

    def require_room(self, min_free_mb: int) -> None:
        """Raises UserError when the disk has less than `min_free_mb` left."""
        if (free_mb := self.free_mb()) < min_free_mb:
            raise UserError(
                f"disk full: {free_mb} MB left for data folder {self.home}, {min_free_mb} MB wanted",
                hint="make room, set ONELEAD_HOME to a folder on another disk, "
                "or lower ONELEAD_MIN_FREE_MB",
            )

    @staticmethod
    def _write(path: Path, content: Any) -> None:
        draft = path.with_suffix(".new")
        draft.write_bytes(orjson.dumps(content))
        draft.replace(path)

    async def end_leftovers(self) -> int:
        """Ends what a killed run left running here; says how many processes there were."""
        try:
            recorded = [Recorded(**item) for item in orjson.loads(self._record.read_bytes())]
        except (OSError, ValueError, TypeError):
            recorded = []
        alive = [(r, p) for r in recorded if (p := r.process()) is not None]
        for leftover, process in alive:
            with suppress(psutil.Error):
                process.send_signal(leftover.stop_signal)
        processes = [process for _, process in alive]
        if not await _ended(processes, _LEFTOVER_GRACE_S):
            for process in processes:
                with suppress(psutil.Error):
                    process.kill()
            await _ended(processes, _LEFTOVER_GRACE_S)
        self._record.unlink(missing_ok=True)
        self.state_file.unlink(missing_ok=True)
        return len(alive)


async def _ended(processes: Sequence[psutil.Process], timeout_s: float) -> bool:
    deadline_s = clock.monotonic_s() + timeout_s
    while any(_runs(process) for process in processes):
        if clock.monotonic_s() > deadline_s:
            return False
        await asyncio.sleep(POLL_S)
    return True


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _is_short(folder: Path) -> bool:
    return len(str(folder / _SOCKET_NAME).encode()) <= _SOCKET_PATH_LIMIT
