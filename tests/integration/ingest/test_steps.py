"""Work is taken in steps of a bounded size; a kill between or in them loses and repeats nothing."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from shared.events import AccountProfiled, DayDerived, LeadDetected
from shared.messaging.codec import Received
from tests.integration.ingest.upstream import (
    Killed,
    KilledOutbox,
    Upstream,
    a_box_row,
    a_deal_row,
    a_project_row,
    a_service_row,
    tables,
)
from tests.support.builders import AS_OF, days_ago
from tests.support.service_bench import of_type

DAY = AS_OF + timedelta(days=10)
ACCOUNTS = 5
TURNING = [
    # On DAY the expiry is past; before it the box is at no risk that fires a renewal.
    a_box_row(
        f"SN{n}",
        territory_id=f"7000{n % ACCOUNTS}",
        service_end=str(days_ago(-5)),
        end_of_life=str(days_ago(-900)),
        support_status="Expired soon",
    )
    for n in range(10)
]
EXPORT = tables(
    TURNING,
    [
        a_deal_row(n, account_name=name, territory_id=f"7000{n}")
        for n, name in enumerate(
            ("Acme Logistics", "Orchard", "Vega Clinics", "Lumen", "First Data")
        )
    ],
    # Spend of 365 days that ends before DAY.
    [a_project_row(1, account_name="Acme Logistics", updated=str(days_ago(360)))],
    [a_service_row()],
)


def told(messages: Sequence[Received]) -> list[tuple[str, Any]]:
    """What was told, without numbers and ids that differ from tenant to tenant, sorted."""
    found: list[tuple[str, Any]] = []
    for each in messages:
        event = each.event
        if isinstance(event, LeadDetected):
            lead = event.lead
            facts = (lead.box_id, lead.lead_type, lead.risk, lead.account_name)
            found.append(("lead", (*map(str, facts), event.state, str(event.as_of))))
        elif isinstance(event, AccountProfiled):
            profile = event.profile
            size = (profile.name, profile.items, profile.spend_365d, event.as_of)
            found.append(("account", tuple(map(str, size))))
        elif isinstance(event, DayDerived):
            found.append(("day", str(event.as_of)))
    return sorted(found)


async def test_a_day_that_is_killed_at_every_message_ends_as_one_that_is_not(
    upstream: Upstream, neighbour: Upstream
) -> None:
    await upstream.load(EXPORT)

    after, busy, kills, steps = 0, True, 0, 0
    while busy or steps < 2:
        worker = upstream.worker(DAY, outbox=KilledOutbox(upstream.base.outbox, after))
        try:
            busy, after, steps = await worker.step(), 0, steps + 1
        except Killed:
            after, kills = after + 1, kills + 1

    disturbed = await upstream.settle(DAY)
    # A step is one for all tenants: the other begins when this one is done.
    await neighbour.load(EXPORT)
    undisturbed = await neighbour.settle(DAY)

    assert kills >= ACCOUNTS
    assert told(disturbed) == told(undisturbed)
    assert len(of_type(disturbed, LeadDetected)) == 10
    assert [type(m.event) for m in disturbed][-1] is DayDerived
    assert [m.envelope.id for m in disturbed] == list(
        dict.fromkeys(m.envelope.id for m in disturbed)
    )


async def test_a_day_that_begins_while_another_is_derived_has_the_last_word(
    upstream: Upstream, neighbour: Upstream
) -> None:
    await upstream.load(EXPORT)
    await neighbour.load(EXPORT)
    for _ in range(4):
        await upstream.step(AS_OF + timedelta(days=1))
    await upstream.settle(DAY)
    await neighbour.settle(DAY)

    assert risks(await upstream.open_leads()) == risks(await neighbour.open_leads())
    days = await upstream.rows("SELECT as_of FROM ingest.tenants WHERE tenant_id = :tenant")
    assert [row.as_of for row in days] == [DAY]


def risks(leads: dict[str, LeadDetected]) -> dict[str, str]:
    return {key: each.lead.risk.value for key, each in leads.items()}


async def test_two_processes_derive_a_day_once(upstream: Upstream, neighbour: Upstream) -> None:
    await upstream.load(EXPORT)
    await neighbour.load(EXPORT)
    idle = 0
    while idle < 2:
        one, other = upstream.worker(DAY), upstream.worker(DAY)
        idle = 0 if any(await asyncio.gather(one.step(), other.step())) else idle + 1

    assert told(await upstream.settle(DAY)) == told(await neighbour.settle(DAY))


async def leads_by_step(upstream: Upstream) -> list[int]:
    """How many leads each step told."""
    counts = []
    while await upstream.step():
        counts.append(len(of_type(await upstream.sent.messages(), LeadDetected)))
    return [count for count in counts if count]


async def test_a_step_takes_accounts_by_their_rows(small_steps: Upstream) -> None:
    await small_steps.send(*small_steps.events(EXPORT))

    profiles = []
    while await small_steps.step():
        profiles.append(len(of_type(await small_steps.sent.messages(), AccountProfiled)))

    # Each has two boxes and a deal: with the first account the step has enough.
    assert [count for count in profiles if count] == [1] * ACCOUNTS


async def test_an_account_with_more_leads_than_a_step_tells_is_told_in_several(
    small_steps: Upstream, neighbour: Upstream
) -> None:
    boxes = tables([a_box_row(f"SN{n}") for n in range(5)], services=[a_service_row()])
    await small_steps.send(*small_steps.events(boxes))

    assert await leads_by_step(small_steps) == [6, 4]

    await neighbour.load(boxes)
    ours, theirs = await small_steps.open_leads(), await neighbour.open_leads()
    assert ours.keys() == theirs.keys()
    versions = {each.account_version for each in ours.values()}
    assert versions == {e.version for e in (await small_steps.profiles()).values()}
    assert len(versions) == 1


async def test_a_price_of_many_leads_is_told_in_several_steps(small_steps: Upstream) -> None:
    boxes = [a_box_row(f"SN{n}", territory_id=f"7000{n % 2}") for n in range(8)]
    await small_steps.load(tables(boxes, services=[a_service_row()]))
    dearer = tables(services=[a_service_row(list_price=30_000)])
    await small_steps.send(*small_steps.events(dearer))

    counts = await leads_by_step(small_steps)

    assert sum(counts) == 16
    assert max(counts) == 6
    assert {str(e.lead.estimated_value_max) for e in (await small_steps.open_leads()).values()} == {
        "45000"
    }


async def test_a_withdrawal_of_many_leads_is_told_in_several_steps(small_steps: Upstream) -> None:
    await small_steps.load(tables([a_box_row(f"SN{n}") for n in range(5)]))
    await small_steps.send(*small_steps.events(tables([a_box_row("SN9")])))

    assert await leads_by_step(small_steps) == [6, 6]
    assert {key.split("/")[0] for key in await small_steps.open_leads()} == {"SN9"}
