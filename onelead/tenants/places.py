"""A place where something of a tenant may be, with how much was there before and after."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What is counted at a place."""

    ROWS = "rows"
    MESSAGES = "messages"
    TOPIC = "topic"
    GROUP = "group"
    RIGHTS = "rights"


@dataclass(frozen=True)
class Place:
    """A table, a topic, a consumer group or the rights on the broker."""

    kind: Kind
    name: str


@dataclass(frozen=True)
class Found:
    """How much of the tenant is at a place.

    `until`: nothing can take it away sooner, and by then it is gone by itself.
    """

    count: int
    until: datetime | None = None


Counts = Mapping[Place, Found]


@dataclass(frozen=True)
class Line:
    """What became of a place."""

    place: Place
    before: int
    after: Found

    @property
    def remains(self) -> bool:
        """Whether something is left that should be gone by now."""
        return self.after.count > 0 and self.after.until is None


@dataclass(frozen=True)
class Proof:
    """What an erasure found and left, place by place."""

    tenant_id: str
    lines: tuple[Line, ...]

    @classmethod
    def of(cls, tenant_id: str, before: Counts, after: Counts) -> "Proof":
        """Compares the counts; a place that was or is empty on both sides is kept too."""
        nothing = Found(0)
        lines = (
            Line(place, before.get(place, nothing).count, after.get(place, nothing))
            for place in {**before, **after}
        )
        return cls(tenant_id, tuple(lines))

    @property
    def remains(self) -> bool:
        """Whether something is left that should be gone by now."""
        return any(line.remains for line in self.lines)

    @property
    def expires(self) -> datetime | None:
        """When the last of what only time can take away is gone; None when there is nothing such."""
        return max((line.after.until for line in self.lines if line.after.until), default=None)
