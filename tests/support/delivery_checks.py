"""Judges a round of the delivery battery: what the ledger says against what the sinks took."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FINAL = frozenset({"sent", "dead", "unknown", "cancelled", "folded"})
IDEMPOTENT = frozenset({"webhook", "salesforce"})
LOOK_UP = frozenset({"slack_bot"})
BLIND = frozenset({"slack"})


@dataclass(frozen=True)
class Entry:
    """A delivery as the ledger has it at the end of a round."""

    lead_id: str
    channel: str
    state: str


@dataclass
class Taken:
    """What the sinks took, by (lead, channel): the identities, as often as they came."""

    identities: dict[tuple[str, str], list[str]] = field(
        default_factory=lambda: defaultdict(list[str])
    )

    def add(self, line: Mapping[str, Any]) -> None:
        """A line of the stand-ins' log."""
        self.identities[str(line["lead_id"]), str(line["channel"])].append(str(line["identity"]))

    def of(self, entry: Entry) -> list[str]:
        """The identities of what was taken of a delivery."""
        return self.identities.get((entry.lead_id, entry.channel), [])


@dataclass
class Verdict:
    """What a round came to. `lost` and `doubled` name leads; `unlisted`: doubts the ledger hides."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)
    unknown: int = 0
    repeated: int = 0

    @property
    def faults(self) -> list[str]:
        """What must not be, in words."""
        named = (("lost", self.lost), ("doubled", self.doubled), ("not listed", self.unlisted))
        return [f"{word}: {each}" for word, found in named for each in found]


def judge(wanted: Iterable[tuple[str, str]], entries: Sequence[Entry], taken: Taken) -> Verdict:
    """What became of the wanted deliveries, each a (lead, channel)."""
    held = {(entry.lead_id, entry.channel): entry for entry in entries}
    verdict = Verdict()
    for lead_id, channel in wanted:
        entry = held.get((lead_id, channel)) or Entry(lead_id, channel, "missing")
        _judge_one(entry, taken.of(entry), verdict)
    return verdict


def _judge_one(entry: Entry, identities: Sequence[str], verdict: Verdict) -> None:
    name = f"{entry.channel} {entry.lead_id} ({entry.state}, taken {len(identities)} times)"
    effects = len(set(identities)) if entry.channel in IDEMPOTENT else len(identities)
    verdict.repeated += len(identities) - effects
    if effects > 1:
        verdict.doubled.append(name)
    if entry.state == "unknown" and entry.channel in BLIND:
        verdict.unknown += 1
    elif entry.state != "sent" and effects:
        # It stands there, and nobody who reads the ledger would know.
        verdict.unlisted.append(name)
    elif entry.state != "sent" or not effects:
        verdict.lost.append(name)
