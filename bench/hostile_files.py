"""Time and memory in which hostile files are refused: `python -m bench.hostile_files [NAME…]`.

Runs `onelead assess` on each file of tests/support/hostile.py; memory is that of the process and its
children together, looked at every 5 ms.
"""

import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from shared import clock
from tests.support.command import environment
from tests.support.hostile import HOSTILE, make_hostile


@dataclass(frozen=True)
class Refusal:
    """How a file was refused."""

    exit_code: int
    seconds: float
    processor_s: float
    peak_mb: float
    said: str


def refused(path: Path, home: Path) -> Refusal:
    """Assesses a file in a process of its own and watches it."""
    command = [sys.executable, "-m", "onelead", "assess", str(path), "--as-of", "2025-10-09"]
    began_s, used_s = clock.monotonic_s(), _processor_s()
    peak = 0
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(  # noqa: S603 - our own command
            command, env=environment(home), stdout=subprocess.DEVNULL, stderr=errors
        ) as run:
            while run.poll() is None:
                peak = max(peak, _memory(run.pid))
                try:
                    run.wait(0.005)
                except subprocess.TimeoutExpired:
                    continue
        seconds = clock.monotonic_s() - began_s
        errors.seek(0)
        used_s = _processor_s() - used_s
        return Refusal(run.returncode, seconds, used_s, peak / 1e6, errors.read())


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _memory(pid: int) -> int:
    total = 0
    try:
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            total += each.memory_info().rss
    except psutil.Error:
        pass
    return total


def main() -> None:
    """Prints a line for each file."""
    table = Table("file", "MB", "exit", "s", "processor s", "peak MB", "said")
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or HOSTILE:
            path = make_hostile(name, Path(folder))
            size = path.stat().st_size / 1e6
            found = refused(path, Path(folder) / "home")
            said = " ".join(found.said.split())[:100]
            numbers = (
                f"{size:.2f}",
                f"{found.exit_code}",
                f"{found.seconds:.2f}",
                f"{found.processor_s:.2f}",
            )
            table.add_row(name, *numbers, f"{found.peak_mb:.0f}", said)
            path.unlink()
    Console(width=180).print(table)


if __name__ == "__main__":
    main()
