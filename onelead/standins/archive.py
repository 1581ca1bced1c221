"""Everything the stand-ins received, newest last, with counts that outlive what is kept.

A message that was taken stands in the log file, where one is wanted, before its sender is answered.
"""

import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

import orjson

from shared import clock
from shared.errors import UserError

CHANNELS = ("slack", "slack_bot", "teams", "email", "salesforce", "webhook")
_LEAD_KEYS = ("lead_id", "OneLead_ID__c")
_LEAD_LINK = re.compile(r"/leads/([\w.~-]+)")


@dataclass(frozen=True)
class Message:
    """One message as received. `problem` is why it was refused, None when it was taken.

    `sink` is the path, or the recipients, it was sent to; messages of equal `identity` to one sink are
    the same news sent again. `post` names a message that others may answer, `answers` the one it answers.
    """

    number: int
    channel: str
    received_at: datetime
    identity: str
    content: dict[str, Any]
    problem: str | None = None
    repeated: bool = False
    sink: str = ""
    lead_id: str | None = None
    post: str = ""
    answers: str = ""

    def as_json(self) -> dict[str, Any]:
        """The message as plain JSON."""
        return {**asdict(self), "received_at": self.received_at.isoformat()}


@dataclass(frozen=True)
class Thread:
    """A message and its answers, oldest first."""

    message: Message
    answers: Sequence[Message] = ()


class Archive:
    """The messages of all channels in the order of their arrival."""

    def __init__(self, kept: int, log_file: Path | None = None) -> None:
        self._messages: deque[Message] = deque(maxlen=kept)
        self._seen: dict[str, set[tuple[str, str]]] = {channel: set() for channel in CHANNELS}
        self._repeated: Counter[str] = Counter()
        self._updated: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()
        self._log = None if log_file is None else _open(log_file)
        self.latest = 0

    def accept(
        self,
        channel: str,
        identity: str,
        content: dict[str, Any],
        *,
        sink: str = "",
        upsert: bool = False,
        post: str = "",
        answers: str = "",
    ) -> Message:
        """Keeps a message that was taken. The same `upsert` again is an update, not a repeat."""
        again = (sink, identity) in self._seen[channel]
        self._seen[channel].add((sink, identity))
        if again:
            (self._updated if upsert else self._repeated)[channel] += 1
        return self._keep(
            channel,
            identity,
            content,
            repeated=again and not upsert,
            sink=sink,
            lead_id=lead_of(content),
            post=post,
            answers=answers,
        )

    def reject(
        self, channel: str, problem: str, content: dict[str, Any], *, sink: str = ""
    ) -> Message:
        """Keeps a message that was refused, with the reason given to its sender."""
        self._rejected[channel] += 1
        return self._keep(channel, "", content, problem=problem, sink=sink)

    def summary(self) -> dict[str, Any]:
        """Counts by channel: distinct messages taken, repeats and updates of them, refusals."""
        return {
            "deliveries": {c: len(self._seen[c]) for c in CHANNELS},
            "repeated": {c: self._repeated[c] for c in CHANNELS},
            "updated": {c: self._updated[c] for c in CHANNELS},
            "rejected": {c: self._rejected[c] for c in CHANNELS},
            "latest": self.latest,
        }

    def after(self, number: int, channel: str | None, limit: int) -> list[Message]:
        """The first `limit` messages with a higher number, oldest first."""
        newer = (m for m in self._messages if m.number > number)
        return list(islice((m for m in newer if channel in {None, m.channel}), limit))

    def page(
        self, *, channel: str | None, query: str, page: int, size: int
    ) -> tuple[Sequence[Thread], int]:
        """Page `page` (from 1) of the matching threads, last active first, and how many match."""
        matching = list(self._matching(channel, query.casefold()))
        return matching[(page - 1) * size : page * size], len(matching)

    def close(self) -> None:
        """Closes the log file."""
        if self._log is not None:
            self._log.close()

    def _matching(self, channel: str | None, query: str) -> Iterator[Thread]:
        for thread in self._threads(channel):
            read = chain.from_iterable(
                _texts({**m.content, "html": ""}) for m in (thread.message, *thread.answers)
            )
            if not query or any(query in text.casefold() for text in read):
                yield thread

    def _threads(self, channel: str | None) -> Iterator[Thread]:
        """The threads, last active first; an answer whose message is no longer kept stands alone."""
        wanted = [m for m in self._messages if channel in {None, m.channel}]
        posts = {m.post: m for m in wanted if m.post}
        answers: dict[int, list[Message]] = defaultdict(list)
        for message in wanted:
            if (asked := posts.get(message.answers)) is not None:
                answers[asked.number].append(message)
        shown: set[int] = set()
        for message in reversed(wanted):
            first = posts.get(message.answers, message)
            if first.number not in shown:
                shown.add(first.number)
                yield Thread(first, answers[first.number])

    def _keep(self, channel: str, identity: str, content: dict[str, Any], **more: Any) -> Message:
        self.latest += 1
        message = Message(self.latest, channel, clock.now(), identity, content, **more)
        self._messages.append(message)
        if self._log is not None and message.problem is None:
            self._log.write(_log_line(message))
        return message


def lead_of(content: dict[str, Any]) -> str | None:
    """The lead a message is about: a field that names it, else a link to it."""
    return _named(content) or _linked(content)


def _named(value: object) -> str | None:
    if isinstance(value, dict):
        for key in _LEAD_KEYS:
            if isinstance(value.get(key), str):
                return str(value[key])
        return next(filter(None, map(_named, value.values())), None)
    if isinstance(value, list):
        return next(filter(None, map(_named, value)), None)
    return None


def _linked(value: object) -> str | None:
    links = (_LEAD_LINK.search(text) for text in _texts(value))
    return next((link.group(1) for link in links if link), None)


def _open(path: Path) -> Any:
    try:
        # Unbuffered: each line is the system's before the sender hears of it, whoever is killed then.
        return path.open("ab", buffering=0)
    except OSError as error:
        raise UserError(
            f"ONELEAD_STANDINS_LOG_FILE: cannot write {path} ({error.strerror})",
            hint="name a file in a folder that exists",
        ) from None


def _log_line(message: Message) -> bytes:
    line = {
        "channel": message.channel,
        "sink": message.sink,
        "identity": message.identity,
        "lead_id": message.lead_id,
        "received_at": message.received_at.isoformat(),
        "repeated": message.repeated,
    }
    return orjson.dumps(line) + b"\n"


def _texts(value: object) -> Iterator[str]:
    """The texts in a message, without the names of its fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from chain.from_iterable(map(_texts, value.values()))
    elif isinstance(value, list):
        yield from chain.from_iterable(map(_texts, value))
