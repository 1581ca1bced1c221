"""A box that several sources hold is one box: the row that changed last counts (rules.md §1)."""

import importlib
import itertools

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text

from shared.events import LeadDetected, RecordKind, RecordObserved, RecordRemoved
from tests.integration.ingest.upstream import (
    Killed,
    KilledOutbox,
    Upstream,
    Values,
    a_box_row,
    a_deal_row,
    a_service_row,
    renewed,
    tables,
)
from tests.support.builders import AS_OF, days_ago
from tests.support.service_bench import of_type

BOX = RecordKind.INSTALL_BASE
DEALS = [a_deal_row(1), a_deal_row(2, account_name="Beta Foods", territory_id="70002")]
HERE = a_box_row("SN1", quantity=2)
THERE = a_box_row("SN1", territory_id="70002", quantity=3)


async def items(upstream: Upstream) -> dict[str, int]:
    """Items of the accounts by name."""
    profiles = (await upstream.profiles()).values()
    return {each.profile.name: each.profile.items for each in profiles}


async def owners(upstream: Upstream) -> set[str]:
    """Whose the open leads are."""
    return {each.lead.account_name for each in (await upstream.open_leads()).values()}


async def load(upstream: Upstream, source: str, *rows: Values) -> list[LeadDetected]:
    return of_type(await upstream.load(tables(rows), source=source), LeadDetected)


async def begin(upstream: Upstream) -> None:
    """The box is in the CRM under Acme, then in the ERP under Beta."""
    await upstream.load(tables(deals=DEALS), source="deals")
    await load(upstream, "crm", HERE)
    await load(upstream, "erp", THERE)


async def test_the_source_that_came_last_has_the_box_and_the_other_has_none_of_it(
    upstream: Upstream,
) -> None:
    await begin(upstream)

    assert await items(upstream) == {"Acme Logistics": 0, "Beta Foods": 3}
    assert await owners(upstream) == {"Beta Foods"}
    assert len(await upstream.open_leads()) == 2


async def test_a_source_that_repeats_what_it_said_takes_nothing_back(upstream: Upstream) -> None:
    await begin(upstream)

    assert await load(upstream, "crm", HERE) == []
    assert await load(upstream, "erp", THERE) == []
    assert await upstream.settle() == []
    assert await owners(upstream) == {"Beta Foods"}


async def test_a_source_that_says_something_else_has_the_box_again(upstream: Upstream) -> None:
    await begin(upstream)

    told = await load(upstream, "crm", {**HERE, "service_end": str(days_ago(399))})

    assert {(e.state, e.lead.account_name) for e in told} == {("open", "Acme Logistics")}
    assert await items(upstream) == {"Acme Logistics": 2, "Beta Foods": 0}


async def test_when_the_row_that_counts_goes_the_other_comes_back(upstream: Upstream) -> None:
    await begin(upstream)
    before = await upstream.open_leads()

    await upstream.send(RecordRemoved(kind=BOX, source="erp", record_id="SN1", version=1))
    told = of_type(await upstream.settle(), LeadDetected)

    assert {(e.state, e.lead.account_name) for e in told} == {("open", "Acme Logistics")}
    assert {e.lead.lead_id for e in told} == {e.lead.lead_id for e in before.values()}
    assert await items(upstream) == {"Acme Logistics": 2, "Beta Foods": 0}


async def test_when_the_row_that_does_not_count_goes_nothing_is_told(upstream: Upstream) -> None:
    await begin(upstream)

    await upstream.send(RecordRemoved(kind=BOX, source="crm", record_id="SN1", version=1))

    assert await upstream.settle() == []
    await upstream.send(RecordRemoved(kind=BOX, source="erp", record_id="SN1", version=2))
    told = of_type(await upstream.settle(), LeadDetected)
    assert {e.reason for e in told} == {"the box left the install base"}


async def test_a_snapshot_without_the_row_that_counts_lets_the_other_count(
    upstream: Upstream,
) -> None:
    await begin(upstream)
    await load(upstream, "erp", a_box_row("SN2", territory_id="70002"))

    assert await items(upstream) == {"Acme Logistics": 2, "Beta Foods": 1}
    assert {e.lead.account_name for e in (await upstream.open_leads()).values()} == {
        "Acme Logistics",
        "Beta Foods",
    }


async def test_the_row_that_counts_decides_whether_leads_fire(upstream: Upstream) -> None:
    await begin(upstream)

    told = await load(upstream, "erp", renewed(THERE))
    assert {(e.state, e.reason) for e in told} == {
        ("withdrawn", "the support status is now Active Contract")
    }

    told = await load(upstream, "crm", {**HERE, "quantity": 4})
    assert {(e.state, e.lead.account_name) for e in told} == {("open", "Acme Logistics")}


async def test_of_three_sources_the_second_last_comes_back(upstream: Upstream) -> None:
    await begin(upstream)
    await load(upstream, "list", {**HERE, "quantity": 9})
    assert await items(upstream) == {"Acme Logistics": 9, "Beta Foods": 0}

    await upstream.send(RecordRemoved(kind=BOX, source="list", record_id="SN1", version=1))
    await upstream.settle()

    assert await items(upstream) == {"Acme Logistics": 0, "Beta Foods": 3}


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("last", ["crm", "erp"])
async def test_of_single_changes_the_later_counts_whether_they_come_together_or_not(
    upstream: Upstream, together: bool, last: str
) -> None:
    await upstream.load(tables(deals=DEALS), source="deals")
    rows = {"crm": HERE, "erp": THERE}
    order = sorted(rows, key=lambda source: source == last)
    events = [
        RecordObserved(kind=BOX, source=s, record_id="SN1", values=rows[s], version=n)
        for n, s in enumerate(order, start=1)
    ]
    for group in [events] if together else [[event] for event in events]:
        await upstream.send(*group)
    await upstream.settle()

    assert await owners(upstream) == {"Acme Logistics" if last == "crm" else "Beta Foods"}


async def test_days_do_not_move_a_box_that_two_sources_hold(upstream: Upstream) -> None:
    await begin(upstream)
    for number in (1, 2):
        told = await upstream.settle(days_ago(-number))
        assert of_type(told, LeadDetected) == []
    assert await owners(upstream) == {"Beta Foods"}


async def test_a_kill_at_any_message_leaves_one_box_all_the_same(upstream: Upstream) -> None:
    await begin(upstream)
    changed = tables([{**HERE, "service_end": str(days_ago(399))}])
    await upstream.send(*upstream.events(changed, source="crm"))

    after, busy, kills = 0, True, 0
    while busy:
        worker = upstream.worker(outbox=KilledOutbox(upstream.base.outbox, after))
        try:
            busy, after = await worker.step(), 0
        except Killed:
            after, kills = after + 1, kills + 1

    assert kills >= 3
    assert await items(upstream) == {"Acme Logistics": 2, "Beta Foods": 0}
    assert await owners(upstream) == {"Acme Logistics"}
    assert len(of_type(await upstream.settle(AS_OF), LeadDetected)) == 2


async def test_whoever_comes_last_has_the_box_in_every_order(
    upstream: Upstream, neighbour: Upstream
) -> None:
    """Six sources in some orders: exactly one row counts, the last."""
    for each, order in ((upstream, range(6)), (neighbour, (3, 1, 5, 0, 4, 2))):
        await each.load(tables(deals=DEALS), source="deals")
        for number, territory in zip(order, itertools.cycle(("70001", "70002"))):
            await load(each, f"source-{number}", {**HERE, "territory_id": territory})
        found = await each.rows(
            "SELECT source FROM ingest.records WHERE tenant_id = :tenant"
            " AND kind = 'install_base' AND NOT outranked"
        )
        assert [row.source for row in found] == [f"source-{order[-1]}"]
        assert sum((await items(each)).values()) == 2


def rank_once(connection: Connection) -> None:
    """The migration that ranks what came before rows were ranked."""
    migration = importlib.import_module(
        "services.ingest.migrations.versions.0004_boxes_of_several_sources"
    )
    with Operations.context(MigrationContext.configure(connection)):
        migration.upgrade()


async def test_boxes_that_came_before_rows_were_ranked_are_ranked_once(upstream: Upstream) -> None:
    await begin(upstream)
    unranked = text("UPDATE ingest.records SET outranked = false WHERE tenant_id = :tenant")
    async with upstream.owner.begin() as connection:
        await connection.execute(unranked, {"tenant": upstream.tenant})
    await upstream.settle(days_ago(-1))
    assert await items(upstream) == {"Acme Logistics": 2, "Beta Foods": 3}

    async with upstream.owner.begin() as connection:
        await connection.run_sync(rank_once)
    await upstream.change(RecordKind.CATALOGUE, "S1", a_service_row("MSA"), version=1)
    await upstream.settle(days_ago(-1))

    assert await items(upstream) == {"Acme Logistics": 0, "Beta Foods": 3}
    assert await owners(upstream) == {"Beta Foods"}
