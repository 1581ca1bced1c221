"""Rows: every version as it came, and the latest of each record with the account it belongs to."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import tables as t
from services.ingest.domain.batch import Batch
from services.ingest.domain.profile import AccountRows
from services.ingest.domain.records import Box, Opportunity, Project
from shared.db import bulk
from shared.db.queries import load_queries
from shared.events import BatchMode, RecordKind

_SQL = load_queries(__file__)


class RecordsRepository:
    """Reads and writes `record_versions` and `records`."""

    async def stage(
        self, connection: AsyncConnection, batch: Batch, rows: Sequence[Mapping[str, Any]]
    ) -> None:
        """Stores rows, given by their columns, as they came; a row read again changes nothing."""
        key = ("tenant_id", "batch_no", "part", "row_no", "kind", "source", "record_id")
        values = [{"tenant_id": batch.tenant_id, "batch_no": batch.batch_no, **row} for row in rows]
        await bulk.upsert(connection, t.record_versions, values, key=key, guard="nothing")

    async def repeated_boxes(self, connection: AsyncConnection, batch: Batch) -> Sequence[Row[Any]]:
        """Rows of boxes that the batch holds more than once, each with the row that is kept."""
        return (await connection.execute(_SQL["repeated_boxes"], _of(batch))).all()

    async def quarantine(
        self, connection: AsyncConnection, batch: Batch, places: Sequence[tuple[int, int]]
    ) -> None:
        """Marks install-base rows, by (part, row), as not used."""
        parts, row_nos = [p for p, _ in places], [r for _, r in places]
        await connection.execute(
            _SQL["quarantine"], {**_of(batch), "parts": parts, "row_nos": row_nos}
        )

    async def apply(self, connection: AsyncConnection, batch: Batch) -> None:
        """Makes the batch's rows the latest of their records, and removes what it no longer holds.

        What changed carries the batch's number in `touched`. A batch that is not whole removes nothing.
        """
        await connection.execute(_SQL["apply_rows"], _of(batch))
        await connection.execute(_SQL["remove_single"], _of(batch))
        if not batch.whole:
            return
        snapshots = {(p.kind, p.source) for p in batch.parts if p.mode is BatchMode.SNAPSHOT}
        for kind, source in sorted(snapshots):
            parameters = {**_of(batch), "kind": kind, "source": source}
            await connection.execute(_SQL["remove_absent"], parameters)

    async def rank_boxes(self, connection: AsyncConnection, batch: Batch) -> set[str]:
        """Of a box that several sources hold, lets the row that changed last count (rules.md §1).

        Returns the accounts of rows that count now and did not, or the other way round.
        """
        boxes = list((await connection.execute(_SQL["shared_boxes"], _of(batch))).scalars())
        if not boxes:
            return set()
        parameters = {"tenant": batch.tenant_id, "boxes": boxes}
        turned = await connection.execute(_SQL["rank_boxes"], parameters)
        return set(turned.scalars()) - {None}

    async def touched_kinds(self, connection: AsyncConnection, batch: Batch) -> set[RecordKind]:
        """The kinds of records that the batch changed."""
        rows = await connection.execute(_SQL["touched_kinds"], _of(batch))
        return {RecordKind(row.kind) for row in rows}

    async def touched_accounts(self, connection: AsyncConnection, batch: Batch) -> set[str]:
        """The accounts that the changed records belong to."""
        return set((await connection.execute(_SQL["touched_accounts"], _of(batch))).scalars())

    async def of_accounts(
        self, connection: AsyncConnection, tenant_id: str, accounts: Sequence[str]
    ) -> dict[str, AccountRows]:
        """The records of each account that count, in the order read."""
        parameters = {"tenant": tenant_id, "accounts": list(accounts)}
        stored: dict[str, dict[RecordKind, list[object]]] = {account: {} for account in accounts}
        for row in await connection.execute(_SQL["records_of_accounts"], parameters):
            stored[row.account_id].setdefault(RecordKind(row.kind), []).append(row.content)
        return {account: _account_rows(of) for account, of in stored.items()}

    async def catalogue_rows(self, connection: AsyncConnection, tenant_id: str) -> list[Any]:
        """The contents of the catalogue's rows, in catalogue order."""
        rows = await connection.execute(_SQL["catalogue_rows"], {"tenant": tenant_id})
        return list(rows.scalars())


def _of(batch: Batch) -> dict[str, Any]:
    return {"tenant": batch.tenant_id, "batch_no": batch.batch_no}


def _account_rows(stored: Mapping[RecordKind, Sequence[object]]) -> AccountRows:
    return AccountRows(
        [Box.model_validate(each) for each in stored.get(RecordKind.INSTALL_BASE, ())],
        [Opportunity.model_validate(each) for each in stored.get(RecordKind.OPPORTUNITY, ())],
        [Project.model_validate(each) for each in stored.get(RecordKind.PROJECT, ())],
    )
