"""An import's report on the console: what is wrong in groups, and what to do about it."""

import io

from rich.console import Console

from onelead.report import print_report
from shared.events import Finding, FindingGroup, ImportPhase, ImportProgressed, RowCounts


def a_finding(reason: str = "not an amount of money", **changes: object) -> Finding:
    values: dict[str, object] = {
        "file": "export.xlsx",
        "sheet": "Projects",
        "row": 17,
        "column": "Amount",
        "raw_value": "TBD",
        "reason": reason,
        "outcome": "degraded",
    }
    return Finding.model_validate({**values, **changes})


def printed(*groups: FindingGroup, **report: object) -> str:
    out = io.StringIO()
    progress = ImportProgressed(
        version=1,
        batch_id="batch-1",
        phase=ImportPhase.COMPLETED,
        finding_groups=groups,
        findings_total=sum(group.count for group in groups),
    ).model_copy(update=report)
    print_report(Console(file=out, width=160), progress)
    return out.getvalue()


def test_findings_are_told_by_kind_with_their_number_and_first_place() -> None:
    repeated = a_finding("repeats a box", column=None, raw_value=None, detail="SN1 is in row 2")
    text = printed(
        FindingGroup(count=1_234, first=a_finding()), FindingGroup(count=2, first=repeated)
    )
    first, second = (line for line in text.splitlines() if "export.xlsx" in line)
    for part in ("1,234", "export.xlsx, Projects, Amount", "17: 'TBD'"):
        assert part in first
    assert "degraded: not an amount of money" in first
    assert "export.xlsx, Projects " in second
    assert "17 (SN1 is in row 2)" in second
    assert "All findings: onelead imports show batch-1" in text


def test_rare_kinds_of_findings_are_only_counted() -> None:
    groups = [FindingGroup(count=1, first=a_finding(f"fault {n}")) for n in range(14)]
    text = printed(*groups)
    assert "fault 11" in text
    assert "fault 12" not in text
    assert "2 more kinds of findings" in text


def test_the_way_to_mend_is_told_where_there_is_something_to_mend() -> None:
    flawed = RowCounts(kind="project", read=5, used=5, degraded=1)
    clean = RowCounts(kind="project", read=5, used=5)
    assert "onelead imports export batch-1 --to mend.xlsx" in printed(rows=(flawed,))
    lost = RowCounts(kind="project", read=5, used=4, quarantined=1)
    assert "onelead imports export batch-1" in printed(rows=(lost,))
    text = printed(rows=(clean,), leads_open=7, detail="[not whole]")
    assert "onelead imports" not in text
    assert "Open leads: 7" in text
    assert "[not whole]" in text
