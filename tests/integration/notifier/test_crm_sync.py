"""What people change in a CRM comes back as commands, once, whoever asks and however often."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from onelead.standins.app import Addresses
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.plan import Plan
from services.notifier.inbound.polling import CrmSync
from services.notifier.inbound.server import crm_channels, inbound_workers
from services.notifier.repository.people import PeopleRepository
from shared.ops.composition import Base
from tests.integration.notifier.conftest import a_delivery, notifier_settings
from tests.integration.notifier.crm_worlds import SalesforceWorld, commands_of, salesforce
from tests.integration.notifier.people import LEAD, People, plan_for
from tests.support.notifier_builders import alert, public_lead
from tests.support.set_clock import SetClock

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass
class Crm:
    """A CRM that holds the lead, and what polls it."""

    world: SalesforceWorld
    base: Base
    tenant: str
    clock: SetClock
    minutes: int = 0

    def sync(self, poll_s: float = 60) -> CrmSync:
        return CrmSync(self.base, {"crm": self.world.channel}, poll_s)

    async def ask(self, sync: CrmSync | None = None) -> list[dict[str, Any]]:
        """Asks ten minutes later; every command that has left so far."""
        self.minutes += 10
        self.clock.set(START + timedelta(minutes=self.minutes))
        await (sync or self.sync()).step()
        return await self.commands()

    async def commands(self) -> list[dict[str, Any]]:
        return await commands_of(self.base, self.tenant)


@pytest.fixture
async def crm(base: Base, tenant_id: str, set_clock: SetClock) -> AsyncIterator[Crm]:
    set_clock.set(START)
    people = People(base, tenant_id, plan_for(tenant_id))
    await people.hear(public_lead(version=1, office_id="luzern"))
    stages = {"Proposal/Price Quote": "proposal"}
    async with salesforce(tenants=(tenant_id,), stages=stages) as world:
        (target,) = world.channel.targets
        delivery = a_delivery(target.channel, target.address, purpose=Purpose.ALERT)
        await world.channel.send(world.channel.render(alert(), delivery))
        yield Crm(world, base, tenant_id, set_clock)


async def test_what_we_wrote_ourselves_is_no_news(crm: Crm) -> None:
    assert await crm.ask() == []


@pytest.mark.parametrize(
    ("stage", "state"),
    [("Closed Won", "won"), ("Closed Lost", "lost"), ("Proposal/Price Quote", "proposal")],
)
async def test_a_stage_that_a_person_sets_moves_the_lead_once(
    crm: Crm, stage: str, state: str
) -> None:
    await crm.ask()
    await crm.world.change(LEAD, stage=stage)
    (command,) = await crm.ask()
    assert (command["action"], command["to"], command["lead_id"]) == ("move", state, LEAD)
    assert command["actor"] == {"kind": "crm", "id": "crm"}
    assert command["office_id"] == "luzern"
    for _ in range(2):
        assert len(await crm.ask()) == 1


async def test_going_back_to_qualification_means_qualified(crm: Crm) -> None:
    for stage in ("Proposal/Price Quote", "Qualification"):
        await crm.world.change(LEAD, stage=stage)
        commands = await crm.ask()
    assert [command["to"] for command in commands] == ["proposal", "qualified"]


async def test_our_own_later_writing_is_no_news(crm: Crm) -> None:
    await crm.world.change(LEAD, stage="Closed Won")
    await crm.ask()
    (target,) = crm.world.channel.targets
    delivery = a_delivery(target.channel, target.address)
    await crm.world.channel.send(crm.world.channel.render(alert(score=90.0), delivery))
    assert len(await crm.ask()) == 1


async def test_an_unknown_stage_changes_nothing(crm: Crm) -> None:
    await crm.world.change(LEAD, stage="Value Proposition")
    assert await crm.ask() == []


async def test_two_records_of_one_lead_move_nothing(crm: Crm) -> None:
    await crm.world.copy(LEAD)
    await crm.world.change(LEAD, stage="Closed Won")
    assert await crm.ask() == []


async def test_a_restarted_or_second_notifier_does_not_tell_again(crm: Crm) -> None:
    await crm.world.change(LEAD, stage="Closed Won")
    crm.clock.set(START + timedelta(minutes=1))
    await asyncio.gather(*(crm.sync().step() for _ in range(3)))
    assert len(await crm.commands()) == 1
    assert len(await crm.ask()) == 1


async def test_nobody_asks_before_its_turn(crm: Crm) -> None:
    sync = crm.sync(poll_s=3_600)
    await crm.ask(sync)
    await crm.world.change(LEAD, stage="Closed Won")
    assert await crm.ask(sync) == []


async def test_a_crm_that_does_not_answer_is_asked_again_and_loses_nothing(crm: Crm) -> None:
    await crm.world.change(LEAD, stage="Closed Won")
    await crm.world.faults(salesforce={"status": 503})
    await crm.ask()
    assert len(await crm.ask()) == 1


async def test_a_day_nearly_used_up_stops_asking(crm: Crm) -> None:
    crm.world.channel.crm._api.usage.note(  # type: ignore[attr-defined]
        {"sforce-limit-info": "api-usage=95/100"}
    )
    await crm.world.change(LEAD, stage="Closed Won")
    sync = crm.sync()
    assert await crm.ask(sync) == []


async def test_records_that_are_no_leads_of_the_tenant_are_left_alone(crm: Crm) -> None:
    (target,) = crm.world.channel.targets
    delivery = a_delivery(target.channel, target.address)
    stranger = alert(lead_id="somebody-elses")
    await crm.world.channel.send(crm.world.channel.render(stranger, delivery))
    await crm.world.change("somebody-elses", stage="Closed Won")
    assert await crm.ask() == []


async def test_workers_run_for_crms_and_for_a_port_only(crm: Crm, standins: Addresses) -> None:
    def workers(**changes: Any) -> int:
        settings = notifier_settings(standins, **changes)
        opened: dict[str, Any] = {"crm": crm.world.channel} if "inbound_port" not in changes else {}
        return len(inbound_workers(crm.base, opened, settings, PeopleRepository().unsubscribe))

    assert crm_channels({"crm": crm.world.channel, "other": object()}).keys() == {"crm"}
    assert workers() == 1
    assert workers(inbound_port=0) == 1


@pytest.mark.parametrize(("office", "moved"), [("luzern", 1), ("romandie", 0)])
async def test_a_crm_moves_the_leads_of_its_offices_and_no_others(
    crm: Crm, office: str, moved: int
) -> None:
    sink = replace(
        plan_for(crm.tenant).sinks[0],
        targets=crm.world.channel.targets,
        offices=frozenset({office}),
    )
    sync = CrmSync(crm.base, {"crm": crm.world.channel}, 60, Plan((sink,)))
    await crm.world.change(LEAD, stage="Closed Won")
    assert len(await crm.ask(sync)) == moved
