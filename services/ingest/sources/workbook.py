"""Reads the sheets of an Excel workbook, in a child process under limits of memory and time."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from services.ingest.sources import workbook_child
from services.ingest.sources.preflight import check_workbook
from services.ingest.sources.tables import Sheet
from shared.errors import UserError

_MB = 1_000_000


@dataclass(frozen=True)
class Limits:
    """What reading may take: the child's memory and processor time, and the text it may hand over."""

    memory_bytes: int
    cpu_s: int
    text_bytes: int


def limits_of(unpacked_bytes: int) -> Limits:
    """Limits in proportion to what a workbook unpacks to: about double what an honest one needs."""
    return Limits(
        memory_bytes=min(2_000 * _MB, 150 * _MB + 6 * unpacked_bytes),
        cpu_s=4 + max(0, unpacked_bytes - 30 * _MB) * 15 // (100 * _MB),
        text_bytes=30 * _MB + 8 * unpacked_bytes,
    )


def read_workbook(path: Path, limits: Limits | None = None) -> list[Sheet]:
    """All sheets of a workbook. Raises UserError, OSError for a file that cannot be read."""
    unpacked_bytes = check_workbook(path)
    sheets: list[Sheet] = []
    rows: list[list[Any]] = []
    for line in _lines(path, limits or limits_of(unpacked_bytes)):
        if isinstance(line, list):
            rows.append(line)
        elif "error" in line:
            raise _unreadable(path, line["error"])
        else:
            rows = []
            sheets.append(Sheet(path.name, line["sheet"], rows))
    return sheets


def _lines(path: Path, limits: Limits) -> Iterator[Any]:
    """The lines of the child; it is gone when this ends, however that comes about."""
    command = [sys.executable, "-I", str(Path(workbook_child.__file__)), str(path.resolve())]
    taken = 0
    with subprocess.Popen(  # noqa: S603 - our own script, with a path that is no option
        [*command, str(limits.memory_bytes), str(limits.cpu_s)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        try:
            for line in child.stdout or ():
                taken += len(line)
                if taken > limits.text_bytes:
                    text = f"more than {limits.text_bytes // _MB} MB of text come out of it"
                    raise _unreadable(path, text)
                if line.endswith(b"\n"):
                    yield orjson.loads(line)
            code = child.wait()
        finally:
            child.kill()
    if code < 0:
        most = f"{limits.memory_bytes // _MB} MB of memory or {limits.cpu_s} s of processor time"
        raise _unreadable(path, f"reading it took more than {most}")
    if code:
        raise _unreadable(path, "its contents cannot be read")


def _unreadable(path: Path, fault: str) -> UserError:
    return UserError(
        f"{path.name}: the workbook cannot be read: {fault}",
        hint="open it in Excel and save it again, or export its sheets as CSV",
    )
