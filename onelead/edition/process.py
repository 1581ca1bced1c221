"""One child process in a group of its own: started, watched, stopped, and never outliving its parent.

Linux tells a child when its parent dies (PR_SET_PDEATHSIG): so nothing is left even when the parent
is killed with SIGKILL. Elsewhere the next start ends what `DataFolder` has recorded.
"""

import asyncio
import ctypes
import os
import pwd
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from shared import clock

POLL_S = 0.05
Remember = Callable[[str, "Child"], None]
"""Told of every started process, before it is ready."""

_KILL_GRACE_S = 3.0
_LOG_LIMIT_BYTES = 20_000_000
_PR_SET_PDEATHSIG = 1
_FRAME = re.compile(r"\s+|Traceback \(most recent call last\)|Caused by: ")
# Loaded before any fork: between fork and exec nothing may be imported.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class ChildSpec:
    """What to run, with which whole environment, logging where; `user` when not as ourselves."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    log_path: Path
    stop_signal: signal.Signals = signal.SIGTERM
    user: pwd.struct_passwd | None = None
    cwd: Path | None = None


class Child:
    """A started process. Start children from the main thread: the parent's death is its thread's."""

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        _roll(spec.log_path)
        with spec.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                list(spec.argv),
                env=dict(spec.env),
                cwd=spec.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
                user=spec.user.pw_uid if spec.user else None,
                group=spec.user.pw_gid if spec.user else None,
                extra_groups=() if spec.user else None,
                preexec_fn=_end_with_parent(spec.stop_signal),  # noqa: PLW1509 - only calls libc
            )

    @property
    def pid(self) -> int:
        """The process id, which is the group's too."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: ended by that signal."""
        return self._process.poll()

    async def wait(self, timeout_s: float) -> bool:
        """Waits until the process has ended; False when it has not in time."""
        deadline_s = clock.monotonic_s() + timeout_s
        while self.exit_code is None:
            if clock.monotonic_s() >= deadline_s:
                return False
            await asyncio.sleep(POLL_S)
        return True

    async def stop(self, timeout_s: float) -> bool:
        """Asks it to end, then kills it and what is left of its group. True when it ended by itself."""
        self._signal(self.spec.stop_signal)
        ended = await self.wait(timeout_s)
        self.kill()
        await self.wait(_KILL_GRACE_S)
        return ended

    def kill(self) -> None:
        """Kills the process and its group at once."""
        self._signal(signal.SIGKILL)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process.poll() is None:
            self._process.send_signal(number)

    def log_tail(self, lines: int = 8) -> str:
        """The last lines of its log, for an error message."""
        return tail(self.spec.log_path, lines)


def _roll(log_path: Path) -> None:
    """Puts a log aside that has grown long; one older one is kept."""
    if log_path.exists() and log_path.stat().st_size > _LOG_LIMIT_BYTES:
        log_path.replace(log_path.with_suffix(".old.log"))


def forget(_name: str, _child: Child) -> None:
    """Remembers nothing: for processes whose end nobody else needs to see to."""


def tail(path: Path, lines: int) -> str:
    """The last lines of a log for a person, stack frames left out; empty when there is no log."""
    with suppress(OSError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 50_000))
        text = file.read().decode(errors="replace")
        told = [line for line in text.splitlines() if line.strip() and not _FRAME.match(line)]
        return "\n".join(told[-lines:])
    return ""


def _end_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    """What the child does between fork and exec, so that it gets a signal when its parent dies."""
    if _LIBC is None:
        return None
    libc, parent, number = _LIBC, os.getpid(), int(stop_signal)

    def in_the_child() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os._exit(1)  # the parent died before the call above

    return in_the_child
