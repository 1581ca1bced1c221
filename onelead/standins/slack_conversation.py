"""The messages of one Slack conversation: posting, editing, and reading back page by page.

A message's `ts` is its id and its time; history shows what stands in the channel, replies a thread.
"""

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

_BEGINNING = "0000000000.000000"
_END = "9999999999.999999"
_CURSOR = "next_ts:"


@dataclass(frozen=True)
class Window:
    """Which messages a reader wants: between two ts, from a cursor on, at most `limit`."""

    oldest: str = _BEGINNING
    latest: str = _END
    inclusive: bool = False
    limit: int = 100
    cursor: str | None = None


@dataclass(frozen=True)
class Page:
    """Messages, and the cursor of the next page, empty at the end."""

    messages: list[dict[str, Any]]
    next_cursor: str = ""


class Conversation:
    """One channel; it forgets the oldest messages beyond `kept`."""

    def __init__(self, name: str, kept: int) -> None:
        self.name = name
        self._kept = kept
        self._order: list[str] = []
        self._messages: dict[str, dict[str, Any]] = {}
        self._replies: dict[str, list[str]] = {}

    def post(self, message: dict[str, Any], now: datetime, *, broadcast: bool = False) -> str:
        """Keeps a message and returns its ts; no two have the same, later ones have higher ones.

        A `thread_ts` of a reply is led to the reply's own thread. Raises KeyError for one of no message.
        """
        ts = self._next_ts(now)
        message |= {"type": "message", "ts": ts}
        if "thread_ts" in message:
            first = self._messages[message["thread_ts"]]
            message["thread_ts"] = first.get("thread_ts", first["ts"])
            self._answer(message["thread_ts"], ts)
            if broadcast:
                message["subtype"] = "thread_broadcast"
        self._order.append(ts)
        self._messages[ts] = message
        self._forget()
        return ts

    def find(self, ts: str) -> dict[str, Any] | None:
        """The message of that ts."""
        return self._messages.get(ts)

    def history(self, window: Window) -> Page:
        """What stands in the channel, newest first; replies only where they were shown there too."""
        low, high = _bounds(self._order, window)
        if window.cursor is not None:
            high = min(high, bisect_left(self._order, window.cursor))
        newest_first = (self._messages[ts] for ts in reversed(self._order[low:high]))
        standing = (m for m in newest_first if _stands_in_channel(m))
        return _page(standing, window.limit)

    def replies(self, first_ts: str, window: Window) -> Page:
        """A thread, oldest first, its first message before all. Raises KeyError for no such message."""
        found = self._messages[first_ts]
        first_ts = found.get("thread_ts", first_ts)
        order = self._replies.get(first_ts, [])
        low, high = _bounds(order, window)
        beginning: Iterator[dict[str, Any]] = iter(())
        if window.cursor is None:
            beginning = iter((self._messages[first_ts],))
        else:
            low = max(low, bisect_right(order, window.cursor))
        thread = [*beginning, *(self._messages[ts] for ts in order[low:high])]
        return _page(iter(thread), window.limit)

    def _next_ts(self, now: datetime) -> str:
        ts = f"{int(now.timestamp()):010d}.{now.microsecond:06d}"
        if self._order and ts <= self._order[-1]:
            seconds, _, micros = self._order[-1].partition(".")
            total = int(seconds) * 1_000_000 + int(micros) + 1
            ts = f"{total // 1_000_000:010d}.{total % 1_000_000:06d}"
        return ts

    def _answer(self, first_ts: str, ts: str) -> None:
        replies = self._replies.setdefault(first_ts, [])
        replies.append(ts)
        self._messages[first_ts] |= {
            "thread_ts": first_ts,
            "reply_count": len(replies),
            "latest_reply": ts,
        }

    def _forget(self) -> None:
        if len(self._order) < 2 * self._kept:
            return
        gone, self._order = self._order[: -self._kept], self._order[-self._kept :]
        for ts in gone:
            del self._messages[ts]
        for first in [ts for ts in self._replies if ts not in self._messages]:
            del self._replies[first]
        for first, replies in self._replies.items():
            self._replies[first] = [ts for ts in replies if ts in self._messages]


def encode_cursor(ts: str) -> str:
    """The opaque text that leads to the page after a message."""
    return base64.b64encode(f"{_CURSOR}{ts}".encode()).decode()


def decode_cursor(cursor: str) -> str:
    """The ts a page ended with. Raises ValueError for a text that is no cursor of ours."""
    try:
        text = base64.b64decode(cursor, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise ValueError(cursor) from None
    if not text.startswith(_CURSOR):
        raise ValueError(cursor)
    return text.removeprefix(_CURSOR)


def _bounds(order: list[str], window: Window) -> tuple[int, int]:
    if window.inclusive:
        return bisect_left(order, window.oldest), bisect_right(order, window.latest)
    return bisect_right(order, window.oldest), bisect_left(order, window.latest)


def _stands_in_channel(message: dict[str, Any]) -> bool:
    thread = message.get("thread_ts", message["ts"])
    return thread == message["ts"] or message.get("subtype") == "thread_broadcast"


def _page(messages: Iterator[dict[str, Any]], limit: int) -> Page:
    found = list(islice(messages, limit + 1))
    if len(found) <= limit:
        return Page(found)
    return Page(found[:limit], encode_cursor(found[limit - 1]["ts"]))
