"""Units of work: imports, single changes, new days, new rules; and the tenant's day."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import tables as t
from services.ingest.domain.batch import Batch
from shared.db import bulk
from shared.db.queries import load_queries
from shared.events import Actor, BatchPart, Finding, RowCounts
from shared.messaging.versions import next_version

_SQL = load_queries(__file__)


class BatchesRepository:
    """Reads and writes batches, findings and tenants' days."""

    async def lock_tenant(self, connection: AsyncConnection, tenant_id: str) -> None:
        """One writer per tenant: waits until this transaction is the only one."""
        await connection.execute(_SQL["lock_tenant"], {"tenant": tenant_id})

    async def begin_tenant(self, connection: AsyncConnection, tenant_id: str, as_of: date) -> date:
        """Makes sure that the tenant is known; a new one begins on `as_of`. Returns its day."""
        row = {"tenant_id": tenant_id, "as_of": as_of, "last_batch_no": 0, "day_version": 0}
        await bulk.upsert(connection, t.tenants, [row], key=("tenant_id",), guard="nothing")
        return await self.day(connection, tenant_id)

    async def day(self, connection: AsyncConnection, tenant_id: str) -> date:
        """The tenant's day."""
        statement = select(t.tenants.c.as_of).where(t.tenants.c.tenant_id == tenant_id)
        day: date = (await connection.execute(statement)).scalar_one()
        return day

    async def move_day(self, connection: AsyncConnection, tenant_id: str, as_of: date) -> None:
        """Sets the tenant's day."""
        statement = update(t.tenants).where(t.tenants.c.tenant_id == tenant_id)
        await connection.execute(statement.values(as_of=as_of))

    async def next_day_version(self, connection: AsyncConnection, tenant_id: str) -> int:
        """The version of the next event about the tenant's day."""
        held = await connection.scalar(
            select(t.tenants.c.day_version).where(t.tenants.c.tenant_id == tenant_id)
        )
        version = next_version(held)
        statement = update(t.tenants).where(t.tenants.c.tenant_id == tenant_id)
        await connection.execute(statement.values(day_version=version))
        return version

    async def open_batch(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        batch_id: str,
        *,
        work: str,
        state: str,
        parts: Sequence[BatchPart] = (),
        actor: Actor | None = None,
        traceparent: str | None = None,
    ) -> Batch:
        """Opens a unit of work under the next number; the one already open when it is known."""
        known = await self.by_ids(connection, tenant_id, [batch_id])
        if batch_id in known:
            return known[batch_id]
        number = (
            update(t.tenants)
            .where(t.tenants.c.tenant_id == tenant_id)
            .values(last_batch_no=t.tenants.c.last_batch_no + 1)
            .returning(t.tenants.c.last_batch_no)
        )
        batch_no = (await connection.execute(number)).scalar_one()
        row = {
            "tenant_id": tenant_id,
            "batch_no": batch_no,
            "batch_id": batch_id,
            "work": work,
            "state": state,
            "parts": [part.model_dump(mode="json") for part in parts],
            "actor": (actor or Actor()).model_dump(mode="json"),
            "whole": True,
            "dirty_total": 0,
            "progress_version": 0,
            "traceparent": traceparent,
        }
        await bulk.insert(connection, t.batches, [row])
        return _batch(row)

    async def by_ids(
        self, connection: AsyncConnection, tenant_id: str, batch_ids: Sequence[str]
    ) -> dict[str, Batch]:
        """Known batches by their ids."""
        statement = select(t.batches).where(
            t.batches.c.tenant_id == tenant_id, t.batches.c.batch_id.in_(batch_ids)
        )
        rows = (await connection.execute(statement)).mappings()
        return {row["batch_id"]: _batch(row) for row in rows}

    async def complete(self, connection: AsyncConnection, batch: Batch, expected: int) -> None:
        """Closes a batch for rows; it is whole when as many came as were announced."""
        received = await self.received(connection, batch)
        await self._update(
            connection, batch, state="complete", expected=expected, whole=received == expected
        )

    async def received(self, connection: AsyncConnection, batch: Batch) -> int:
        """How many rows of the batch have come."""
        statement = select(func.count()).where(
            t.record_versions.c.tenant_id == batch.tenant_id,
            t.record_versions.c.batch_no == batch.batch_no,
        )
        return int(await connection.scalar(statement) or 0)

    async def set_state(
        self, connection: AsyncConnection, batch: Batch, state: str, **columns: Any
    ) -> None:
        """Moves a batch on."""
        await self._update(connection, batch, state=state, **columns)

    async def next_progress_version(self, connection: AsyncConnection, batch: Batch) -> int:
        """The version of the next event about the batch's progress."""
        held = await connection.scalar(select(t.batches.c.progress_version).where(*_is(batch)))
        version = next_version(held)
        await self._update(connection, batch, progress_version=version)
        return version

    async def _update(self, connection: AsyncConnection, batch: Batch, **columns: Any) -> None:
        await connection.execute(update(t.batches).where(*_is(batch)).values(**columns))

    async def next_work(self, connection: AsyncConnection, tenant_id: str) -> Batch | None:
        """The oldest unit of work of the tenant that waits for us, not for its sender."""
        statement = (
            select(t.batches)
            .where(
                t.batches.c.tenant_id == tenant_id, t.batches.c.state.in_(("complete", "applied"))
            )
            .order_by(t.batches.c.batch_no)
            .limit(1)
        )
        row = (await connection.execute(statement)).mappings().first()
        return None if row is None else _batch(row)

    async def tenants_with_work(self, connection: AsyncConnection) -> list[str]:
        """Tenants with work that waits for us; asked with the tick's role."""
        statement = (
            select(t.batches.c.tenant_id)
            .where(t.batches.c.state.in_(("complete", "applied")))
            .group_by(t.batches.c.tenant_id)
        )
        return [row.tenant_id for row in await connection.execute(statement)]

    async def days(self, connection: AsyncConnection) -> dict[str, date]:
        """Every tenant's day; asked with the tick's role."""
        rows = await connection.execute(select(t.tenants.c.tenant_id, t.tenants.c.as_of))
        return {row.tenant_id: row.as_of for row in rows}

    async def add_findings(
        self,
        connection: AsyncConnection,
        batch: Batch,
        found: Mapping[tuple[int, int], Sequence[Finding]],
    ) -> None:
        """Stores findings by (part, row); a row read again stores the same ones again."""
        rows = [
            {
                "tenant_id": batch.tenant_id,
                "batch_no": batch.batch_no,
                "part": part,
                "row_no": row_no,
                "seq": seq,
                "finding": finding.model_dump(mode="json"),
            }
            for (part, row_no), row_findings in sorted(found.items())
            for seq, finding in enumerate(row_findings)
        ]
        key = ("tenant_id", "batch_no", "part", "row_no", "seq")
        await bulk.upsert(connection, t.findings, rows, key=key)

    async def report(
        self, connection: AsyncConnection, batch: Batch, limit: int
    ) -> tuple[tuple[RowCounts, ...], tuple[Finding, ...], int]:
        """Rows by kind, the first findings, and how many findings there are."""
        rows = await connection.execute(
            _SQL["count_rows"], {"tenant": batch.tenant_id, "batch_no": batch.batch_no}
        )
        counts = tuple(RowCounts(**row) for row in rows.mappings())
        ours = (
            t.findings.c.tenant_id == batch.tenant_id,
            t.findings.c.batch_no == batch.batch_no,
        )
        total = await connection.scalar(select(func.count()).where(*ours))
        first = (
            select(t.findings.c.finding)
            .where(*ours)
            .order_by(t.findings.c.part, t.findings.c.row_no, t.findings.c.seq)
            .limit(limit)
        )
        found = (await connection.execute(first)).scalars()
        return counts, tuple(Finding.model_validate(item) for item in found), int(total or 0)


def _is(batch: Batch) -> tuple[Any, ...]:
    return (t.batches.c.tenant_id == batch.tenant_id, t.batches.c.batch_no == batch.batch_no)


def _batch(row: Mapping[Any, Any]) -> Batch:
    return Batch(
        tenant_id=row["tenant_id"],
        batch_no=row["batch_no"],
        batch_id=row["batch_id"],
        work=row["work"],
        state=row["state"],
        parts=tuple(BatchPart.model_validate(part) for part in row["parts"]),
        actor=Actor.model_validate(row["actor"]),
        whole=row["whole"],
        dirty_total=row["dirty_total"],
        progress_version=row["progress_version"],
        traceparent=row["traceparent"],
    )
