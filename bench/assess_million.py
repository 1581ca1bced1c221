"""Leads per second of `onelead assess` on a million boxes against the first way: `make bench-assess`.

Each way runs in a process of its own, from its start to its end, on the same generated files; the two
take turns, so that what else the machine does weighs on both.
"""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from bench.generate import AS_OF, first_rows, write_export
from shared import clock

TRIAL_ROWS = 1_000
WANTED_RATIO = 20
WANTED_MB = 600


@dataclass(frozen=True)
class Run:
    """One run of one way, from the start of its process to its end."""

    way: str
    rows: int
    leads: int
    seconds: float
    cpu_s: float
    peak_mb: float

    @property
    def rate(self) -> float:
        """Leads per second."""
        return self.leads / self.seconds


def measured(way: str, rows: int, command: list[str], said: Path) -> Run:
    """Runs a command with its standard output in a file, and counts the lines or reads the number."""
    began_s = clock.monotonic_s()
    with said.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own modules
            [sys.executable, "-m", *command], stdout=output, stderr=subprocess.DEVNULL
        )
        _, status, used = os.wait4(process.pid, 0)
    seconds = clock.monotonic_s() - began_s
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{way} ended with {process.returncode}")
    with said.open("rb") as output:
        leads = sum(1 for _ in output) if way == "assess" else int(output.read())
    return Run(way, rows, leads, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def assessed(files: list[Path], rows: int, folder: Path) -> Run:
    """Our way: all rows of the files."""
    day = AS_OF.isoformat()
    command = ["onelead", "assess", *map(str, files), "--as-of", day, "--json-lines"]
    return measured("assess", rows, command, folder / "leads.jsonl")


def first_way(files: list[Path], rows: int, folder: Path) -> Run:
    """The first way: so many boxes."""
    database = folder / "first.db"
    database.unlink(missing_ok=True)
    command = ["bench.first_way", *map(str, files), str(rows), str(database)]
    return measured("first way", rows, command, folder / "first.txt")


def agreement(folder: Path) -> tuple[int, int]:
    """(leads with the same score, leads) of both ways on the same rows."""
    with sqlite3.connect(folder / "first.db") as database:
        found = Counter(database.execute("SELECT box, lead_type, score FROM leads").fetchall())
    with (folder / "leads.jsonl").open("rb") as lines:
        leads = [json.loads(line) for line in lines]
    ours = Counter((each["serial_number"], each["lead_type"], each["score"]) for each in leads)
    return (found & ours).total(), (found | ours).total()


def main() -> None:
    """Prints every run, and the median ratio. Ends with 1 when the aim is missed."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--accounts", type=int, default=20_000)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--first-seconds", type=float, default=60)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        boxes, *others = write_export(folder, options.rows, options.accounts)
        trial = first_way([boxes, *others], TRIAL_ROWS, folder)
        few = min(options.rows, int(TRIAL_ROWS * options.first_seconds / trial.seconds))
        quarter = first_rows(boxes, folder / "quarter.csv", options.rows // 4)
        same = first_rows(boxes, folder / "same.csv", few)
        runs = [assessed([quarter, *others], options.rows // 4, folder)]
        for _ in range(options.rounds):
            runs.append(first_way([boxes, *others], few, folder))
            runs.append(assessed([boxes, *others], options.rows, folder))
        assessed([same, *others], few, folder)
        equal, of = agreement(folder)
    _show(runs, equal, of)


def _show(runs: list[Run], equal: int, of: int) -> None:
    console = Console(width=100)
    table = Table("way", "boxes", "leads", "s", "CPU s", "peak MB", "leads/s")
    for run in runs:
        numbers = (
            f"{run.seconds:.1f}",
            f"{run.cpu_s:.1f}",
            f"{run.peak_mb:.0f}",
            f"{run.rate:,.0f}",
        )
        table.add_row(run.way, f"{run.rows:,}", f"{run.leads:,}", *numbers)
    console.print(table)
    turns = list(zip(runs[1::2], runs[2::2], strict=True))
    ratio = median(ours.rate / first.rate for first, ours in turns)
    by_cpu = median(
        (ours.leads / ours.cpu_s) / (first.leads / first.cpu_s) for first, ours in turns
    )
    peak = max(run.peak_mb for run in runs[2::2])
    console.print(f"leads/s: {ratio:.1f} times the first way (by CPU time {by_cpu:.1f} times)")
    console.print(
        f"peak memory: {peak:.0f} MB; with a quarter of the boxes {runs[0].peak_mb:.0f} MB"
    )
    console.print(f"same score on the same boxes: {equal:,} of {of:,} leads")
    if ratio < WANTED_RATIO or peak > WANTED_MB:
        sys.exit(1)


if __name__ == "__main__":
    main()
