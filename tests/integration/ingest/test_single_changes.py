"""Single changes outside a batch: derived at once, guarded by their version, apart from open batches."""

import pytest

from shared.events import Event, ImportProgressed, LeadDetected, RecordKind, RecordObserved
from tests.integration.ingest.upstream import (
    SOURCE,
    Upstream,
    a_box_row,
    a_deal_row,
    a_project_row,
    keys,
    renewed,
    tables,
)
from tests.support.service_bench import of_type

BOX = RecordKind.INSTALL_BASE
ROW = a_box_row("SN1")
LEADS = {"SN1/renewal", "SN1/service_attach"}


async def test_a_single_change_is_derived_at_once(upstream: Upstream) -> None:
    await upstream.change(BOX, "SN1", ROW, version=1)

    told = of_type(await upstream.settle(), LeadDetected)

    assert keys(told) == LEADS
    assert await upstream.progress() == []


async def test_a_single_change_of_a_row_that_an_import_brought_changes_that_row(
    upstream: Upstream,
) -> None:
    await upstream.load(tables([ROW, a_box_row("SN2")]))

    await upstream.change(BOX, "SN1", renewed(ROW), version=1)

    told = of_type(await upstream.settle(), LeadDetected)
    assert keys(told) == LEADS
    assert {e.state for e in told} == {"withdrawn"}


async def test_a_stale_change_changes_nothing(upstream: Upstream) -> None:
    await upstream.change(BOX, "SN1", ROW, version=5)
    await upstream.settle()

    await upstream.change(BOX, "SN1", renewed(ROW), version=4)
    assert await upstream.settle() == []
    await upstream.remove(BOX, "SN1", version=3)
    assert await upstream.settle() == []
    assert set(await upstream.open_leads()) == LEADS


async def test_a_repeated_change_leaves_no_second_work_behind(upstream: Upstream) -> None:
    change = upstream.observed(BOX, "SN1", ROW, version=5)
    await upstream.send(change, change)
    await upstream.settle()

    await upstream.send(change)

    assert await upstream.settle() == []
    counted = await upstream.rows("SELECT 1 FROM ingest.batches WHERE tenant_id = :tenant")
    assert len(counted) == 1


async def test_of_changes_that_come_together_the_highest_version_counts(
    upstream: Upstream,
) -> None:
    await upstream.send(
        upstream.observed(BOX, "SN1", renewed(ROW), version=2),
        upstream.observed(BOX, "SN1", ROW, version=3),
        upstream.observed(BOX, "SN1", renewed(ROW), version=1),
    )

    assert keys(of_type(await upstream.settle(), LeadDetected)) == LEADS
    assert len(await upstream.rows("SELECT 1 FROM ingest.records WHERE tenant_id = :tenant")) == 1


async def test_a_removed_box_withdraws_its_leads_however_its_serial_is_written(
    upstream: Upstream,
) -> None:
    await upstream.change(BOX, "SN1", ROW, version=1)
    await upstream.settle()

    await upstream.remove(BOX, " sn1", version=2)

    told = of_type(await upstream.settle(), LeadDetected)
    assert keys(told) == LEADS
    assert {e.reason for e in told} == {"the box left the install base"}
    await upstream.change(BOX, "SN1", ROW, version=3)
    assert {e.state for e in of_type(await upstream.settle(), LeadDetected)} == {"open"}


async def test_a_change_while_a_batch_is_open_shows_no_row_of_the_batch(
    upstream: Upstream,
) -> None:
    *rows, end = upstream.events(tables([ROW, a_box_row("SN2")], [a_deal_row()], [a_project_row()]))
    await upstream.send(*rows)

    await upstream.change(BOX, "SN3", a_box_row("SN3"), version=1)

    told = of_type(await upstream.settle(), LeadDetected)
    assert keys(told) == {"SN3/renewal", "SN3/service_attach"}
    assert {e.lead.account_name for e in told} == {"Territory 70001"}
    await upstream.send(end)
    await upstream.settle()
    assert len(await upstream.open_leads()) == 6


async def test_a_change_during_a_batch_is_newer_than_its_rows(upstream: Upstream) -> None:
    *rows, end = upstream.events(tables([ROW, a_box_row("SN2")]))
    await upstream.send(*rows)
    await upstream.change(BOX, "SN1", renewed(ROW), version=1)
    await upstream.remove(BOX, "SN2", version=1)
    await upstream.change(BOX, "SN3", a_box_row("SN3"), version=1)
    await upstream.settle()

    await upstream.send(end)
    await upstream.settle()

    assert set(await upstream.open_leads()) == {"SN2/renewal", "SN2/service_attach"} | {
        "SN3/renewal",
        "SN3/service_attach",
    }


async def test_an_import_after_a_change_is_newer_though_both_arrive_together(
    upstream: Upstream,
) -> None:
    await upstream.send(
        upstream.observed(BOX, "SN1", renewed(ROW), version=1),
        upstream.observed(BOX, "SN2", a_box_row("SN2"), version=1),
        *upstream.events(tables([ROW])),
    )
    await upstream.settle()

    assert set(await upstream.open_leads()) == LEADS


async def test_an_import_overwrites_a_change_that_came_before(upstream: Upstream) -> None:
    await upstream.change(BOX, "SN1", renewed(ROW), version=7)
    await upstream.settle()

    told = of_type(await upstream.load(tables([ROW])), LeadDetected)
    assert keys(told) == LEADS
    await upstream.change(BOX, "SN1", renewed(ROW), version=7)
    assert await upstream.settle() == []


async def test_an_unusable_change_changes_nothing(upstream: Upstream) -> None:
    await upstream.change(BOX, "SN1", ROW, version=1)
    await upstream.settle()

    await upstream.change(BOX, "SN1", {"territory_id": "70001"}, version=2)

    assert await upstream.settle() == []
    found = await upstream.rows("SELECT finding FROM ingest.findings WHERE tenant_id = :tenant")
    assert [row.finding["outcome"] for row in found] == ["quarantined"]


async def test_rows_and_ends_of_an_unknown_batch_are_refused(upstream: Upstream) -> None:
    opened, row, end = upstream.events(tables([ROW]), batch_id="lost")
    orphans: list[Event] = [row, end]
    for orphan in orphans:
        with pytest.raises(ValueError, match="'lost', which was never opened"):
            await upstream.send(orphan)
    assert await upstream.sent.messages() == []

    await upstream.send(opened, row, end)
    assert keys(of_type(await upstream.settle(), LeadDetected)) == LEADS


async def test_rows_after_the_end_of_their_batch_are_ignored(upstream: Upstream) -> None:
    await upstream.load(tables([ROW]), batch_id="whole")
    late = RecordObserved(
        kind=BOX,
        source=SOURCE,
        record_id="SN9",
        values=a_box_row("SN9"),
        batch_id="whole",
        row=2,
    )

    await upstream.send(late)

    assert await upstream.settle() == []
    assert of_type(await upstream.sent.messages(), ImportProgressed) == []
