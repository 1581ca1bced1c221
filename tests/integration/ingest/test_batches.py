"""Batches: nothing before completion, the same again is silent, only whole snapshots remove."""

from services.ingest.domain.ids import lead_id
from shared.events import (
    AccountProfiled,
    BatchMode,
    Finding,
    ImportPhase,
    LeadDetected,
    LeadType,
    RecordKind,
)
from tests.integration.ingest.upstream import (
    Upstream,
    a_box_row,
    a_deal_row,
    a_project_row,
    a_service_row,
    a_table,
    keys,
    renewed,
    tables,
)
from tests.support.service_bench import of_type

BOXES = [a_box_row("SN1"), a_box_row("SN2", territory_id="70002")]
EXPORT = tables(BOXES, [a_deal_row()], [a_project_row()], [a_service_row()])
ALL_LEADS = {f"{box}/{kind}" for box in ("SN1", "SN2") for kind in ("renewal", "service_attach")}


async def test_nothing_is_derived_before_a_batch_is_complete(upstream: Upstream) -> None:
    *rows, end = upstream.events(EXPORT)

    await upstream.send(*rows)
    assert await upstream.settle() == []
    assert await upstream.rows("SELECT 1 FROM ingest.records WHERE tenant_id = :tenant") == []

    await upstream.send(end)
    assert keys(of_type(await upstream.settle(), LeadDetected)) == ALL_LEADS


async def test_a_lead_names_the_version_of_its_accounts_profile(upstream: Upstream) -> None:
    told = await upstream.load(EXPORT)

    profiles = {e.profile.account_id: e.version for e in of_type(told, AccountProfiled)}
    leads = of_type(told, LeadDetected)
    assert {e.account_version == profiles[e.lead.account_id] for e in leads} == {True}
    assert {e.actor.id for e in leads} == {"anna"}


async def test_the_same_import_again_tells_of_its_progress_only(upstream: Upstream) -> None:
    await upstream.load(EXPORT)

    assert await upstream.load(EXPORT) == []

    last = (await upstream.progress())[-1]
    assert (last.phase, last.leads_open) == (ImportPhase.COMPLETED, 4)
    assert [(c.kind, c.read, c.used) for c in last.rows] == [
        *(("catalogue", 1, 1), ("install_base", 2, 2), ("opportunity", 1, 1), ("project", 1, 1)),
    ]


async def test_messages_read_again_change_nothing(upstream: Upstream) -> None:
    events = upstream.events(EXPORT)
    await upstream.send(*events[:3])
    await upstream.send(*events)
    first = await upstream.settle()
    await upstream.send(*events)

    assert await upstream.settle() == []
    assert keys(of_type(first, LeadDetected)) == ALL_LEADS


async def test_a_renewed_box_loses_its_leads_and_nothing_else_changes(upstream: Upstream) -> None:
    await upstream.load(EXPORT)
    others = {k: e for k, e in (await upstream.open_leads()).items() if k.startswith("SN2")}

    told = await upstream.load(tables([renewed(BOXES[0]), BOXES[1]], [a_deal_row()]))

    leads = of_type(told, LeadDetected)
    assert keys(leads) == {"SN1/renewal", "SN1/service_attach"}
    assert {(e.state, e.reason) for e in leads} == {
        ("withdrawn", "the support status is now Active Contract")
    }
    assert len(told) == len(leads)
    assert await upstream.open_leads() == others


async def test_a_lead_that_comes_back_is_the_same_lead_with_a_higher_version(
    upstream: Upstream,
) -> None:
    first = of_type(await upstream.load(EXPORT), LeadDetected)
    gone = of_type(await upstream.load(tables([renewed(BOXES[0]), BOXES[1]])), LeadDetected)

    back = of_type(await upstream.load(tables(BOXES)), LeadDetected)

    assert {e.state for e in back} == {"open"}
    assert {e.lead.lead_id for e in back} == {e.lead.lead_id for e in gone}
    assert {e.lead.lead_id for e in back} == {
        lead_id(upstream.tenant, "SN1", kind)
        for kind in (LeadType.RENEWAL, LeadType.SERVICE_ATTACH)
    }
    for lead in back:
        before = [e for e in (*first, *gone) if e.lead.lead_id == lead.lead.lead_id]
        assert [e.lead for e in before] == [lead.lead, lead.lead]
        assert before[0].version < before[1].version < lead.version


async def test_a_snapshot_without_a_box_withdraws_its_leads(upstream: Upstream) -> None:
    await upstream.load(EXPORT)

    told = of_type(await upstream.load(tables(BOXES[:1], [a_deal_row()])), LeadDetected)

    assert keys(told) == {"SN2/renewal", "SN2/service_attach"}
    assert {e.reason for e in told} == {"the box left the install base"}


async def test_a_snapshot_says_nothing_of_other_kinds_and_sources(upstream: Upstream) -> None:
    await upstream.load(EXPORT)
    await upstream.load(tables([a_box_row("SN3")]), source="other")

    assert await upstream.load(tables(BOXES)) == []
    assert await upstream.load(tables(deals=[a_deal_row()])) == []


async def test_an_incomplete_batch_removes_nothing_and_says_so(upstream: Upstream) -> None:
    await upstream.load(EXPORT)

    told = await upstream.load(tables([renewed(BOXES[0])]), count=2)

    assert keys(of_type(told, LeadDetected)) == {"SN1/renewal", "SN1/service_attach"}
    assert set(await upstream.open_leads()) == {"SN2/renewal", "SN2/service_attach"}
    assert "nothing was removed" in ((await upstream.progress())[-1].detail or "")


async def test_a_delta_removes_nothing(upstream: Upstream) -> None:
    await upstream.load(EXPORT)

    added = tables([a_box_row("SN3")])
    told = await upstream.load(added, mode=BatchMode.DELTA)

    assert keys(of_type(told, LeadDetected)) == {"SN3/renewal", "SN3/service_attach"}
    assert len(await upstream.open_leads()) == 6


async def test_of_a_repeated_box_the_latest_service_end_is_kept(upstream: Upstream) -> None:
    later = a_box_row("SN1", service_end="2024-12-31")
    rows = [a_box_row("SN1"), later, a_box_row("sn1 ", service_end="2020-01-01")]

    told = of_type(await upstream.load(tables(rows)), LeadDetected)

    assert {str(e.lead.service_end) for e in told} == {"2024-12-31"}
    last = (await upstream.progress())[-1]
    assert [(f.row, f.column, f.raw_value, f.outcome) for f in last.findings] == [
        (2, "Serial Number", "SN1", "quarantined"),
        (4, "Serial Number", "sn1", "quarantined"),
    ]
    assert {f.detail for f in last.findings} == {"SN1 is in row 3 of export.xlsx, Install Base"}
    assert [(c.read, c.used, c.quarantined) for c in last.rows] == [(3, 1, 2)]
    assert await upstream.load(tables(rows)) == []


async def test_a_finding_names_file_sheet_row_and_column(upstream: Upstream) -> None:
    rows = [a_box_row("SN1"), a_box_row("SN2", end_of_life="soon")]
    empty = {"territory_id": "70001", "support_status": "UNCOVERED"}

    await upstream.load([a_table(RecordKind.INSTALL_BASE, [*rows, empty], "a.xlsx")])

    last = (await upstream.progress())[-1]
    place = Finding(
        file="a.xlsx",
        sheet="Install Base",
        row=3,
        column="End Of Life",
        raw_value="soon",
        reason=last.findings[0].reason,
        outcome="degraded",
    )
    assert last.findings[0] == place
    assert (last.findings[1].row, last.findings[1].column) == (4, None)
    assert last.findings[1].outcome == "quarantined"
    assert last.findings_total == 2
    assert [(c.read, c.used, c.degraded, c.quarantined) for c in last.rows] == [(3, 2, 1, 1)]


async def test_every_version_of_a_record_stays(upstream: Upstream) -> None:
    for row in (BOXES[0], renewed(BOXES[0]), BOXES[0]):
        await upstream.load(tables([row]))

    kept = await upstream.rows(
        "SELECT batch_no, content ->> 'support_status' AS status, raw FROM ingest.record_versions"
        " WHERE tenant_id = :tenant AND record_id = 'SN1' ORDER BY batch_no"
    )
    expired = "Warranty Expired - Uncovered Box"
    assert [(r.batch_no, r.status) for r in kept] == [
        (1, expired),
        (2, "Active Contract"),
        (3, expired),
    ]
    assert {r.raw["values"]["serial_number"] for r in kept} == {"SN1"}


async def test_rows_of_an_import_show_nothing_of_another_tenant(
    upstream: Upstream, neighbour: Upstream
) -> None:
    ours = of_type(await upstream.load(EXPORT), LeadDetected)
    theirs = of_type(await neighbour.load(EXPORT), LeadDetected)
    assert keys(ours) == keys(theirs) == ALL_LEADS
    assert {e.lead.lead_id for e in ours}.isdisjoint(e.lead.lead_id for e in theirs)

    await upstream.load(tables([renewed(BOXES[0])]))

    assert await neighbour.settle() == []
    assert set(await neighbour.open_leads()) == ALL_LEADS
