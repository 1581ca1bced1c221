"""What happened in a run, as JSON lines: acknowledged inputs, faults, and what was seen from outside.

The checker reads nothing else; a history that is kept can be judged again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

Values = Mapping[str, str]


@dataclass(frozen=True)
class Input:
    """A change of a box that the broker has acknowledged; `values` None: the box was removed."""

    tenant: str
    box: str
    version: int
    values: Values | None
    event_id: str
    at: float = 0.0


@dataclass(frozen=True)
class Fault:
    """A fault that was injected and healed; `target`: what it hit. `stop_s`: how long a stop took.

    `retries_per_s`: how often the most eager handler tried again while the database was away.
    """

    name: str
    round: int
    target: str
    injected_at: float
    healed_at: float
    stop_s: float | None = None
    retries_per_s: float | None = None


@dataclass(frozen=True)
class Mark:
    """A box sent when a fault had healed: its lead must be heard of within `bound_s`.

    `channel`: by which, if not by any.
    """

    fault: str
    round: int
    tenant: str
    lead_id: str
    healed_at: float
    bound_s: float
    channel: str = ""


@dataclass(frozen=True)
class Told:
    """A message of a tenant's public topic, in the topic's order. `content`: what must be as expected.

    `news` names all that subscribers care about, so that two messages with equal news are one too many.
    `at`: when it was said, by the message itself. `episode`: the one that is open, 0 when none is.
    """

    tenant: str
    lead_id: str
    version: int
    state: Literal["open", "withdrawn", "tombstone"]
    content: str
    news: str
    at: float = 0.0
    office: str = ""
    priority: str = ""
    episode: int = 0


@dataclass(frozen=True)
class Taken:
    """A message that a sink took; `tenant` and `office` are those the sink belongs to."""

    channel: str
    tenant: str
    office: str
    identity: str
    lead_id: str
    at: float = 0.0


@dataclass(frozen=True)
class Doubt:
    """A delivery that the notifier itself calls one that may have arrived."""

    lead_id: str
    channel: str
    office: str


@dataclass(frozen=True)
class CrmRecord:
    """What the CRM holds of a lead at the end."""

    lead_id: str
    score: float


@dataclass(frozen=True)
class Merged:
    """Two accounts that were one for a while: until this was undone, leads of the one were the other's."""

    tenant: str
    account_id: str
    into: str


@dataclass(frozen=True)
class OtherRules:
    """For a while other rules were in force for a tenant (`expectation.OTHER_RULES`)."""

    tenant: str


@dataclass(frozen=True)
class Poison:
    """A bad record that was sent: it must be put aside, and once."""

    tenant: str
    topic: str
    partition: int
    offset: int
    sort: str


@dataclass(frozen=True)
class PutAside:
    """A record that was put aside as a dead letter: where it had stood."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True)
class Waiting:
    """What was still under way when the run had had its time to come to rest."""

    what: str
    count: int


@dataclass(frozen=True)
class Broken:
    """A bound that a fault itself found broken: a stop that took too long, a process that never came."""

    fault: str
    round: int
    what: str


Entry = (
    Input
    | Fault
    | Mark
    | Told
    | Taken
    | Doubt
    | CrmRecord
    | Merged
    | OtherRules
    | Poison
    | PutAside
    | Waiting
    | Broken
)
_KINDS: Mapping[str, type[Any]] = {
    kind.__name__.lower(): kind
    for kind in (
        *(Input, Fault, Mark, Told, Taken, Doubt),
        *(CrmRecord, Merged, OtherRules, Poison, PutAside, Waiting, Broken),
    )
}


class History:
    """The entries of one run, each on disk before the next thing happens."""

    def __init__(self, path: Path, seed: int) -> None:
        self.path = path
        self.seed = seed
        self.entries: list[Entry] = []
        self._file = path.open("ab", buffering=0)
        self._file.write(orjson.dumps({"kind": "seed", "seed": seed}) + b"\n")

    def add(self, *entries: Entry) -> None:
        """Appends entries."""
        self.entries += entries
        lines = ({"kind": type(e).__name__.lower(), **asdict(e)} for e in entries)
        self._file.write(b"".join(orjson.dumps(line) + b"\n" for line in lines))

    def close(self) -> None:
        """Closes the file; it stays."""
        self._file.close()


def read(path: Path) -> Sequence[Entry]:
    """The entries of a kept history."""
    return list(_entries(path.read_bytes().splitlines()))


def _entries(lines: Iterable[bytes]) -> Iterator[Entry]:
    for line in lines:
        fields = orjson.loads(line)
        if (kind := fields.pop("kind")) in _KINDS:
            yield _KINDS[kind](**fields)
