"""Shows how the CRMs stand: tables for people, JSON for programs."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from onelead.crm.reconciling import Reconciled
from services.notifier.domain.crm.comparison import Told
from services.notifier.domain.crm.records import CrmRecord, Field
from services.notifier.domain.message import plain

_SHOWN = 60
_ROWS = 50


def parts(found: Reconciled) -> Iterator[Text | Table]:
    """What a person reads: a line of counts, then what needs looking at."""
    each = found.comparison
    counts = {
        "in sync": len(each.in_sync),
        "drifted": len(each.drifted),
        "missing": len(each.missing),
        "unknown to OneLead": len(each.unknown),
        "in unknown stages": len(each.stages),
        "with several records": len(each.several),
    }
    said = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    yield Text(f"{found.sink}: {said or 'nothing told, nothing held'}")
    if found.mended:
        yield Text(f"{len(found.mended):,} written again")
    yield from _tables(found)


def _tables(found: Reconciled) -> Iterator[Table]:
    each = found.comparison
    drifts = [
        (d.told.entry.lead_id, str(f.field), str(f.owner), f.ours, f.theirs)
        for d in each.drifted
        for f in d.drifts
    ]
    yield from _table("Drifted", ("Lead", "Field", "Owned by", "OneLead", "CRM"), drifts)
    missing = [(told.entry.lead_id, _name(told)) for told in each.missing]
    yield from _table("Missing in the CRM", ("Lead", "Title"), missing)
    unknown = [_row(record) for record in each.unknown]
    yield from _table("No lead of ours", ("OneLead id", "Record", "Stage"), unknown)
    stages = [_row(record) for record in each.stages]
    yield from _table("Unknown stages", ("Lead", "Record", "Stage"), stages)
    several = [(lead, ", ".join(ids)) for lead, ids in each.several.items()]
    yield from _table("Several records of one lead", ("Lead", "Records"), several)
    refused = list((found.refused or {}).items())
    yield from _table("Could not be written", ("Lead", "Why"), refused)


def as_json(found: Reconciled) -> dict[str, Any]:
    """The same for programs, nothing shortened."""
    each = found.comparison
    return {
        "sink": found.sink,
        "in_sync": len(each.in_sync),
        "clean": each.clean,
        "drifted": [
            {
                "tenant": d.told.tenant_id,
                "lead_id": d.told.entry.lead_id,
                "record": d.external_id,
                "fields": [
                    {"field": f.field, "owned_by": f.owner, "onelead": f.ours, "crm": f.theirs}
                    for f in d.drifts
                ],
            }
            for d in each.drifted
        ],
        "missing": [{"tenant": t.tenant_id, "lead_id": t.entry.lead_id} for t in each.missing],
        "unknown": [_record(record) for record in each.unknown],
        "unknown_stages": [_record(record) for record in each.stages],
        "several": {lead: list(ids) for lead, ids in each.several.items()},
        "mended": list(found.mended),
        "refused": dict(found.refused or {}),
    }


def _table(
    title: str, headers: tuple[str, ...], rows: Sequence[tuple[str, ...]]
) -> Iterator[Table]:
    if not rows:
        return
    more = f"; the first {_ROWS:,} of {len(rows):,}, --json has all" if len(rows) > _ROWS else ""
    table = Table(*headers, title=f"{title}{more}", title_justify="left")
    for row in rows[:_ROWS]:
        table.add_row(*(Text(_short(cell)) for cell in row))
    yield table


def _short(text: str) -> str:
    shown = plain(text)
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"


def _name(told: Told) -> str:
    return str(told.entry.ours.get(Field.NAME, ""))


def _row(record: CrmRecord) -> tuple[str, str, str]:
    return record.lead_id, record.external_id, record.stage


def _record(record: CrmRecord) -> dict[str, str]:
    return {"lead_id": record.lead_id, "record": record.external_id, "stage": record.stage}
