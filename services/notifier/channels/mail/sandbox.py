"""Renders templates in a sandbox that has an end; run as a script it is the child that renders foreign ones.

The child reads JSON lines: the sources by name, then {"name", "variables"} for each rendering; it answers
with {"text"} or {"error", "name", "line"}. Imports nothing of the project: what breaks is this process.
"""

import json
import resource
import signal
import sys
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from jinja2 import (
    FunctionLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_OUTPUT_BYTES = 256 * 1024
MAX_PROCESSOR_S = 1.0
MAX_MEMORY_BYTES = 256 * 1024 * 1024
_WARM_UP = """{% macro f(x) %}{{ x | wordwrap(9) | striptags | urlize }}{% endmacro %}
{% for x in ["\\u00e4", 1.5] %}{{ f(x | string) | tojson | pprint }}{% endfor %}{{ nobody }}"""


class TooLongError(Exception):
    """The text outgrew the limit."""


def environment(sources: Mapping[str, str]) -> ImmutableSandboxedEnvironment:
    """Templates by name, with HTML escaped in those whose name says .html, and nothing assumed."""

    def load(name: str) -> tuple[str, str, None] | None:
        return (sources[name], name, None) if name in sources else None

    made = ImmutableSandboxedEnvironment(
        loader=FunctionLoader(load),
        autoescape=lambda name: name is not None and ".html" in name,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.pop("lipsum")
    return made


def rendered(found: ImmutableSandboxedEnvironment, name: str, variables: Mapping[str, Any]) -> str:
    """A template's text. Raises TooLongError, jinja2's errors and whatever the template brings about."""
    pieces: list[str] = []
    size = 0
    for piece in found.get_template(name).generate(variables):
        size += len(piece.encode(errors="surrogatepass"))
        if size > MAX_OUTPUT_BYTES:
            raise TooLongError(f"makes more than {MAX_OUTPUT_BYTES // 1024} kB of text")
        pieces.append(piece)
    return "".join(pieces)


def fault(error: BaseException, name: str) -> dict[str, Any]:
    """What is wrong, in which template, on which line (None where it cannot be told)."""
    if isinstance(error, TemplateSyntaxError):
        return {"error": str(error.message), "name": error.name or name, "line": error.lineno}
    words = f"there is no template {error.name}" if isinstance(error, TemplateNotFound) else None
    if isinstance(error, MemoryError):
        words = f"needs more than {MAX_MEMORY_BYTES // 1024 // 1024} MB of memory"
    where, line = _place(error.__traceback__) or (name, None)
    text = words or str(error) or type(error).__name__
    return {"error": text[:500], "name": where, "line": line}


def _place(trace: TracebackType | None) -> tuple[str, int] | None:
    """The last template that was at work, and its line."""
    places = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(trace)
        if frame.f_code.co_filename.endswith(".j2")
    ]
    return places[-1] if places else None


def _warm_up() -> None:
    """Makes Python import what it imports late: it may open no files afterwards."""
    try:
        rendered(environment({"warm_up.html.j2": _WARM_UP}), "warm_up.html.j2", {})
    except UndefinedError as error:
        fault(error, "")


def _limit() -> None:
    """No files, no processes, little memory. The processor's time is limited for each rendering."""
    for what, most in (
        (resource.RLIMIT_AS, MAX_MEMORY_BYTES),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _answer(found: ImmutableSandboxedEnvironment, asked: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"text": rendered(found, asked["name"], asked["variables"])}
    except Exception as error:  # noqa: BLE001 - whatever a template does wrong is its author's to know
        return fault(error, asked["name"])


def main() -> None:
    """Renders until standard input ends. Out of time, the kernel ends it (SIGPROF)."""
    found = environment(json.loads(sys.stdin.buffer.readline()))
    _warm_up()
    _limit()
    for line in sys.stdin.buffer:
        signal.setitimer(signal.ITIMER_PROF, MAX_PROCESSOR_S)
        answer = _answer(found, json.loads(line))
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
