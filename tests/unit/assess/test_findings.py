"""Findings in groups: how many say the same, and the first of them."""

from onelead.assess.findings import Findings
from shared.events import Finding


def a_finding(row: int, reason: str = "not a date that can be read") -> Finding:
    return Finding(
        file="a.csv",
        sheet="a",
        row=row,
        column="EOL",
        raw_value=f"x{row}",
        reason=reason,
        outcome="degraded",
    )


def test_findings_that_say_the_same_are_one_group_with_the_first_place() -> None:
    findings = Findings(keep_all=False)
    findings.add([a_finding(2, "odd"), a_finding(3), a_finding(4)])
    findings.add([a_finding(5)])
    assert [(group.count, group.first.row) for group in findings.groups()] == [(3, 3), (1, 2)]
    assert findings.all == []


def test_all_findings_are_kept_when_they_are_asked_for() -> None:
    findings = Findings()
    findings.add([a_finding(2), a_finding(3)])
    assert [each.row for each in findings.all] == [2, 3]
