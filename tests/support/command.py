"""Runs the `onelead` command as a process of its own, as a person does, and looks at what it leaves."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
SELDOM_ASKING = {"ONELEAD_FETCH_MAX_WAIT_MS": 200}
"""For an edition that mostly stands idle beside other tests: it takes half as much of a core."""


def environment(home: Path, settings: Mapping[str, object] | None = None) -> dict[str, str]:
    """Our environment without its own OneLead settings: this data folder, free ports, these settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ONELEAD_")}
    cache = {
        n: v for n, v in os.environ.items() if n in ("ONELEAD_CACHE_DIR", "ONELEAD_KAFKA_JARS")
    }
    chosen = {
        "ONELEAD_HOME": home,
        "ONELEAD_KAFKA_PORT": 0,
        "ONELEAD_OPS_BASE_PORT": 0,
        **SELDOM_ASKING,
        "PYTHONPATH": ROOT,
        "COLUMNS": 100,
        **(settings or {}),
    }
    return {**kept, **cache, **{name: str(value) for name, value in chosen.items()}}


def run_onelead(
    *arguments: str | Path,
    home: Path,
    timeout_s: float = 60,
    settings: Mapping[str, object] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "onelead", *map(str, arguments)],
        env=environment(home, settings),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


class RunningCommand:
    """A command that stays up; its output goes to a file."""

    def __init__(
        self,
        *arguments: str,
        home: Path,
        log: Path,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        self.home = home
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "onelead", *arguments],
                env=environment(home, settings),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    @property
    def output(self) -> str:
        """What it has said so far."""
        return self._log.read_text(errors="replace")

    async def until_it_says(self, text: str, timeout_s: float = 90) -> None:
        """Waits for a text in its output. Fails when it ends without."""

        def look() -> bool:
            said = text in self.output
            assert said or self.process.poll() is None, self.output
            return said

        await wait_until(look, f"output with {text!r}", timeout_s=timeout_s)

    async def end(self, number: signal.Signals, timeout_s: float = 15) -> int:
        """Sends a signal and waits for the end; returns the exit code."""
        self.process.send_signal(number)
        await wait_until(
            lambda: self.process.poll() is not None, "the command to end", timeout_s=timeout_s
        )
        return self.process.returncode

    def kill_everything(self) -> None:
        """For a test's end, whatever has happened."""
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        for process in processes_of(self.home):
            with suppress(psutil.Error):
                process.kill()


def processes_of(home: Path) -> list[psutil.Process]:
    """Every process that works in a data folder, whoever started it."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = [*process.cmdline(), *_settings(process)]
            here = any(str(home) in word for word in words)
            if here and process.status() != psutil.STATUS_ZOMBIE and process.pid != os.getpid():
                found.append(process)
    return found


def _settings(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return [f"{n}={v}" for n, v in process.environ().items() if n.startswith("ONELEAD_")]
    return []
