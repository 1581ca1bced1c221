"""The network between two parts goes wrong: slow, cut, reset, half-open, or next to no bandwidth."""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from onelead.edition.service import SERVICES
from tests.faults.fault import Blow, FaultKind, Hit
from tests.faults.network import KAFKA, POSTGRES, SINKS
from tests.faults.proxy import (
    BOTH,
    CUT,
    NONE,
    RESET,
    Disorder,
    Way,
    half_open,
    slow,
    throttled,
)

_LASTS_S = (4.0, 8.0)
_BYTES_PER_S = 1_000
_WAYS = (BOTH, frozenset({Way.THERE}), frozenset({Way.BACK}))
DISORDERS: tuple[Callable[[random.Random], Disorder], ...] = (
    lambda dice: slow(dice.uniform(0.2, 0.8), 0.2, dice.choice(_WAYS)),
    lambda _: CUT,
    lambda _: RESET,
    lambda dice: half_open(dice.choice(_WAYS)),
    lambda dice: throttled(_BYTES_PER_S, dice.choice(_WAYS)),
)
_PAIRS: Sequence[Sequence[tuple[str, str]]] = (
    [(service, KAFKA) for service in SERVICES],
    [(service, POSTGRES) for service in SERVICES],
    [("notifier", sink) for sink in SINKS],
)


@dataclass(frozen=True)
class Card:
    """Which link, by who calls and who is called, and what happens to it."""

    client: str
    server: str
    disorder: Disorder


def deck(dice: random.Random) -> list[Card]:
    """Every disorder once with Kafka, with PostgreSQL and with a sink, in turn; every service and sink."""
    suits = [list(_suit(pairs, dice)) for pairs in _PAIRS]
    return [card for turn in zip(*suits, strict=True) for card in turn]


def _suit(pairs: Sequence[tuple[str, str]], dice: random.Random) -> Iterator[Card]:
    disorders = dice.sample(DISORDERS, len(DISORDERS))
    shuffled = dice.sample(pairs, len(pairs))
    for (client, server), make in zip(
        islice(cycle(shuffled), len(disorders)), disorders, strict=True
    ):
        yield Card(client, server, make(dice))


class BrokenNetwork(FaultKind):
    """One link goes wrong for a few seconds. What a half-open link had swallowed stays lost."""

    name = "network"
    title = "network slow, cut, reset, half-open, 1 kB/s"
    rounds = 15
    short_rounds = 3
    boxes = 20
    networked = True

    def __init__(self, name: str | None = None) -> None:
        """The cards are dealt in the first round."""
        super().__init__(name)
        self._deck: list[Card] = []

    async def inject(self, blow: Blow) -> Hit:
        """Plays a card and leaves the services alone with it."""
        if blow.round == 0 or not self._deck:
            self._deck = deck(blow.dice)
        card = self._deck.pop(0)
        await blow.world.network.links[card.client, card.server].set(card.disorder)
        await asyncio.sleep(blow.dice.uniform(*_LASTS_S))
        ways = "" if card.disorder.ways == BOTH else f", {' and '.join(card.disorder.ways)} only"
        target = f"{card.client}–{card.server}: {card.disorder.name}{ways}"
        return Hit(target, channel=card.server if card.server in SINKS else "")

    async def heal(self, blow: Blow) -> None:
        """Every link is in order again for whoever connects anew."""
        for link in blow.world.network.links.values():
            await link.set(NONE)
