"""Everything the stand-ins received, newest last, with counts that outlive what is kept."""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import chain, islice
from typing import Any

from shared import clock

CHANNELS = ("slack", "email", "salesforce")


@dataclass(frozen=True)
class Message:
    """One message as received. `problem` is why it was refused, None when it was taken.

    Messages of equal `identity` are the same news sent again.
    """

    number: int
    channel: str
    received_at: datetime
    identity: str
    content: dict[str, Any]
    problem: str | None = None
    repeated: bool = False

    def as_json(self) -> dict[str, Any]:
        """The message as plain JSON."""
        return {**asdict(self), "received_at": self.received_at.isoformat()}


class Archive:
    """The messages of all channels in the order of their arrival."""

    def __init__(self, kept: int) -> None:
        self._messages: deque[Message] = deque(maxlen=kept)
        self._identities: dict[str, set[str]] = {channel: set() for channel in CHANNELS}
        self._accepted: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()
        self.latest = 0

    def accept(self, channel: str, identity: str, content: dict[str, Any]) -> Message:
        """Keeps a message that was taken."""
        repeated = identity in self._identities[channel]
        self._identities[channel].add(identity)
        self._accepted[channel] += 1
        return self._keep(channel, identity, content, None, repeated)

    def reject(self, channel: str, problem: str, content: dict[str, Any]) -> Message:
        """Keeps a message that was refused, with the reason given to its sender."""
        self._rejected[channel] += 1
        return self._keep(channel, "", content, problem, False)

    def summary(self) -> dict[str, Any]:
        """Counts by channel: distinct messages taken, repeats of them, refusals."""
        distinct = {channel: len(self._identities[channel]) for channel in CHANNELS}
        return {
            "deliveries": distinct,
            "repeated": {c: self._accepted[c] - distinct[c] for c in CHANNELS},
            "rejected": {c: self._rejected[c] for c in CHANNELS},
            "latest": self.latest,
        }

    def after(self, number: int, channel: str | None, limit: int) -> list[Message]:
        """The first `limit` messages with a higher number, oldest first."""
        newer = (m for m in self._messages if m.number > number)
        return list(islice((m for m in newer if channel in {None, m.channel}), limit))

    def page(
        self, *, channel: str | None, query: str, page: int, size: int
    ) -> tuple[Sequence[Message], int]:
        """Page `page` (from 1) of the matching messages, newest first, and how many match."""
        matching = list(self._matching(channel, query.casefold()))
        return matching[(page - 1) * size : page * size], len(matching)

    def _matching(self, channel: str | None, query: str) -> Iterator[Message]:
        for message in reversed(self._messages):
            if channel not in {None, message.channel}:
                continue
            read = _texts({**message.content, "html": ""})
            if not query or any(query in text.casefold() for text in read):
                yield message

    def _keep(
        self,
        channel: str,
        identity: str,
        content: dict[str, Any],
        problem: str | None,
        repeated: bool,
    ) -> Message:
        self.latest += 1
        message = Message(self.latest, channel, clock.now(), identity, content, problem, repeated)
        self._messages.append(message)
        return message


def _texts(value: object) -> Iterator[str]:
    """The texts in a message, without the names of its fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from chain.from_iterable(map(_texts, value.values()))
    elif isinstance(value, list):
        yield from chain.from_iterable(map(_texts, value))
