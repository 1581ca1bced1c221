"""Seals code off from the network and the clock, so that what it answers follows from its arguments.

The network is refused to everybody, by an audit hook: nothing in CPython opens a connection without
passing it. The clock is refused to our own code only, by whoever calls it: pytest, Hypothesis and
asyncio need the time themselves. (A reader imported by its own name, `from time import time`, would
slip through: tests/architecture refuses that import.)
"""

import ctypes
import gc
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from socket import AF_INET, AF_INET6
from typing import Any

_OURS = frozenset(("services", "shared", "onelead", "tests"))
_NETWORK = frozenset(
    f"socket.{event}"
    for event in (
        *("bind", "connect", "sendto", "sendmsg"),
        *("getaddrinfo", "gethostbyname", "gethostbyaddr", "getnameinfo"),
    )
)
_READERS: tuple[tuple[Any, str], ...] = (
    *((time, f"{name}{unit}") for name in ("time", "monotonic") for unit in ("", "_ns")),
    *((time, name) for name in ("perf_counter", "process_time", "localtime", "gmtime")),
    *((datetime, name) for name in ("now", "utcnow")),
    (date, "today"),
)
_sealed = 0


class SealedError(RuntimeError):
    """Code that must be pure asked for the network or for the time."""


@contextmanager
def sealed() -> Iterator[None]:
    """Until the end of this block the network refuses everybody, and the clock our own code."""
    global _sealed  # noqa: PLW0603 - audit hooks stay for ever, so one hook asks one flag
    with ExitStack() as seals:
        for owner, name in _READERS:
            seals.enter_context(_refusing(owner, name))
        _sealed += 1
        try:
            yield
        finally:
            _sealed -= 1


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _sealed and event.startswith("socket."):
        internet = event == "socket.__new__" and arguments[1] in (AF_INET, AF_INET6)
        if internet or event in _NETWORK:
            raise SealedError(f"no network here: {event}")


sys.addaudithook(_watch)


@contextmanager
def _refusing(owner: Any, name: str) -> Iterator[None]:
    """One way of reading the time, closed to our own code."""
    members = _members(owner)
    original = members[name]
    read = getattr(owner, name)

    def refuse_ours(*arguments: Any, **keywords: Any) -> Any:
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if caller.partition(".")[0] in _OURS:
            raise SealedError(f"no clock here: {caller} called {owner.__name__}.{name}")
        return read(*arguments, **keywords)

    _replace(owner, name, refuse_ours if owner is time else staticmethod(refuse_ours))
    try:
        yield
    finally:
        _replace(owner, name, original)


def _members(owner: Any) -> dict[str, Any]:
    """The names of a module, or of a class even when Python itself would not let us change it."""
    if isinstance(owner, type):
        found: dict[str, Any] = gc.get_referents(owner.__dict__)[0]
        return found
    module: dict[str, Any] = vars(owner)
    return module


def _replace(owner: Any, name: str, value: Any) -> None:
    _members(owner)[name] = value
    if isinstance(owner, type):
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(owner))
