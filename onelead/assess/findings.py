"""Collects what is wrong with rows: each kind of finding with its count and its first place."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.events import Finding, FindingGroup

_Kind = tuple[str, str, str | None, str, str]


@dataclass
class Findings:
    """Findings in groups; all of them too, if `keep_all`. Memory grows with the kinds of faults."""

    keep_all: bool = True
    all: list[Finding] = field(default_factory=list)
    _groups: dict[_Kind, FindingGroup] = field(default_factory=dict)

    def add(self, findings: Iterable[Finding]) -> None:
        """Counts findings."""
        for each in findings:
            kind = (each.file, each.sheet, each.column, each.reason, each.outcome)
            known = self._groups.get(kind)
            first = each if known is None else known.first
            self._groups[kind] = FindingGroup(count=known.count + 1 if known else 1, first=first)
            if self.keep_all:
                self.all.append(each)

    def groups(self) -> list[FindingGroup]:
        """The kinds of findings, the commonest first; equally common ones as they were met."""
        return sorted(self._groups.values(), key=lambda group: -group.count)
