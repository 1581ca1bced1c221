"""Fairness between tenants that share one notifier: whose turn it is, seen in the order of calls."""

import asyncio

import pytest

from onelead.standins.app import Addresses
from services.notifier.domain.attempt import Certainty
from services.notifier.domain.circuit import FAILURES_TO_OPEN
from services.notifier.settings import NotifierSettings
from shared.ops.composition import Base
from tests.integration.notifier.bench import Bench
from tests.integration.notifier.conftest import notifier_settings
from tests.integration.notifier.ledger import DOWN, TenantsSink, leads
from tests.support.notifier_builders import public_lead

MANY, FEW, SLOTS, AHEAD = 2_000, 5, 4, 3


@pytest.fixture
def settings(standins: Addresses) -> NotifierSettings:
    return notifier_settings(standins, notify_poll_s=0.05, stop_timeout_s=0.2)


class World:
    """A tenant with much to tell and one with little, on the same notifier and the same sink."""

    def __init__(self, base: Base, settings: NotifierSettings, tenant: str) -> None:
        self.much, self.little = f"{tenant}-a", f"{tenant}-b"
        self.sink = TenantsSink(
            "webhook", concurrency=SLOTS, certainty=Certainty.IDEMPOTENT, repeatable=True
        )
        sinks = {"webhook": self.sink}
        self.first = Bench(base, settings, self.much, sinks, others=[self.little])
        self.second = Bench(base, settings, self.little, sinks)

    async def hear(self, bench: Bench, count: int) -> None:
        await bench.hear(*(public_lead(lead_id=lead) for lead in leads(count)))

    async def little_is_told(self) -> None:
        """Both tenants' alerts are due; runs until those of the tenant with little are sent."""
        await self.hear(self.first, MANY)
        await self.hear(self.second, FEW)
        async with self.first.sending():
            await self.second.until(lambda rows: all(row.state == "sent" for row in rows))
        assert sorted(call.lead_id for call in self.sink.of(self.little)) == leads(FEW)


@pytest.fixture
def world(base: Base, settings: NotifierSettings, tenant_id: str) -> World:
    return World(base, settings, tenant_id)


async def test_a_tenant_with_2000_alerts_due_lets_another_have_its_turns(world: World) -> None:
    await world.little_is_told()
    turns = [call.tenant_id for call in world.sink.calls]
    last = len(turns) - turns[::-1].index(world.little)
    before = turns[:last].count(world.much)
    # Each gets its slots: while five go out for the one, a few rounds go out for the other.
    assert before <= 4 * SLOTS * AHEAD


async def test_a_tenant_whose_sink_never_answers_holds_nobody_elses_up(world: World) -> None:
    world.sink.stuck = {world.much: asyncio.Event()}
    await world.little_is_told()
    assert len(world.sink.of(world.much)) == SLOTS


async def test_a_tenant_whose_sink_is_dead_holds_nobody_elses_up(world: World) -> None:
    world.sink.answers = {world.much: DOWN}
    await world.little_is_told()
    assert len(world.sink.of(world.much)) < FAILURES_TO_OPEN + SLOTS
