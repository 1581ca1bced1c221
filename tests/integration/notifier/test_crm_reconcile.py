"""What reconciling finds in a CRM, and what it mends there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from onelead.crm.presenting import as_json, parts
from onelead.crm.reconciling import CrmOf, Reconciled, reconcile
from services.notifier.domain.contents import CONTENTS, Content
from services.notifier.domain.crm.records import Field, Owner
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.plan import Plan
from services.notifier.repository.crm import CrmRepository
from shared.ops.composition import Base
from tests.integration.notifier.conftest import a_delivery
from tests.integration.notifier.crm_worlds import WORLDS, World
from tests.integration.notifier.people import People, plan_for
from tests.support.notifier_builders import public_lead

LEADS = ("lead-a", "lead-b", "lead-c")


@dataclass
class Held:
    """Three leads that a CRM was told of."""

    world: World
    base: Base
    tenant: str
    people: People

    async def look(self, *, mend: bool = False) -> Reconciled:
        (target,) = self.world.channel.targets
        async with self.base.database.transaction({self.tenant}) as connection:
            told = await CrmRepository().told(connection, self.tenant, target)
        crm = CrmOf("crm", self.world.channel)
        return await reconcile(crm, {self.tenant: told}, [self.tenant], mend=mend)

    async def tell(self) -> None:
        """Sends what waits for the CRM, and records it as sent."""
        (target,) = self.world.channel.targets
        for purpose in (Purpose.ALERT, Purpose.UPDATE, Purpose.WITHDRAWAL):
            for row in await self.people.rows(purpose):
                if row.channel == target.channel and row.state != "sent":
                    content = _content(purpose, row.content)
                    delivery = a_delivery(target.channel, target.address, purpose=purpose)
                    await self.world.channel.send(self.world.channel.render(content, delivery))
        await self.people.sent()


def _content(purpose: Purpose, body: object) -> Content:
    return CONTENTS[purpose].model_validate(body)


@pytest.fixture(params=list(WORLDS))
async def held(request: pytest.FixtureRequest, base: Base, tenant_id: str) -> AsyncIterator[Held]:
    async with WORLDS[request.param](tenants=(tenant_id,)) as world:
        (target,) = world.channel.targets
        (_, _, crm) = plan_for(tenant_id).sinks
        sink = type(crm)(**{**vars(crm), "targets": (target,)})
        people = People(base, tenant_id, Plan((sink,)))
        found = Held(world, base, tenant_id, people)
        await people.hear(*(public_lead(version=1, lead_id=lead) for lead in LEADS))
        await found.tell()
        yield found


async def test_what_nobody_touched_is_in_sync(held: Held) -> None:
    found = (await held.look()).comparison
    assert found.in_sync == LEADS
    assert found.clean


async def test_what_people_overwrote_is_mended_and_what_is_theirs_is_not(held: Held) -> None:
    await held.world.change("lead-a", amount=1, name="Mine", stage="Closed Won")
    (drifted,) = (await held.look()).comparison.drifted
    assert {drift.field: drift.owner for drift in drifted.drifts} == {
        Field.NAME: Owner.ONELEAD,
        Field.AMOUNT: Owner.ONELEAD,
        Field.STAGE: Owner.CRM,
    }
    found = await held.look(mend=True)
    assert found.mended == ("lead-a",)
    (left,) = found.comparison.drifted
    assert [drift.field for drift in left.drifts] == [Field.STAGE]
    (record,) = await held.world.records("lead-a")
    assert (float(record[Field.AMOUNT]), record[Field.STAGE]) == (10525.0, "Closed Won")


async def test_what_is_missing_is_created_once(held: Held) -> None:
    await held.people.hear(public_lead(version=1, lead_id="lead-d"))
    await held.people.execute(
        "UPDATE notifier.deliveries SET state = 'dead' WHERE state = 'pending'"
    )
    found = await held.look()
    assert [told.entry.lead_id for told in found.comparison.missing] == ["lead-d"]
    assert (await held.look(mend=True)).comparison.clean
    assert (await held.look(mend=True)).mended == ()
    (record,) = await held.world.records("lead-d")
    assert record[Field.STAGE] == "Qualification"


async def test_what_still_waits_is_not_missing(held: Held) -> None:
    await held.people.hear(public_lead(version=1, lead_id="lead-d"))
    assert (await held.look()).comparison.clean


async def test_strange_records_stages_and_doubles_are_listed(held: Held) -> None:
    await held.world.change("lead-a", stage="Martian")
    await held.world.copy("lead-b")
    (target,) = held.world.channel.targets
    stranger = _content(
        Purpose.ALERT, (await held.people.rows(Purpose.ALERT))[0].content | {"lead_id": "stranger"}
    )
    delivery = a_delivery(target.channel, target.address)
    await held.world.channel.send(held.world.channel.render(stranger, delivery))
    found = await held.look(mend=True)
    assert [record.stage for record in found.comparison.stages] == ["Martian"]
    assert found.comparison.several.keys() == {"lead-b"}
    assert [record.lead_id for record in found.comparison.unknown] == ["stranger"]
    assert found.comparison.in_sync == ("lead-c",)
    shown = as_json(found)
    assert (shown["in_sync"], shown["clean"]) == (1, False)
    assert len(list(parts(found))) == 4


async def test_a_withdrawn_lead_stays_in_sync(held: Held) -> None:
    await held.people.hear(public_lead(version=2, lead_id="lead-a", state="withdrawn", reason="x"))
    await held.tell()
    assert (await held.look()).comparison.clean
    (record,) = await held.world.records("lead-a")
    assert record[Field.STATUS] == "Withdrawn"
