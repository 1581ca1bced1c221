"""The deck of network faults holds every disorder of every sort of link, and every service and sink."""

import random
from collections import Counter

import pytest

from onelead.edition.service import SERVICES
from tests.faults.kinds.network import DISORDERS, BrokenNetwork, Card, deck
from tests.faults.network import KAFKA, POSTGRES, SINKS

SEEDS = range(20)


def dealt(seed: int) -> list[Card]:
    return deck(random.Random(seed))  # noqa: S311 - a test's dice


def sort_of(server: str) -> str:
    return "sink" if server in SINKS else server


@pytest.mark.parametrize("seed", SEEDS)
def test_every_disorder_meets_every_sort_of_link_once(seed: int) -> None:
    cards = dealt(seed)
    met = Counter((sort_of(card.server), card.disorder.name) for card in cards)
    assert set(met.values()) == {1}
    assert len(met) == 3 * len(DISORDERS) == BrokenNetwork.rounds
    assert {server for server, _ in met} == {KAFKA, POSTGRES, "sink"}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_service_loses_kafka_and_postgresql_and_every_sink_is_lost(seed: int) -> None:
    links = {(card.client, card.server) for card in dealt(seed)}
    inner = {(service, server) for service in SERVICES for server in (KAFKA, POSTGRES)}
    assert links == inner | {("notifier", sink) for sink in SINKS}


def test_a_short_run_meets_every_sort_of_link() -> None:
    for seed in SEEDS:
        cards = dealt(seed)[: BrokenNetwork.short_rounds]
        assert {sort_of(card.server) for card in cards} == {KAFKA, POSTGRES, "sink"}


def test_decks_differ() -> None:
    assert len({str(dealt(seed)) for seed in SEEDS}) == len(SEEDS)
