"""Turns observed rows into staged ones: judged by the domain, with the columns that SQL works on."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import orjson

from services.ingest.domain.accounts.directory import own_name
from services.ingest.domain.profile import closed_totals
from services.ingest.domain.records import (
    AnyRecord,
    Box,
    CustomerRecord,
    Opportunity,
    Project,
)
from services.ingest.sources.judge import Judgement, judge_record
from services.ingest.sources.record_ids import box_identity
from shared.events import BatchPart, Finding, RecordKind, RecordObserved, RecordRemoved
from shared.rules.model import Rules


@dataclass(frozen=True)
class StagedRow:
    """A row as it goes into `record_versions`; `row_no` is its data row, or a single change's place."""

    part: int
    row_no: int
    kind: RecordKind
    source: str
    record_id: str
    change_version: int
    outcome: str
    raw: bytes
    content: bytes | None
    content_hash: str
    account_name: str
    territory_id: str
    created: date | None
    service_end: date | None
    closed_amount: Decimal | None
    event_id: str


@dataclass(frozen=True)
class Staged:
    """Rows to store, and what is wrong with them by (part, row)."""

    rows: tuple[StagedRow, ...]
    findings: Mapping[tuple[int, int], Sequence[Finding]]


def stage(
    arrived: Sequence[tuple[str, RecordObserved | RecordRemoved]],
    parts: Sequence[BatchPart],
    rules: Rules,
) -> Staged:
    """Judges rows that arrived, each with its event's id, inside a batch or as single changes.

    Raises ValueError for a single change without a version: whether it is stale could not be told.
    """
    rows = []
    findings: dict[tuple[int, int], Sequence[Finding]] = {}
    for place, (event_id, event) in enumerate(arrived, start=1):
        if not isinstance(event, RecordObserved) or not event.batch_id:
            _require_version(event)
        if isinstance(event, RecordRemoved):
            rows.append(_removal(event, row_no=place, event_id=event_id))
            continue
        row_no = event.row if event.batch_id else place
        part = parts[event.part] if event.part < len(parts) else None
        judgement = judge_record(event, part, rules)
        if judgement.findings:
            findings[(event.part, row_no)] = judgement.findings
        rows.append(_observed(event, judgement, rules, row_no=row_no, event_id=event_id))
    return Staged(tuple(rows), findings)


def _require_version(change: RecordObserved | RecordRemoved) -> None:
    if change.version < 1:
        raise ValueError("a single change without a version; it must rise from change to change")


def _observed(
    observed: RecordObserved, judgement: Judgement, rules: Rules, *, row_no: int, event_id: str
) -> StagedRow:
    record = judgement.record
    content = None if record is None else record.model_dump_json().encode()
    customer = record if isinstance(record, CustomerRecord) else None
    return StagedRow(
        part=observed.part,
        row_no=row_no,
        kind=observed.kind,
        source=observed.source,
        record_id=record.record_id if record else observed.record_id,
        change_version=0 if observed.batch_id else observed.version,
        outcome=judgement.outcome,
        raw=orjson.dumps({"values": observed.values, "extra": observed.extra}),
        content=content,
        content_hash=_digest(record),
        account_name=(own_name(customer) or "") if customer else "",
        territory_id=(customer.territory_id or "") if customer else "",
        created=record.created if isinstance(record, Opportunity) else None,
        service_end=record.service_end if isinstance(record, Box) else None,
        closed_amount=_closed_amount(record, rules),
        event_id=event_id,
    )


def _identity(removed: RecordRemoved) -> str:
    """A box is removed by its serial number, however that is written."""
    is_box = removed.kind is RecordKind.INSTALL_BASE
    return box_identity(None, removed.record_id) if is_box else removed.record_id


def _removal(removed: RecordRemoved, *, row_no: int, event_id: str) -> StagedRow:
    return StagedRow(
        part=0,
        row_no=row_no,
        kind=removed.kind,
        source=removed.source,
        record_id=_identity(removed),
        change_version=removed.version,
        outcome="removed",
        raw=b"{}",
        content=None,
        content_hash="",
        account_name="",
        territory_id="",
        created=None,
        service_end=None,
        closed_amount=None,
        event_id=event_id,
    )


def _digest(record: AnyRecord | None) -> str:
    """Says whether two rows mean the same; where a row stands in its file is not part of it."""
    if record is None:
        return ""
    content = record.model_dump_json(exclude={"row"})
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


def _closed_amount(record: AnyRecord | None, rules: Rules) -> Decimal | None:
    if not isinstance(record, Project):
        return None
    totals = closed_totals([record], rules)
    return totals.sum if totals.count else None
