"""Notes with an import what its rows contradict: status and dates, dates and the tenant's day.

Reads the rows of the batch that are used, writes findings; changes no row and no lead.
"""

import zlib
from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.domain.batch import Batch
from services.ingest.domain.contradictions import status_against_dates, update_against_day
from services.ingest.repository import BatchesRepository
from services.ingest.sources.judge import NOTED, Place, place_of
from shared.events import Finding, RecordKind
from shared.rules.model import Rules

_AT_ONCE = 2_000
Found = dict[tuple[int, int], Sequence[Finding]]


async def note_contradictions(
    connection: AsyncConnection, batch: Batch, rules: Rules, as_of: date
) -> None:
    """Stores the contradictions in a batch's rows as of a day (rules.md §2, §3)."""
    batches = BatchesRepository()
    async for found in _found(batches, connection, batch, rules, as_of):
        await batches.add_findings(connection, batch, found, after_others=True)


async def note_underived(
    connection: AsyncConnection, batch: Batch, accounts: Sequence[str]
) -> None:
    """Stores with an import which accounts could not be derived; ingest's log says why."""
    if batch.work != "import":
        return
    place = Place(batch.parts[0].file if batch.parts else "", "accounts", 0, {})
    detail = "its leads stay as they were; ingest's log says why"
    found: Found = {
        # No row of a file: a number of their own, before all rows.
        (0, -zlib.crc32(each.encode()) - 1): (
            place.finding(None, each, "the account cannot be derived", NOTED, detail),
        )
        for each in accounts
    }
    await BatchesRepository().add_findings(connection, batch, found, after_others=True)


async def _found(
    batches: BatchesRepository,
    connection: AsyncConnection,
    batch: Batch,
    rules: Rules,
    as_of: date,
) -> AsyncIterator[Found]:
    found: Found = {}
    async for row in batches.dated_rows(connection, batch, as_of):
        if finding := _judged(row, batch, rules, as_of):
            found[row.part, row.row_no] = (finding,)
        if len(found) == _AT_ONCE:
            yield found
            found = {}
    yield found


def _judged(row: Any, batch: Batch, rules: Rules, as_of: date) -> Finding | None:
    """The finding of a row, if it contradicts itself or the day."""
    kind = RecordKind(row.kind)
    if kind is RecordKind.PROJECT:
        field, raw, found = "updated", str(row.updated), update_against_day(row.updated, as_of)
    else:
        field, raw = "support_status", row.status
        found = status_against_dates(row.status, row.service_end, rules, as_of)
    if found is None:
        return None
    part = batch.parts[row.part] if row.part < len(batch.parts) else None
    place = place_of(part, row.row_no, kind, row.source)
    return place.finding(field, raw, found.reason, NOTED, found.detail)
