"""What a kind of fault is: how to inject it, how to heal it, how often, and on what it runs."""

import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import ClassVar

from tests.faults.feed import Feed
from tests.faults.history import Entry
from tests.faults.world import Manner, World


@dataclass(frozen=True)
class Hit:
    """What a fault hit, and what was measured meanwhile (see `history.Fault`)."""

    target: str
    stop_s: float | None = None
    retries_per_s: float | None = None
    channel: str = ""
    """The channel by which the next new lead must be told; if it is none, any."""
    entries: Sequence[Entry] = ()


@dataclass(frozen=True)
class Blow:
    """One injection: where, with which dice, in which round, and who writes to the tenants' topics."""

    world: World
    dice: random.Random
    round: int
    feed: Feed
    tenants: Sequence[str]


class FaultKind(ABC):
    """A kind of fault. `name` is also the stem of the names of the tenants it runs with."""

    name: str
    title: ClassVar[str]
    rounds: ClassVar[int]
    short_rounds: ClassVar[int]
    boxes: ClassVar[int] = 8
    """Boxes of each tenant that change during a round."""
    imported: ClassVar[int] = 0
    """Boxes of each tenant that come in one import at the beginning of a round."""
    replicas: int = 1
    launched: ClassVar[bool] = False
    networked: ClassVar[bool] = False
    """Whether the services reach everything over links that can be broken."""
    within_s: ClassVar[float] = 1.5
    """The fault is injected at a random moment within this time from the round's first input."""
    bound_s: ClassVar[float] = 60.0
    """So long after the healing a new lead may take to be heard of."""

    def __init__(self, name: str | None = None) -> None:
        """`name`: to run it beside another one of its kind."""
        if name is not None:
            self.name = name

    @property
    def tenants(self) -> tuple[str, str]:
        """Two, whose boxes have the same names."""
        return f"{self.name}-a", f"{self.name}-b"

    @property
    def manner(self) -> Manner:
        """How the services run while it happens."""
        return Manner(self.launched, networked=self.networked)

    async def refusal(self) -> str | None:
        """What is left out, and why, where this fault cannot be had; None where it can."""
        return None

    @asynccontextmanager
    async def prepared(self, world: World) -> AsyncIterator[None]:  # noqa: ARG002 - most need nothing
        """What must be there for all of its rounds."""
        yield

    @abstractmethod
    async def inject(self, blow: Blow) -> Hit:
        """Injects the fault and says what it hit."""

    async def heal(self, blow: Blow) -> None:  # noqa: B027 - most faults are healed by a supervisor
        """Heals it; processes that ended are started again anyway."""
