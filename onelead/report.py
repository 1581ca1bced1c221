"""An import's report as a person reads it: rows by kind, and the first findings with their place."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from shared.events import Finding, ImportProgressed, RowCounts

_FINDINGS_SHOWN = 15


def print_report(console: Console, report: ImportProgressed) -> None:
    """Rows read, used, degraded and quarantined; then the findings; then what else was said."""
    console.print(rows_table(report.rows))
    if report.findings:
        console.print(findings_table(report.findings[:_FINDINGS_SHOWN], report.findings_total))
    if report.leads_open is not None:
        console.print(f"Open leads: {report.leads_open}")
    if report.detail:
        console.print(report.detail, markup=False)


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


def findings_table(findings: Sequence[Finding], total: int) -> Table:
    """What was wrong with which cell, named as it is found in the file."""
    shown = (
        f"Findings: the first {len(findings)} of {total:,}" if total > len(findings) else "Findings"
    )
    table = Table(title=shown, title_justify="left")
    for heading in ("file, sheet", "row", "column", "value", "reason", "outcome"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        raw = "" if finding.raw_value is None else str(finding.raw_value)[:40]
        table.add_row(
            f"{finding.file}, {finding.sheet}",
            str(finding.row),
            finding.column or "",
            raw,
            finding.reason,
            finding.outcome,
        )
    return table
