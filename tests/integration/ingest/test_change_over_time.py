"""What changes is told, and nothing else: the messages are counted on each topic."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from shared.events import AccountDerived, AccountProfiled, BatchMode, LeadDetected, RecordKind
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
    renewed,
    tables,
)
from tests.support.builders import AS_OF, changed, days_ago
from tests.support.service_bench import of_type

BOX = RecordKind.INSTALL_BASE
SERVER = {
    "product_id": "P52534-B21",
    "product_name": "HPE DL380 Gen11 8-SFF CTO Server",
    "platform": "ProLiant DL380 Gen11",
}
BOXES = [
    a_box_row("SN1"),
    a_box_row("SN2", territory_id="70002"),
    a_box_row("SN3", territory_id="70003", **SERVER),
    a_box_row("SN4", territory_id="70004", support_status="Active Contract"),
]
DEALS = [
    a_deal_row(n, account_name=name, territory_id=f"7000{n}")
    for n, name in enumerate(("Acme Logistics", "Beta Foods", "Gamma Air", "Delta Rail"), start=1)
]
PROJECTS = [a_project_row(1), a_project_row(2, account_name="Beta Foods")]
SERVICES = [a_service_row(), a_service_row("Compute", list_price=1_000)]
RULES = default_rules()


def export(boxes: Sequence[Values] = BOXES, services: Sequence[Values] = SERVICES) -> Any:
    return tables(boxes, DEALS, PROJECTS, services)


def counted(told: Sequence[Received]) -> Counter[str]:
    """Messages by topic."""
    return Counter(message.topic.removeprefix("onelead.").removesuffix(".v1") for message in told)


async def waiting(upstream: Upstream) -> int:
    """How many accounts wait to be derived once the next unit of work is applied."""
    await upstream.step()
    rows = await upstream.rows("SELECT 1 FROM ingest.dirty_accounts WHERE tenant_id = :tenant")
    return len(rows)


async def test_the_same_export_again_derives_and_tells_nothing(upstream: Upstream) -> None:
    first = counted(await upstream.load(export()))
    assert first == {"accounts": 4, "catalogue": 2, "leads.detected": 6}

    await upstream.send(*upstream.events(export()))

    assert await waiting(upstream) == 0
    assert await upstream.settle() == []


async def test_a_row_that_changed_in_an_export_touches_its_account_alone(
    upstream: Upstream,
) -> None:
    await upstream.load(export())
    end = str(days_ago(300))
    new = [BOXES[0], {**BOXES[1], "service_end": end}, *BOXES[2:]]

    await upstream.send(*upstream.events(export(new)))

    assert await waiting(upstream) == 1
    told = await upstream.settle()
    assert counted(told) == {"leads.detected": 2}
    assert {str(e.lead.service_end) for e in of_type(told, LeadDetected)} == {end}


async def test_a_quantity_changes_the_profile_alone(upstream: Upstream) -> None:
    await upstream.load(export())

    await upstream.change(BOX, "SN1", {**BOXES[0], "quantity": 5}, version=1)

    told = await upstream.settle()
    assert counted(told) == {"accounts": 1, "leads.detected": 1}
    [marker] = of_type(told, AccountDerived)
    [account] = of_type(told, AccountProfiled)
    assert marker.account_version == account.version


async def test_a_box_that_comes_tells_of_its_leads_and_of_its_account(upstream: Upstream) -> None:
    await upstream.load(export())

    await upstream.change(BOX, "SN9", a_box_row("SN9"), version=1)

    told = await upstream.settle()
    assert counted(told) == {"accounts": 1, "leads.detected": 3}
    assert len(of_type(told, AccountDerived)) == 1
    assert keys(of_type(told, LeadDetected)) == {"SN9/renewal", "SN9/service_attach"}


async def test_a_lead_is_withdrawn_with_the_reason_and_comes_back_under_its_id(
    upstream: Upstream,
) -> None:
    first = of_type(await upstream.load(export()), LeadDetected)
    ids = {e.lead.lead_id for e in first if e.lead.box_id == "SN1"}
    ways = [
        (renewed(BOXES[0]), "the support status is now Active Contract"),
        (None, "the box left the install base"),
    ]
    version = 0
    for gone, reason in ways:
        version += 2
        if gone is None:
            await upstream.remove(BOX, "SN1", version=version)
        else:
            await upstream.change(BOX, "SN1", gone, version=version)
        left = of_type(await upstream.settle(), LeadDetected)
        await upstream.change(BOX, "SN1", BOXES[0], version=version + 1)
        back = of_type(await upstream.settle(), LeadDetected)

        assert {(e.state, e.reason) for e in left} == {("withdrawn", reason)}
        assert {(e.state, e.reason) for e in back} == {("open", None)}
        assert {e.lead.lead_id for e in left} == {e.lead.lead_id for e in back} == ids
        assert max(e.version for e in left) < min(e.version for e in back)


async def test_a_price_derives_the_accounts_with_leads_of_the_family_alone(
    upstream: Upstream,
) -> None:
    await upstream.load(export())
    services = [a_service_row(list_price=30_000), SERVICES[1]]

    await upstream.send(*upstream.events(tables(services=services)))

    assert await waiting(upstream) == 2  # Delta's Primera is under contract: it has no lead
    told = await upstream.settle()
    assert counted(told) == {"catalogue": 1, "leads.detected": 4}
    assert {e.lead.box_id for e in of_type(told, LeadDetected)} == {"SN1", "SN2"}


async def test_a_price_of_the_parent_derives_the_children_that_fall_back_on_it(
    upstream: Upstream,
) -> None:
    await upstream.load(export())
    dearer = [SERVICES[0], a_service_row("Compute", list_price=2_000)]
    told = await upstream.load(tables(services=dearer))
    assert counted(told) == {"catalogue": 1, "leads.detected": 2}

    own = [*dearer, a_service_row("ProLiant", list_price=5_000)]
    told = await upstream.load(tables(services=own))
    assert counted(told) == {"catalogue": 1, "leads.detected": 2}
    assert {e.lead.catalogue_family for e in of_type(told, LeadDetected)} == {"PROLIANT"}

    told = await upstream.load(tables(services=[*SERVICES, own[-1]]))
    assert counted(told) == {"catalogue": 1}


ELSEWHERE = {
    "a weight": {"scoring__weights": dict.fromkeys(RULES.scoring.weights.model_dump(), 0.25)},
    "the margin floor": {"recommendation__margin_floor": 0.4},
    "a header": {
        "reading__columns": {
            **RULES.model_dump()["reading"]["columns"],
            "catalogue": {"product": ["Product"]},
        },
        "reading__required_columns": {},
    },
    "nothing": {},
}


@pytest.mark.parametrize("paths", ELSEWHERE.values(), ids=ELSEWHERE)
async def test_rules_that_ingest_does_not_judge_by_leave_no_work(
    upstream: Upstream, paths: dict[str, Any]
) -> None:
    await upstream.load(export())

    await upstream.apply_rules(changed(RULES, **paths))

    assert not await upstream.step()
    works = await upstream.rows("SELECT work FROM ingest.batches WHERE tenant_id = :tenant")
    assert [row.work for row in works] == ["import"]


async def test_rules_of_the_map_derive_the_accounts_they_move_alone(upstream: Upstream) -> None:
    await upstream.load(export())

    await upstream.apply_rules(
        changed(RULES, accounts__territory_map={"70002": "Gamma Air"}),
    )

    # The territory goes to Gamma; Beta's deals and projects are an account of their own now.
    assert await waiting(upstream) == 3
    told = of_type(await upstream.settle(), LeadDetected)
    assert {e.lead.box_id for e in told} == {"SN2"}
    assert {(e.state, e.lead.account_name) for e in told} == {("open", "Gamma Air")}


async def test_another_currency_prices_the_catalogue_and_the_leads_anew(
    upstream: Upstream, neighbour: Upstream
) -> None:
    euros = changed(RULES, currency="EUR")
    await upstream.load(export())
    await upstream.apply_rules(euros)
    told = await upstream.settle()

    await neighbour.apply_rules(euros)
    await neighbour.load(export())

    assert counted(told) == {"accounts": 4, "catalogue": 2, "leads.detected": 6}
    assert facts(await upstream.open_leads()) == facts(await neighbour.open_leads())


def facts(leads: dict[str, LeadDetected]) -> dict[str, Any]:
    """What leads say, without what differs from tenant to tenant."""
    left_out = {"lead_id", "account_id", "catalogue_version"}
    return {key: each.lead.model_dump(exclude=left_out) for key, each in leads.items()}


async def test_rules_that_came_before_others_were_worked_off_have_their_effect(
    upstream: Upstream, neighbour: Upstream
) -> None:
    """Two changes wait; the second takes nothing of the first back."""
    one = changed(RULES, leads__hardware_refresh__min_days_since_eol=0)
    both = changed(one, values__support_max_factor=2, recommendation__margin_floor=0.4)
    await upstream.load(export())
    await upstream.apply_rules(one)
    await upstream.apply_rules(both)
    await upstream.settle()

    await neighbour.apply_rules(both)
    await neighbour.load(export())

    assert facts(await upstream.open_leads()) == facts(await neighbour.open_leads())


async def test_a_delta_in_two_imports_leads_to_what_one_leads_to(
    upstream: Upstream, neighbour: Upstream
) -> None:
    await upstream.load(export(BOXES[:2]), mode=BatchMode.DELTA)
    await upstream.load(tables(BOXES[2:]), mode=BatchMode.DELTA)

    await neighbour.load(export(), mode=BatchMode.DELTA)

    assert facts(await upstream.open_leads()) == facts(await neighbour.open_leads())


async def test_a_day_on_which_nothing_turns_tells_of_the_day_alone(upstream: Upstream) -> None:
    await upstream.load(export())

    told = await upstream.settle(AS_OF + timedelta(days=1))

    assert [m.envelope.type for m in told] == ["com.onelead.day.derived.v1"]
