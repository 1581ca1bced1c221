"""The process that renders a person's own templates: starts it, asks it, ends it when it takes too long."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from services.notifier.channels.mail.sandbox import MAX_PROCESSOR_S

_SCRIPT = Path(__file__).with_name("sandbox.py")
MAX_WAIT_S = 5.0
"""On a machine so busy that a second of processor time takes longer, it has failed too."""


class OutOfLimitsError(Exception):
    """The rendering took too long or brought its process down."""


class RenderingChild:
    """Renders in a process that has no files, no environment and no more than a little time and memory.

    May be used from several threads; they wait for each other.
    """

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = dict(sources)
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = Lock()

    def ask(self, name: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """{"text"} or {"error", "name", "line"}. Raises OutOfLimitsError; the next call starts anew."""
        with self._lock:
            process = self._process or self._start()
            try:
                _write(process, {"name": name, "variables": variables})
                found: dict[str, Any] = json.loads(_read_line(process, MAX_WAIT_S))
            except (OSError, ValueError, TimeoutError):
                self._end()
                raise OutOfLimitsError(
                    f"took more than {MAX_PROCESSOR_S:g} s of computing time, or broke down"
                ) from None
            return found

    def close(self) -> None:
        """Ends the process."""
        with self._lock:
            self._end()

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603 - our own script, nothing given
            [sys.executable, "-I", str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
        )
        self._process = process
        _write(process, self._sources)
        return process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:  # what it had not read yet
                    continue


def _write(process: subprocess.Popen[bytes], message: Mapping[str, Any]) -> None:
    if process.stdin is not None:
        process.stdin.write(json.dumps(message).encode() + b"\n")
        process.stdin.flush()


def _read_line(process: subprocess.Popen[bytes], wait_s: float) -> bytes:
    """One line. Raises TimeoutError, and OSError when the process has ended."""
    if process.stdout is None:
        raise OSError("no pipe")
    file, line = process.stdout.fileno(), b""
    while not line.endswith(b"\n"):  # it answers in one go, so that each wait is the whole one
        if not select.select([file], [], [], wait_s)[0]:
            raise TimeoutError
        piece = os.read(file, 65_536)
        if not piece:
            raise OSError("it ended")
        line += piece
    return line
