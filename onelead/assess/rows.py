"""Judges the rows of tables one by one, keeps the usable ones on disk, and counts what is wrong."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from onelead.assess.findings import Findings
from onelead.assess.spill import Kept, Spill
from services.ingest.domain.contradictions import contradictions
from services.ingest.domain.records import AnyRecord, Box, Project
from services.ingest.sources.batch_events import observed
from services.ingest.sources.judge import (
    NOTED,
    judge_record,
    keep_latest_service,
    place_of,
    repeat_finding,
)
from services.ingest.sources.tables import SourceRow, SourceTable
from shared.events import BatchPart, Finding, RecordKind, RowCounts
from shared.rules.model import Rules

_SOURCE = "assess"


class RowsOnce(Sequence[SourceRow]):
    """The rows of a table, read from its file when they are asked for, and only once."""

    def __init__(self, rows: Iterator[SourceRow]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[SourceRow]:
        return self._rows

    def __len__(self) -> int:
        raise TypeError("rows that are read once cannot be counted before")

    def __getitem__(self, _index: object) -> SourceRow:  # type: ignore[override]
        raise TypeError("rows that are read once have no index")


@dataclass
class Rows:
    """The usable rows of all tables in the order read, and what was wrong with rows."""

    kept: Spill
    findings: Findings
    read: Counter[RecordKind] = field(default_factory=Counter)
    parts: list[BatchPart] = field(default_factory=list)

    def counts(self) -> list[RowCounts]:
        """Rows read, used, degraded and quarantined of each kind."""
        kept = self.kept.counts()
        return [
            RowCounts(
                kind=kind.value,
                read=self.read[kind],
                used=used,
                degraded=degraded,
                quarantined=self.read[kind] - used,
            )
            for kind in RecordKind
            if self.read[kind]
            for used, degraded in (kept.get(kind.value, (0, 0)),)
        ]


def judged_rows(
    tables: Sequence[SourceTable], rules: Rules, as_of: date, kept: Spill, findings: Findings
) -> Rows:
    """Judges every row of the tables (rules.md §1); contradictions as of the day are noted last."""
    rows = Rows(kept, findings, parts=[table.part(_SOURCE) for table in tables])
    for number, (table, part) in enumerate(zip(tables, rows.parts, strict=True)):
        for row in table.rows:
            judgement = judge_record(observed(table, row, _SOURCE), part, rules)
            rows.read[table.kind] += 1
            findings.add(judgement.findings)
            if (record := judgement.record) is not None:
                kept.add(
                    record,
                    number,
                    degraded=judgement.outcome == "degraded",
                    doubtful=_is_doubtful(record, rules, as_of),
                )
    findings.add(_repeats(rows))
    findings.add(_contradictions(rows, rules, as_of))
    return rows


def _repeats(rows: Rows) -> Iterator[Finding]:
    """Keeps one of the rows of each box that has several; the others are quarantined."""
    for same in rows.kept.repeats():
        winner = same[0]
        for new in same[1:]:
            latest, _ = keep_latest_service(_box(winner), _box(new))
            winner, loser = (new, winner) if latest is new.record else (winner, new)
            yield repeat_finding(
                _box(loser), latest, rows.parts[loser.part], kept_part=rows.parts[winner.part]
            )
        rows.kept.keep_only(winner, same)


def _box(kept: Kept) -> Box:
    assert isinstance(kept.record, Box)
    return kept.record


def _is_doubtful(record: AnyRecord, rules: Rules, as_of: date) -> bool:
    return any(True for _ in contradictions(*_alone(record), rules, as_of))


def _alone(record: AnyRecord) -> tuple[tuple[Box, ...], tuple[Project, ...]]:
    boxes = (record,) if isinstance(record, Box) else ()
    return boxes, (record,) if isinstance(record, Project) else ()


def _contradictions(rows: Rows, rules: Rules, as_of: date) -> Iterator[Finding]:
    for each in rows.kept.doubtful():
        part = rows.parts[each.part]
        for found in contradictions(*_alone(each.record), rules, as_of):
            place = place_of(part, each.record.row, part.kind, part.source)
            yield place.finding(found.field, found.raw_value, found.reason, NOTED, found.detail)
