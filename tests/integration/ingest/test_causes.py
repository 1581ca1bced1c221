"""What else makes ingest derive anew: the catalogue, the rules, a new day, accounts that move."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from shared.events import (
    AccountDerived,
    AccountProfiled,
    CatalogueFamilyChanged,
    DayDerived,
    LeadDetected,
    LeadType,
    RecordKind,
)
from shared.messaging.codec import Received
from shared.rules.load import default_rules
from tests.integration.ingest.upstream import (
    Upstream,
    Values,
    a_box_row,
    a_deal_row,
    a_project_row,
    a_service_row,
    keys,
    tables,
)
from tests.support.builders import AS_OF, changed, days_ago
from tests.support.service_bench import of_type

SERVER = {
    "product_id": "P52534-B21",
    "product_name": "HPE DL380 Gen11 8-SFF CTO Server",
    "platform": "ProLiant DL380 Gen11",
}
BOXES = [a_box_row("SN1"), a_box_row("SN2", territory_id="70002", **SERVER)]


def prices(primera: int, compute: int) -> list[Values]:
    return [a_service_row(list_price=primera), a_service_row("Compute", list_price=compute)]


async def test_a_new_price_revalues_only_the_leads_it_concerns(upstream: Upstream) -> None:
    first = await upstream.load(tables(BOXES, services=prices(20_000, 1_000)))

    told = await upstream.load(tables(services=prices(30_000, 1_000)))

    families = of_type(told, CatalogueFamilyChanged)
    leads = of_type(told, LeadDetected)
    assert [f.family for f in families] == ["PRIMERA"]
    assert families[0].entries[0].list_price == 30_000
    before = [f for f in of_type(first, CatalogueFamilyChanged) if f.family == "PRIMERA"]
    assert before[0].version < families[0].version
    assert keys(leads) == {"SN1/renewal", "SN1/service_attach"}
    assert {(e.lead.estimated_value_min, e.lead.estimated_value_max) for e in leads} == {
        (Decimal(24_000), Decimal(45_000))
    }
    assert {e.lead.catalogue_version for e in leads} == {families[0].version}
    assert len(told) == 3


async def test_a_family_that_leaves_the_catalogue_is_told_as_empty(upstream: Upstream) -> None:
    await upstream.load(tables(BOXES, services=prices(20_000, 1_000)))

    told = await upstream.load(tables(services=prices(20_000, 1_000)[:1]))

    assert [(f.family, f.entries) for f in of_type(told, CatalogueFamilyChanged)] == [
        ("COMPUTE", ())
    ]
    assert keys(of_type(told, LeadDetected)) == {"SN2/renewal", "SN2/service_attach"}
    assert {e.lead.catalogue_family for e in of_type(told, LeadDetected)} == {None}


async def test_new_rules_derive_everything_anew(upstream: Upstream) -> None:
    await upstream.load(tables(BOXES))
    rules = changed(default_rules(), leads__service_attach__status_contains="nothing")

    await upstream.apply_rules(rules)

    told = await upstream.settle()
    leads = of_type(told, LeadDetected)
    assert keys(leads) == {"SN1/service_attach", "SN2/service_attach"}
    assert {(e.state, e.reason) for e in leads} == {
        ("withdrawn", f"its rule does not hold on {AS_OF}")
    }
    marked = {e.account_id for e in of_type(told, AccountDerived)}
    assert len(told) == len(leads) + len(marked)
    assert marked == {e.lead.account_id for e in leads}
    await upstream.apply_rules(rules)
    assert await upstream.settle() == []


async def test_new_rules_count_closed_projects_anew(upstream: Upstream) -> None:
    deals = [a_deal_row(), a_deal_row(2, account_name="Beta Foods", territory_id="70001")]
    projects = [
        a_project_row(1, amount=10_000),
        a_project_row(2, amount=40_000, status="DONE"),
        a_project_row(3, amount=70_000, account_name="Beta Foods", currency="EUR"),
    ]
    await upstream.load(tables([a_box_row()], deals, projects))
    assert await territory_average(upstream) == {10_000}

    rules = default_rules()
    await upstream.apply_rules(changed(rules, reading__closed_project_statuses=["clsd", "Done"]))
    await upstream.settle()
    assert await territory_average(upstream) == {25_000}

    await upstream.apply_rules(changed(rules, currency="EUR"))
    await upstream.settle()
    assert await territory_average(upstream) == {40_000}


async def territory_average(upstream: Upstream) -> set[int]:
    """What the profiles say of 70001."""
    profiles = (await upstream.profiles()).values()
    return {
        int(each.average_closed_amount)
        for event in profiles
        for each in event.profile.territory_averages
        if each.territory_id == "70001"
    }


async def test_a_new_day_derives_all_and_ends_with_its_event(upstream: Upstream) -> None:
    soon = {"service_end": str(days_ago(-3)), "support_status": "Contract expired soon"}
    await upstream.load(tables([a_box_row("SN1", **soon), a_box_row("SN2", end_of_life=None)]))
    assert "SN1/renewal" not in await upstream.open_leads()
    day = AS_OF + timedelta(days=4)

    told = await upstream.settle(day)

    renewal, end = of_type(told, LeadDetected), of_type(told, DayDerived)
    assert keys(renewal) == {"SN1/renewal"}
    assert renewal[0].as_of == end[0].as_of == day
    assert told[-1].event == end[0]
    assert len(end) == 1
    assert await upstream.settle(day) == []


async def test_a_day_moves_backward_only_when_it_is_set(upstream: Upstream) -> None:
    await upstream.load(tables([a_box_row()]))
    later = AS_OF + timedelta(days=30_000)
    await upstream.settle(later)

    worker = upstream.worker()
    worker._settings = worker._settings.model_copy(update={"as_of": None})
    await worker.step()
    assert await upstream.sent.messages() == []

    told = await upstream.settle(AS_OF)
    assert [e.as_of for e in of_type(told, DayDerived)] == [AS_OF]


async def test_a_day_that_another_process_began_is_not_begun_again(upstream: Upstream) -> None:
    await upstream.load(tables([a_box_row()]))
    day = AS_OF + timedelta(days=1)
    await upstream.settle(day)

    async with upstream.base.database.transaction({upstream.tenant}) as connection:
        await upstream.worker(day)._begin_day(connection, upstream.tenant, day)

    assert await upstream.settle(day) == []


def of_box(told: Sequence[Received], box: str) -> list[LeadDetected]:
    return [e for e in of_type(told, LeadDetected) if e.lead.box_id == box]


async def test_a_box_that_moves_to_another_territory_moves_its_leads_without_a_withdrawal(
    upstream: Upstream,
) -> None:
    acme, beta = a_deal_row(1), a_deal_row(2, account_name="Beta Foods", territory_id="70002")
    boxes = [a_box_row("SN1"), a_box_row("SN2", territory_id="70002")]
    first = await upstream.load(tables(boxes, [acme, beta]))
    moved = [boxes[0], {**boxes[1], "territory_id": "70001"}]

    told = await upstream.load(tables(moved))

    leads = of_box(told, "SN2")
    assert [(e.state, e.lead.account_name) for e in leads] == [("open", "Acme Logistics")] * 2
    assert {e.lead.lead_id for e in leads} == {e.lead.lead_id for e in of_box(first, "SN2")}
    assert len(of_type(told, LeadDetected)) == 2


async def test_a_territory_that_changes_owner_moves_its_leads_without_a_withdrawal(
    upstream: Upstream,
) -> None:
    deals = [a_deal_row(1), a_deal_row(2, account_name="Beta Foods", territory_id="70002")]
    boxes = [a_box_row(f"SN{n}", territory_id=f"7000{1 + n % 2}") for n in range(4)]
    first = of_type(await upstream.load(tables(boxes, deals)), LeadDetected)
    (acme,) = {e.lead.account_id for e in first if e.lead.account_name == "Acme Logistics"}
    mapped = changed(default_rules(), accounts__territory_map={"70002": "Acme Logistics"})

    await upstream.apply_rules(mapped)

    told = await upstream.settle()
    leads = of_type(told, LeadDetected)
    assert {(e.state, e.lead.box_id) for e in leads} == {("open", "SN1"), ("open", "SN3")}
    assert {e.lead.account_id for e in leads} == {acme}
    assert len(leads) == 4
    (profile,) = [e for e in of_type(told, AccountProfiled) if e.profile.account_id == acme]
    assert {e.account_version for e in leads} == {profile.version}
    assert profile.profile.items == 4


async def test_a_box_that_moves_and_is_renewed_at_once_loses_its_leads(
    upstream: Upstream, neighbour: Upstream
) -> None:
    names = ["Acme Logistics", "Beta Foods", "Gamma Air", "Delta Rail"]
    deals = [
        a_deal_row(n, account_name=name, territory_id=f"7000{n}") for n, name in enumerate(names)
    ]
    active = {"support_status": "Active Contract", "service_end": str(days_ago(-700))}
    boxes = [a_box_row(f"SN{n}", territory_id=f"7000{n}") for n in range(4)]
    # Each to the next account: whichever account is derived first, some boxes come to it later.
    moved = [{**b, **active, "territory_id": f"7000{(n + 1) % 4}"} for n, b in enumerate(boxes)]
    for each in (upstream, neighbour):
        await each.load(tables(boxes, deals))

        told = of_type(await each.load(tables(moved)), LeadDetected)

        assert {e.state for e in told} == {"withdrawn"}
        assert await each.open_leads() == {}
        assert len(told) == 8


async def test_a_new_majority_renames_the_account_and_keeps_its_id(upstream: Upstream) -> None:
    first = await upstream.load(tables([a_box_row()], [a_deal_row(1)]))
    deals = [a_deal_row(n, account_name="Beta Foods", created="2025-09-01") for n in (2, 3)]

    told = await upstream.load(tables(deals=[a_deal_row(1), *deals]))

    leads = of_type(told, LeadDetected)
    assert {e.lead.account_name for e in leads} == {"Beta Foods"}
    assert {e.lead.account_id for e in leads} == {
        e.lead.account_id for e in of_type(first, LeadDetected)
    }
    assert {e.state for e in leads} == {"open"}
    renamed = [e.profile for e in of_type(told, AccountProfiled) if e.profile.items]
    assert [p.name for p in renamed] == ["Beta Foods"]


async def test_a_project_changes_the_profile_and_not_the_leads(upstream: Upstream) -> None:
    await upstream.load(tables([a_box_row()], [a_deal_row()]))

    await upstream.change(RecordKind.PROJECT, "JP1-1", a_project_row(), version=1)

    told = await upstream.settle()
    assert [e.profile.spend_365d for e in of_type(told, AccountProfiled)] == [10_000]
    assert of_type(told, LeadDetected) == []
    held = await upstream.open_leads()
    assert {e.lead.lead_type for e in held.values()} == {
        LeadType.RENEWAL,
        LeadType.SERVICE_ATTACH,
    }
