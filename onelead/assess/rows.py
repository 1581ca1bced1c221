"""Judges the rows of tables, keeps the usable ones, and gives the report an import would give."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from onelead.assess.contradictions import contradictions
from services.ingest.domain.records import AnyRecord, Box, CustomerRecord, Project
from services.ingest.sources.batch_events import observed
from services.ingest.sources.judge import (
    judge_record,
    keep_latest_service,
    place_of,
    repeat_finding,
)
from services.ingest.sources.tables import SourceTable
from shared.events import BatchPart, Finding, RecordKind, RowCounts
from shared.rules.model import Rules

NOTED = "noted"
"""The outcome of a finding about a row that is used as it stands."""

_SOURCE = "assess"
_R = TypeVar("_R", bound=AnyRecord)


@dataclass(frozen=True)
class KeptRow:
    """A usable row, where it came from, and whether something of it was lost."""

    record: AnyRecord
    part: BatchPart
    outcome: str


@dataclass
class Rows:
    """The usable rows of all tables in the order read, and what was wrong with rows."""

    read: Counter[RecordKind] = field(default_factory=Counter)
    kept: dict[tuple[RecordKind, str], KeptRow] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def of_type(self, record_type: type[_R]) -> list[_R]:
        """The usable rows of one type."""
        rows = (row.record for row in self.kept.values())
        return [record for record in rows if isinstance(record, record_type)]

    def customers(self) -> list[CustomerRecord]:
        """Boxes, opportunities and projects."""
        rows = (row.record for row in self.kept.values())
        return [record for record in rows if isinstance(record, CustomerRecord)]

    def counts(self) -> list[RowCounts]:
        """Rows read, used, degraded and quarantined of each kind."""
        return [self._count(kind) for kind in RecordKind if self.read[kind]]

    def _count(self, kind: RecordKind) -> RowCounts:
        outcomes = [row.outcome for (its_kind, _), row in self.kept.items() if its_kind is kind]
        return RowCounts(
            kind=kind.value,
            read=self.read[kind],
            used=len(outcomes),
            degraded=outcomes.count("degraded"),
            quarantined=self.read[kind] - len(outcomes),
        )


def judged_rows(tables: Sequence[SourceTable], rules: Rules, as_of: date) -> Rows:
    """Judges every row of the tables (rules.md §1); contradictions as of the day are noted last."""
    rows = Rows()
    for table in tables:
        part = table.part(_SOURCE)
        for row in table.rows:
            judgement = judge_record(observed(table, row, _SOURCE), part, rules)
            rows.read[table.kind] += 1
            rows.findings += judgement.findings
            if judgement.record is not None:
                _keep(rows, table.kind, KeptRow(judgement.record, part, judgement.outcome))
    rows.findings += _contradictions(rows, rules, as_of)
    return rows


def _keep(rows: Rows, kind: RecordKind, new: KeptRow) -> None:
    """Keeps a row; of two rows of one box only one, the other is quarantined."""
    key = (kind, new.record.record_id)
    old = rows.kept.get(key)
    if old is not None and isinstance(old.record, Box) and isinstance(new.record, Box):
        kept, dropped = keep_latest_service(old.record, new.record)
        winner, loser = (new, old) if kept is new.record else (old, new)
        rows.findings.append(repeat_finding(dropped, kept, loser.part))
        new = winner
    rows.kept[key] = new


def _contradictions(rows: Rows, rules: Rules, as_of: date) -> Iterable[Finding]:
    found = contradictions(rows.of_type(Box), rows.of_type(Project), rules, as_of)
    for each in found:
        kind = RecordKind.INSTALL_BASE if isinstance(each.record, Box) else RecordKind.PROJECT
        part = rows.kept[kind, each.record.record_id].part
        place = place_of(part, each.record.row, kind, part.source)
        yield place.finding(each.field, each.raw_value, each.reason, NOTED)
