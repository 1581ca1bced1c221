"""Flawed rows of an import: reported in groups, exported, mended, imported again; just those are taken."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from onelead.commands.imports import export_flawed
from onelead.mending.reading import MendedReader
from onelead.mending.store import ImportsStore
from services.ingest.sources.files import read_files
from services.ingest.sources.tables import SourceTable
from shared.errors import UserError
from shared.events import BatchMode, ImportProgressed, RecordKind
from shared.rules.load import default_rules
from tests.integration.ingest.upstream import (
    Upstream,
    a_box_row,
    a_deal_row,
    a_project_row,
    a_table,
    renewed,
    tables,
)
from tests.support.builders import days_ago

BOXES = [
    a_box_row("SN1"),
    a_box_row("SN1", service_end=str(days_ago(900)), end_of_life="soon"),
    a_box_row(" ", end_of_life="never"),
    a_box_row("SN3", service_end=str(days_ago(-10))),
    {"territory_id": "70001"},
]
PROJECTS = [
    a_project_row(1),
    a_project_row(1, amount="TBD"),
    a_project_row(2, project_id="#", amount="Yes"),
    a_project_row(3, updated=str(days_ago(-3))),
]
EXPORT = tables(BOXES, [a_deal_row()], PROJECTS)
CURRENT = """
    SELECT kind, source, record_id, content FROM ingest.records
    WHERE tenant_id = :tenant AND NOT removed ORDER BY kind, source, record_id
"""


async def report_of(upstream: Upstream) -> ImportProgressed:
    return (await upstream.progress())[-1]


async def exported(upstream: Upstream, path: Path) -> Path:
    async with upstream.base.database.transaction({upstream.tenant}) as connection:
        store = ImportsStore(connection, upstream.tenant)
        await export_flawed(store, await store.named("last"), path)
    return path


def mend(path: Path, record: str, **cells: Any) -> None:
    """Writes into cells, by header, of the row of a record."""
    book = openpyxl.load_workbook(path)
    for sheet in book:
        headers = [cell.value for cell in sheet[1]]
        for row in sheet.iter_rows(min_row=2):
            if record in [cell.value for cell in row]:
                for name, value in cells.items():
                    row[headers.index(name.replace("_", " "))].value = value
    book.save(path)


async def import_again(upstream: Upstream, path: Path) -> list[SourceTable]:
    found = read_files([path], default_rules(), own_reader=MendedReader(upstream.tenant))
    with_rows = [table for table in found if table.rows]
    for table in with_rows:
        for record_id in table.gone:
            await upstream.remove(table.kind, record_id, version=1)
    if with_rows:
        await upstream.load(with_rows)
    return with_rows


async def records(upstream: Upstream) -> dict[tuple[str, str, str], Any]:
    return {tuple(row[:3]): row[3] for row in await upstream.rows(CURRENT)}


async def test_the_report_groups_what_is_wrong_the_commonest_first(upstream: Upstream) -> None:
    await upstream.load(EXPORT)
    report = await report_of(upstream)
    groups = [
        (g.count, g.first.column, g.first.outcome, g.first.row) for g in report.finding_groups
    ]
    assert groups == [
        (2, "End Of Life", "degraded", 3),
        (2, "Amount", "degraded", 3),
        (1, "Serial Number", "quarantined", 3),
        (1, "Serial Number", "degraded", 4),
        (1, "Support Status", "noted", 5),
        (1, None, "quarantined", 6),
        (1, "Updated", "noted", 5),
    ]
    assert report.findings_total == sum(group.count for group in report.finding_groups) == 9
    assert sum(count.degraded for count in report.rows) == 3
    assert sum(count.quarantined for count in report.rows) == 2


async def test_a_repeat_is_told_with_the_row_that_was_kept_and_hides_no_other_flaw(
    upstream: Upstream,
) -> None:
    await upstream.load(EXPORT)
    of_row = [
        f for f in (await report_of(upstream)).findings if f.row == 3 and f.column != "Amount"
    ]
    assert [(f.column, f.outcome) for f in of_row] == [
        ("End Of Life", "degraded"),
        ("Serial Number", "quarantined"),
    ]
    assert of_row[1].detail == "SN1 is in row 2 of export.xlsx, Install Base"


async def test_a_status_against_its_dates_and_a_project_after_the_day_are_noted_and_used(
    upstream: Upstream,
) -> None:
    boxes = [
        a_box_row("A", service_end=str(days_ago(0))),
        renewed(a_box_row("B")),
        {**renewed(a_box_row("C")), "service_end": str(days_ago(1))},
        {**renewed(a_box_row("D")), "service_end": str(days_ago(0))},
        a_box_row("E", service_end=str(days_ago(1))),
        a_box_row("F", service_end=None),
    ]
    projects = [a_project_row(n, updated=str(days_ago(ago))) for n, ago in ((1, 0), (2, -1))]
    await upstream.load(tables(boxes, projects=projects))
    report = await report_of(upstream)
    assert [(f.column, f.row, f.outcome, f.detail) for f in report.findings] == [
        ("Support Status", 2, "noted", f"until {days_ago(0)}"),
        ("Support Status", 4, "noted", f"since {days_ago(1)}"),
        ("Updated", 3, "noted", f"{days_ago(0)}"),
    ]
    assert [(count.used, count.degraded) for count in report.rows] == [(6, 0), (2, 0)]


async def test_importing_the_export_as_it_is_changes_nothing(
    upstream: Upstream, tmp_path: Path
) -> None:
    await upstream.load(EXPORT)
    before = await records(upstream)
    path = await exported(upstream, tmp_path / "mend.xlsx")
    assert await import_again(upstream, path) == []
    assert await upstream.settle() == []
    assert await records(upstream) == before


async def test_just_the_mended_rows_are_taken_under_the_ids_they_had(
    upstream: Upstream, tmp_path: Path
) -> None:
    await upstream.load(EXPORT)
    before = await records(upstream)
    path = await exported(upstream, tmp_path / "mend.xlsx")
    mend(path, "JP1-1#2", Amount=7_000)
    mend(path, "UNKNOWN_PRJ_3", Amount="$9,000.00")
    await import_again(upstream, path)
    after = await records(upstream)
    assert after.keys() == before.keys()
    changed = {key[2]: Decimal(row["amount"]) for key, row in after.items() if row != before[key]}
    assert changed == {"JP1-1#2": 7_000, "UNKNOWN_PRJ_3": 9_000}
    assert (await report_of(upstream)).findings_total == 0


async def test_a_mended_serial_number_makes_the_row_a_box_of_its_own(
    upstream: Upstream, tmp_path: Path
) -> None:
    await upstream.load(EXPORT)
    before = {key[2] for key in await records(upstream)}
    path = await exported(upstream, tmp_path / "mend.xlsx")
    (unnamed,) = (record for record in before if record.startswith("NO-SERIAL"))
    mend(path, unnamed, Serial_Number="SN9")
    mend(path, "SN1", Serial_Number="SN2")
    await import_again(upstream, path)
    after = {key[2] for key in await records(upstream)}
    assert after == before - {unnamed} | {"SN2", "SN9"}


async def test_a_row_that_is_still_flawed_is_reported_where_it_first_stood(
    upstream: Upstream, tmp_path: Path
) -> None:
    await upstream.load(EXPORT)
    path = await exported(upstream, tmp_path / "mend.xlsx")
    mend(path, "UNKNOWN_PRJ_3", Amount="No")
    await import_again(upstream, path)
    (finding,) = (await report_of(upstream)).findings
    assert (finding.file, finding.sheet, finding.row) == ("export.xlsx", "Projects", 4)
    again = await exported(upstream, tmp_path / "again.xlsx")
    mend(again, "UNKNOWN_PRJ_3", Amount=5)
    await import_again(upstream, again)
    held = (await records(upstream))["project", "export", "UNKNOWN_PRJ_3"]
    assert Decimal(held["amount"]) == 5


async def test_a_mended_workbook_twice_is_as_once(upstream: Upstream, tmp_path: Path) -> None:
    await upstream.load(EXPORT)
    path = await exported(upstream, tmp_path / "mend.xlsx")
    mend(path, "JP1-1#2", Amount=7_000)
    await import_again(upstream, path)
    once = await records(upstream)
    await import_again(upstream, path)
    assert await records(upstream) == once


async def test_imports_are_listed_newest_first_and_named_by_their_beginning(
    upstream: Upstream, neighbour: Upstream
) -> None:
    await upstream.load(EXPORT, batch_id="abc-1")
    await upstream.load(tables(BOXES[:1]), batch_id="abd-2")
    await neighbour.load(EXPORT, batch_id="xyz-3")
    async with upstream.base.database.transaction({upstream.tenant}) as connection:
        store = ImportsStore(connection, upstream.tenant)
        found = await store.latest(10)
        assert [(each.batch_id, each.state, each.read) for each in found] == [
            ("abd-2", "done", 1),
            ("abc-1", "done", 10),
        ]
        assert (found[1].degraded, found[1].quarantined) == (3, 2)
        assert [each.batch_id for each in await store.latest(1)] == ["abd-2"]
        assert [(await store.named(name)).batch_id for name in ("last", "abc", "abd-2")] == [
            *("abd-2", "abc-1", "abd-2"),
        ]
        assert (await store.report(await store.named("abc")))["findings_total"] == 9
        for name in ("ab", "xyz-3", "nothing"):
            with pytest.raises(UserError, match=f"import.* {name}"):
                await store.named(name)


async def test_splitting_a_delta_with_unique_ids_into_two_imports_does_not_matter(
    upstream: Upstream, neighbour: Upstream
) -> None:
    deals = [a_deal_row(n, account_name=name) for n, name in enumerate(("Acme", "Zeta", "Acme"))]
    boxes = [a_box_row(f"SN{n}", territory_id=f"7000{n % 3}") for n in range(6)]
    for kind, rows in ((RecordKind.OPPORTUNITY, deals), (RecordKind.INSTALL_BASE, boxes)):
        await upstream.load([a_table(kind, rows)], mode=BatchMode.DELTA)
        await neighbour.load([a_table(kind, rows[:2])], mode=BatchMode.DELTA)
        await neighbour.load([a_table(kind, rows[2:])], mode=BatchMode.DELTA)
    whole, split = await upstream.open_leads(), await neighbour.open_leads()
    facts = ("title", "account_name", "risk", "estimated_value_max", "territory_id")
    assert {key: [getattr(e.lead, f) for f in facts] for key, e in whole.items()} == {
        key: [getattr(e.lead, f) for f in facts] for key, e in split.items()
    }
    assert whole
    profiles = [
        sorted((p.profile.name, p.profile.items, p.profile.won) for p in each.values())
        for each in (await upstream.profiles(), await neighbour.profiles())
    ]
    assert profiles[0] == profiles[1]
