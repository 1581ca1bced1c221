"""An import's report as a person reads it: rows by kind, and what is wrong with them, the commonest first."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from shared.events import Finding, FindingGroup, ImportProgressed, RowCounts

_GROUPS_SHOWN = 12
_RAW_SHOWN = 30


def print_report(console: Console, report: ImportProgressed) -> None:
    """Rows read, used, degraded and quarantined; then the findings; then what else was said."""
    console.print(rows_table(report.rows))
    if report.finding_groups:
        console.print(groups_table(report.finding_groups[:_GROUPS_SHOWN]))
    if len(report.finding_groups) > _GROUPS_SHOWN:
        console.print(f"… {len(report.finding_groups) - _GROUPS_SHOWN} more kinds of findings")
    if report.leads_open is not None:
        console.print(f"Open leads: {report.leads_open}")
    if report.detail:
        console.print(report.detail, markup=False)
    if report.findings_total:
        batch = report.batch_id
        console.print(f"All findings: onelead imports show {batch}", markup=False, soft_wrap=True)
    if any(count.degraded or count.quarantined for count in report.rows):
        hint = f"To mend rows: onelead imports export {report.batch_id} --to mend.xlsx"
        console.print(hint, markup=False, soft_wrap=True)


def rows_table(rows: Sequence[RowCounts]) -> Table:
    """One line for each kind of rows."""
    table = Table(title="Rows", title_justify="left")
    table.add_column("kind")
    for heading in ("read", "used", "degraded", "quarantined"):
        table.add_column(heading, justify="right")
    for count in rows:
        numbers = (count.read, count.used, count.degraded, count.quarantined)
        table.add_row(count.kind, *(f"{number:,}" for number in numbers))
    return table


def groups_table(groups: Sequence[FindingGroup]) -> Table:
    """What was wrong with which column of which sheet, in how many rows, and where first."""
    table = Table(title="What is wrong with them", title_justify="left")
    table.add_column("rows", justify="right")
    for heading in ("file, sheet, column", "what", "first row"):
        table.add_column(heading, overflow="fold")
    for group in groups:
        first = group.first
        place = ", ".join(part for part in (first.file, first.sheet, first.column) if part)
        what = f"{first.outcome}: {first.reason}"
        table.add_row(f"{group.count:,}", place, what, f"{first.row}{_example(first)}")
    return table


def _example(finding: Finding) -> str:
    raw = "" if finding.raw_value is None else f": {str(finding.raw_value)[:_RAW_SHOWN]!r}"
    return raw + (f" ({finding.detail})" if finding.detail else "")
