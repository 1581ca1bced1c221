"""Units of work: imports, single changes, new days, new rules; and the tenant's day."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select, update
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

    async def begin_tenant(self, connection: AsyncConnection, tenant_id: str, as_of: date) -> None:
        """Makes sure that the tenant is known; a new one begins on `as_of`."""
        row = {"tenant_id": tenant_id, "as_of": as_of, "last_batch_no": 0, "day_version": 0}
        await bulk.upsert(connection, t.tenants, [row], key=("tenant_id",), guard="nothing")

    async def day(self, connection: AsyncConnection, tenant_id: str) -> date:
        """The tenant's day."""
        day: date = (await connection.execute(_SQL["day"], {"tenant": tenant_id})).scalar_one()
        return day

    async def move_day(self, connection: AsyncConnection, tenant_id: str, as_of: date) -> None:
        """Sets the tenant's day."""
        await connection.execute(_SQL["move_day"], {"tenant": tenant_id, "as_of": as_of})

    async def next_day_version(self, connection: AsyncConnection, tenant_id: str) -> int:
        """The version of the next event about the tenant's day."""
        held = await connection.scalar(_SQL["day_version"], {"tenant": tenant_id})
        version = next_version(held)
        parameters = {"tenant": tenant_id, "version": version}
        await connection.execute(_SQL["set_day_version"], parameters)
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
        number = await connection.execute(_SQL["next_batch_no"], {"tenant": tenant_id})
        batch = Batch(
            tenant_id=tenant_id,
            batch_no=number.scalar_one(),
            batch_id=batch_id,
            work=work,
            state=state,
            parts=tuple(parts),
            actor=actor or Actor(),
            traceparent=traceparent,
        )
        await bulk.insert(connection, t.batches, [batch.model_dump(mode="json")])
        return batch

    async def by_ids(
        self, connection: AsyncConnection, tenant_id: str, batch_ids: Sequence[str]
    ) -> dict[str, Batch]:
        """Known batches by their ids."""
        statement = select(t.batches).where(
            t.batches.c.tenant_id == tenant_id, t.batches.c.batch_id.in_(batch_ids)
        )
        rows = (await connection.execute(statement)).mappings()
        return {row["batch_id"]: Batch.model_validate(dict(row)) for row in rows}

    async def complete(self, connection: AsyncConnection, batch: Batch, expected: int) -> None:
        """Closes a batch for rows; it is whole when as many came as were announced."""
        whole = await self.received(connection, batch) == expected
        await self.update(connection, batch, state="complete", expected=expected, whole=whole)

    async def received(self, connection: AsyncConnection, batch: Batch) -> int:
        """How many rows of the batch have come."""
        return int(await connection.scalar(_SQL["received"], _of(batch)) or 0)

    async def next_progress_version(self, connection: AsyncConnection, batch: Batch) -> int:
        """The version of the next event about the batch's progress."""
        version = next_version(await connection.scalar(_SQL["progress_version"], _of(batch)))
        await self.update(connection, batch, progress_version=version)
        return version

    async def update(self, connection: AsyncConnection, batch: Batch, **columns: Any) -> None:
        """Moves a batch on: sets some of its columns."""
        statement = update(t.batches).where(
            t.batches.c.tenant_id == batch.tenant_id, t.batches.c.batch_no == batch.batch_no
        )
        await connection.execute(statement.values(**columns))

    async def next_work(self, connection: AsyncConnection, tenant_id: str) -> Batch | None:
        """The oldest unit of work of the tenant that waits for us, not for its sender."""
        rows = await connection.execute(_SQL["next_work"], {"tenant": tenant_id})
        row = rows.mappings().first()
        return None if row is None else Batch.model_validate(dict(row))

    async def tenants_with_work(self, connection: AsyncConnection) -> list[str]:
        """Tenants with work that waits for us; asked with the tick's role."""
        return list((await connection.execute(_SQL["tenants_with_work"])).scalars())

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
        rows = await connection.execute(_SQL["count_rows"], _of(batch))
        counts = tuple(RowCounts(**row) for row in rows.mappings())
        total = int(await connection.scalar(_SQL["count_findings"], _of(batch)) or 0)
        first = await connection.execute(_SQL["first_findings"], {**_of(batch), "limit": limit})
        return counts, tuple(Finding.model_validate(item) for item in first.scalars()), total


def _of(batch: Batch) -> dict[str, Any]:
    return {"tenant": batch.tenant_id, "batch_no": batch.batch_no}
