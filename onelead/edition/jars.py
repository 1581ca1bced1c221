"""Kafka's jars: read from a lock file with checksums, fetched once through jgo, kept in a cache folder.

The lock file is written by `python -m onelead.edition.lock_jars`. It pins what a resolution at run
time would leave open, spares it, and shows a jar that was cut off by a killed download.
"""

import asyncio
import hashlib
import os
import queue
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext, PythonResolver

from onelead.reporting import MEGABYTE, Reporter
from shared.errors import UserError

LOCK_FILE = Path(__file__).with_name("kafka_jars.txt")
KAFKA_VERSION = "4.2.0"
_WORKERS = 6
_TRIES = 3
_TIMEOUT_S = 20
_POLL_S = 0.2


@dataclass(frozen=True)
class Jar:
    """One line of the lock file."""

    group: str
    artifact: str
    version: str
    sha256: str
    size_bytes: int

    @property
    def file_name(self) -> str:
        """The name it has in every Maven repository."""
        return f"{self.artifact}-{self.version}.jar"

    @property
    def repository_path(self) -> Path:
        """Its place below the root of a Maven repository."""
        return Path(*self.group.split("."), self.artifact, self.version, self.file_name)

    def is_whole(self, path: Path) -> bool:
        """Whether a file is this jar, by size and checksum."""
        if not path.is_file() or path.stat().st_size != self.size_bytes:
            return False
        return hashlib.sha256(path.read_bytes()).hexdigest() == self.sha256


def read_lock(path: Path = LOCK_FILE) -> tuple[Jar, ...]:
    """The jars of the lock file, in class-path order."""
    lines = [line.split() for line in path.read_text().splitlines() if not line.startswith("#")]
    return tuple(_jar(*line) for line in lines)


def _jar(coordinates: str, sha256: str, size_bytes: str) -> Jar:
    group, artifact, version = coordinates.split(":")
    return Jar(group, artifact, version, sha256, int(size_bytes))


def local_jars(folder: Path) -> list[Path]:
    """The jars of a folder that somebody provided. Raises UserError when Kafka is not among them."""
    jars = sorted(folder.expanduser().glob("*.jar"))
    if not any(jar.name.startswith("kafka_2.13-") for jar in jars):
        raise UserError(
            f"ONELEAD_KAFKA_JARS: no kafka_2.13-….jar in {folder}",
            hint="point it to the libs folder of an unpacked Kafka 4.x",
        )
    return jars


async def cached_jars(cache: Path, mirror: str | None, reporter: Reporter) -> list[Path]:
    """The locked jars in the cache folder, fetched when missing, from `mirror` or Maven Central.

    Raises UserError, naming the two settings that help, when they cannot be fetched.
    """
    jars = read_lock()
    folder = cache / f"kafka-{KAFKA_VERSION}-{lock_digest()}"
    paths = [folder / jar.file_name for jar in jars]
    if not all(
        p.is_file() and p.stat().st_size == j.size_bytes for p, j in zip(paths, jars, strict=True)
    ):
        await _Fetch(jars, folder, mirror or MAVEN_CENTRAL_URL, reporter).run()
    return paths


def lock_digest() -> str:
    """Names the content of the lock file."""
    return hashlib.sha256(LOCK_FILE.read_bytes()).hexdigest()[:10]


_LAST_CHUNK_S = 0.5


class _StoppedError(Exception):
    """The fetch was given up."""


@dataclass
class _Fetch:
    """Fetches into a draft folder in a few daemon threads; whole jars move to their place."""

    jars: Sequence[Jar]
    folder: Path
    repository_url: str
    reporter: Reporter
    received: dict[str, int] = field(default_factory=dict)
    jars_done: int = 0
    failure: str | None = None
    stopped: bool = False
    todo: "queue.SimpleQueue[Jar]" = field(default_factory=queue.SimpleQueue)

    async def run(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_drafts(self.folder)
        for jar in self.jars:
            self.todo.put(jar)
        draft = Path(tempfile.mkdtemp(prefix=f".draft-{os.getpid()}-", dir=self.folder))
        # Daemon threads: one that hangs on a dead line must not keep the command from ending.
        threads = [
            threading.Thread(target=self._work, args=(draft,), daemon=True) for _ in range(_WORKERS)
        ]
        try:
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                self._show()
                await asyncio.sleep(_POLL_S)
        finally:
            self.stopped = True
            self.reporter.done()
            # One that still writes would put back what is removed next; a hanging one is left behind.
            for thread in threads:
                if thread.is_alive():
                    thread.join(_LAST_CHUNK_S)
            shutil.rmtree(draft, ignore_errors=True)
        if self.failure:
            raise cannot_fetch(self.repository_url, self.failure)
        self.reporter.say(f"Kafka {KAFKA_VERSION} is in {self.folder}")

    def _show(self) -> None:
        total = sum(jar.size_bytes for jar in self.jars)
        self.reporter.doing(
            f"Fetching Kafka {KAFKA_VERSION} (once): {self.jars_done} of {len(self.jars)} jars, "
            f"{sum(self.received.copy().values()) / MEGABYTE:.1f} of {total / MEGABYTE:.1f} MB"
        )

    def _work(self, draft: Path) -> None:
        while not self.stopped and self.failure is None:
            try:
                jar = self.todo.get_nowait()
            except queue.Empty:
                return
            try:
                self._bring(jar, draft)
            except _StoppedError:
                return
            except Exception as error:  # noqa: BLE001 - told by the main thread, whatever it was
                self.failure = f"{jar.file_name}: {_short(error)}"

    def _bring(self, jar: Jar, draft: Path) -> None:
        target = self.folder / jar.file_name
        if not jar.is_whole(target):
            fetched = _in_maven_cache(jar, draft) or self._download(jar, draft)
            fetched.replace(target)
        self.received[jar.file_name] = jar.size_bytes
        self.jars_done = len(
            [j for j in self.jars if self.received.get(j.file_name) == j.size_bytes]
        )

    def _download(self, jar: Jar, draft: Path) -> Path:
        for attempt in range(1, _TRIES + 1):
            self.received[jar.file_name] = 0
            try:
                path = self._download_once(jar, draft / str(attempt))
            except (OSError, RuntimeError):
                if attempt == _TRIES:
                    raise
            else:
                if jar.is_whole(path):
                    return path
        raise RuntimeError("what arrived does not have the locked checksum")

    def _download_once(self, jar: Jar, repository: Path) -> Path:
        resolver = PythonResolver(progress_callback=self._progress)
        context = MavenContext(
            resolver,
            repo_cache=repository,
            local_repos=[],
            remote_repos={"repository": self.repository_url.rstrip("/")},
            timeout=_TIMEOUT_S,
        )
        artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
        return Path(artifact.resolve())

    @contextmanager
    def _progress(self, name: str, _size: int) -> Iterator[Callable[[int], None]]:
        def count(size_bytes: int) -> None:
            if self.stopped:
                raise _StoppedError
            self.received[name] += size_bytes

        yield count


def _in_maven_cache(jar: Jar, draft: Path) -> Path | None:
    """A copy of the jar from Maven's own cache, where it is often already."""
    path = Path(MavenContext().repo_cache) / jar.repository_path
    if not jar.is_whole(path):
        return None
    return Path(shutil.copy(path, draft / jar.file_name))


def remove_drafts(folder: Path) -> None:
    """Removes what downloads that were killed have left."""
    for draft in folder.glob(".draft-*"):
        pid = draft.name.split("-")[1]
        if not pid.isdigit() or not psutil.pid_exists(int(pid)):
            shutil.rmtree(draft, ignore_errors=True)


def cannot_fetch(repository_url: str, reason: str) -> UserError:
    """The error for a machine that cannot reach the repository."""
    where = "Maven Central" if repository_url == MAVEN_CENTRAL_URL else repository_url
    return UserError(
        f"Kafka could not be fetched from {where}: {reason}",
        hint="set ONELEAD_KAFKA_JARS to a folder with the jars of Kafka 4.x (the libs folder of its "
        "download), or ONELEAD_KAFKA_BOOTSTRAP to the host:port of a Kafka that runs already",
        exit_code=1,
    )


def _short(error: Exception) -> str:
    """The cause at the bottom of a chain of connection errors, on one line."""
    while (cause := error.__cause__ or error.__context__) is not None and isinstance(
        cause, Exception
    ):
        error = cause
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
