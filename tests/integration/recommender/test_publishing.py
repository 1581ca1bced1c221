"""What the public topic says of a lead: its services, its withdrawals, and nothing twice."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from shared.events import LeadChanged, LeadType
from shared.messaging.codec import Received
from shared.ops import metrics
from shared.rules.load import default_rules
from shared.topics import LEADS
from tests.integration.recommender.bench import (
    HEALTH_CHECK,
    UPGRADE,
    Recommending,
    family,
    scored,
)
from tests.support.builders import changed
from tests.support.scoring_builders import a_score, a_server, an_entry
from tests.support.service_bench import of_type

_BOOSTS = {
    **default_rules().model_dump()["recommendation"]["boosts"],
    LeadType.RENEWAL: {"upgrade": 30, "health check": 1},
}
UPGRADE_FIRST = changed(default_rules(), recommendation__boosts=_BOOSTS)


def services(messages: Sequence[Received]) -> list[list[str]]:
    """The services of each lead that is published."""
    return [[s.service_type for s in e.services] for e in of_type(messages, LeadChanged)]


async def test_a_lead_waits_for_the_catalogue_it_was_valued_with(
    recommending: Recommending,
) -> None:
    async def waiting() -> float:
        await recommending.tick().count_waiting_leads()
        return float(metrics.WAITING_LEADS.labels("catalogue")._value.get())

    before = await waiting()
    assert await recommending.hear(scored(1, catalogue_version=5)) == []
    assert await recommending.hear(family(4, HEALTH_CHECK)) == []
    assert await waiting() == before + 1

    told = await recommending.hear(family(5, UPGRADE, HEALTH_CHECK))

    assert services(told) == [["Health Check", "OS Upgrade"]]
    assert await waiting() == before


async def test_the_public_lead_carries_facts_score_services_and_margins(
    recommending: Recommending,
) -> None:
    await recommending.hear(family(1, HEALTH_CHECK, an_entry("Migration", margin=None)))

    told = await recommending.hear(scored(3))

    lead = of_type(told, LeadChanged)[0]
    assert (lead.account, lead.serial_number) == ("Apple Inc", "2M26314KR1")
    assert (lead.score, lead.ledger) == (a_score().score, a_score().ledger)
    check, migration = lead.services
    assert (check.rank, check.skus, check.list_price) == (1, ("HEALTH CHECK",), Decimal(10_000))
    assert (check.margin, check.max_discount) == (0.4, 0.2)
    assert migration.margin is None
    assert migration.margin_note
    assert not migration.max_discount
    assert told[0].topic == LEADS.for_tenant(recommending.tenant)
    assert told[0].key == f"{recommending.tenant}|lead-1"
    assert lead.causes == (
        f"com.onelead.lead.scored.v1|{recommending.tenant}|lead-1|3",
        f"com.onelead.catalogue.family-changed.v1|{recommending.tenant}|PRIMERA|1",
    )


async def test_a_server_gets_a_bundle_and_a_box_without_a_family_says_why_it_gets_nothing(
    recommending: Recommending,
) -> None:
    server = a_server(lead_id="server", catalogue_family=None, catalogue_version=None)
    event = scored(1).model_copy(update={"lead": server})

    lead = of_type(await recommending.hear(event), LeadChanged)[0]

    assert lead.bundle is not None
    assert lead.bundle.skus[:2] == ("H9GW8E", "U7939E")
    assert (lead.services, lead.no_service_reason) == ((), "no_service_for_family")


async def test_a_score_that_comes_again_or_late_publishes_nothing(
    recommending: Recommending,
) -> None:
    await recommending.hear(family(1, HEALTH_CHECK), scored(5))

    assert await recommending.hear(scored(5)) == []
    assert await recommending.hear(scored(4, action="Call")) == []
    assert await recommending.hear(scored(6)) == []
    assert await recommending.hear(family(1, UPGRADE)) == []
    assert len(await recommending.hear(scored(7, action="Call"), scored(6))) == 1


async def test_a_withdrawal_is_a_value_with_the_reason_and_then_a_tombstone(
    recommending: Recommending,
) -> None:
    first = await recommending.hear(family(1, HEALTH_CHECK), scored(1))

    value, tombstone = await recommending.hear(scored(2, because="renewed"))

    assert isinstance(value.event, LeadChanged)
    assert (value.event.state, value.event.reason) == ("withdrawn", "renewed")
    assert tombstone.event is None
    assert first[0].key == value.key == tombstone.key
    assert first[0].envelope.version < value.envelope.version < tombstone.envelope.version
    assert await recommending.hear(scored(3, because="the box left")) == []
    assert await recommending.hear(family(2, UPGRADE)) == []
    assert await recommending.hear(scored(1, "lead-2", because="never open")) == []


async def test_a_withdrawal_does_not_wait_for_the_catalogue(recommending: Recommending) -> None:
    await recommending.hear(family(1, HEALTH_CHECK), scored(1))

    told = await recommending.hear(scored(2, because="renewed", catalogue_version=9))

    assert [m.event is None for m in told] == [False, True]


async def test_a_lead_that_comes_back_has_a_version_above_its_tombstones(
    recommending: Recommending,
) -> None:
    told = await recommending.hear(family(1, HEALTH_CHECK), scored(1))
    for version in (2, 4):
        told += await recommending.hear(scored(version, because="renewed"))
        told += await recommending.hear(scored(version + 1))

    versions = [message.envelope.version for message in told]
    assert len(told) == 7
    assert all(before < after for before, after in pairwise(versions))


async def test_a_changed_family_publishes_its_own_leads_again(recommending: Recommending) -> None:
    await recommending.hear(family(1, HEALTH_CHECK), family(1, HEALTH_CHECK, name="MSA"))
    await recommending.hear(scored(1), scored(1, "lead-2", catalogue_family="MSA"))

    told = await recommending.hear(family(2, HEALTH_CHECK, UPGRADE))

    assert [e.lead_id for e in of_type(told, LeadChanged)] == ["lead-1"]
    assert services(told) == [["Health Check", "OS Upgrade"]]
    dearer = HEALTH_CHECK.model_copy(update={"list_price": Decimal(12_000)})
    told = await recommending.hear(family(3, dearer, UPGRADE))
    assert of_type(told, LeadChanged)[0].services[0].list_price == Decimal(12_000)
    assert await recommending.hear(family(4, dearer, UPGRADE)) == []


async def test_new_rules_publish_through_the_queue_in_steps(recommending: Recommending) -> None:
    await recommending.hear(family(1, HEALTH_CHECK, UPGRADE))
    await recommending.hear(*(scored(1, f"lead-{n}") for n in range(5)))
    assert await recommending.apply_rules(UPGRADE_FIRST, version=5) == []
    steps = []
    while await recommending.tick().step():
        steps.append(services(await recommending.sent.messages()))

    upgrade_first = ["OS Upgrade", "Health Check"]
    assert steps == [[upgrade_first] * 2, [upgrade_first] * 2, [upgrade_first]]
    assert await recommending.apply_rules(UPGRADE_FIRST, version=4) == []
    assert not await recommending.tick().step()


async def test_a_score_and_a_family_that_meet_end_with_the_newest_of_both(
    recommending: Recommending,
) -> None:
    await recommending.hear(family(1, HEALTH_CHECK), scored(1))
    meetings = [
        (scored(2, action="Call"), family(2, UPGRADE)),
        (family(3, UPGRADE, HEALTH_CHECK), scored(3, action="Write")),
    ]
    for first, second in meetings:
        async with recommending.base.database.transaction({recommending.tenant}) as connection:
            await recommending.take(connection, first)
            other = asyncio.create_task(recommending.hear(second))
            await asyncio.wait({other}, timeout=0.3)
        await other

    last = of_type([*await recommending.sent.messages(), *other.result()], LeadChanged)[-1]
    assert last.action == "Write"
    assert {s.service_type for s in last.services} == {"Health Check", "OS Upgrade"}


async def test_rules_that_come_while_a_first_lead_is_published_reach_it(
    recommending: Recommending,
) -> None:
    await recommending.hear(family(1, HEALTH_CHECK, UPGRADE))
    async with recommending.base.database.transaction({recommending.tenant}) as connection:
        await recommending.take(connection, scored(1))
        other = asyncio.create_task(recommending.apply_rules(UPGRADE_FIRST, version=5))
        await asyncio.wait({other}, timeout=0.3)
    told = await other
    while await recommending.tick().step():
        pass

    told += await recommending.sent.messages()
    assert services(told) == [["Health Check", "OS Upgrade"], ["OS Upgrade", "Health Check"]]
