"""Reads the sheets of an Excel workbook, in a child process under limits of memory and time."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from services.ingest.sources import workbook_child
from services.ingest.sources.preflight import check_workbook
from services.ingest.sources.tables import Sheet
from shared.errors import UserError

_MEMORY_BYTES = 2_000_000_000
_CPU_S = 120


def read_workbook(
    path: Path, *, memory_bytes: int = _MEMORY_BYTES, cpu_s: int = _CPU_S
) -> list[Sheet]:
    """All sheets of a workbook. Raises UserError, OSError for a file that cannot be read."""
    check_workbook(path)
    sheets: list[Sheet] = []
    rows: list[list[Any]] = []
    for line in _lines(path, memory_bytes, cpu_s):
        if isinstance(line, list):
            rows.append(line)
        elif "error" in line:
            raise _unreadable(path, line["error"])
        else:
            rows = []
            sheets.append(Sheet(path.name, line["sheet"], rows))
    return sheets


def _lines(path: Path, memory_bytes: int, cpu_s: int) -> Iterator[Any]:
    """The lines of the child; it is gone when this ends, however that comes about."""
    command = [sys.executable, "-I", str(Path(workbook_child.__file__)), str(path.resolve())]
    with subprocess.Popen(  # noqa: S603 - our own script, with a path that is no option
        [*command, str(memory_bytes), str(cpu_s)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        try:
            yield from (orjson.loads(line) for line in child.stdout or () if line.endswith(b"\n"))
            code = child.wait()
        finally:
            child.kill()
    if code < 0:
        limits = f"{memory_bytes // 1_000_000} MB of memory and {cpu_s} s of processor time"
        raise _unreadable(path, f"reading it took more than {limits}")
    if code:
        raise _unreadable(path, "its contents cannot be read")


def _unreadable(path: Path, fault: str) -> UserError:
    return UserError(
        f"{path.name}: the workbook cannot be read: {fault}",
        hint="open it in Excel and save it again, or export its sheets as CSV",
    )
