"""Units of work: imports, single changes, new days, new rules; and the tenant's day."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import tables as t
from services.ingest.domain.batch import Batch
from shared.db import bulk
from shared.db.queries import load_queries
from shared.events import Actor, BatchPart, Finding, FindingGroup, RowCounts
from shared.messaging.versions import next_version
from shared.rules.influence import Anew

_SQL = load_queries(__file__)
_OF_THE_BATCH = 1_000
"""Findings of a row's own cells are numbered from 0, those that need the whole batch from here."""


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
        anew: Collection[Anew] = (),
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
            anew=tuple(sorted(anew)),
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
        *,
        after_others: bool = False,
    ) -> None:
        """Stores findings by (part, row); a row read again stores the same ones again.

        `after_others`: they were made of the batch as a whole, and leave those of the row in place.
        """
        first = _OF_THE_BATCH if after_others else 0
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
            for seq, finding in enumerate(row_findings, start=first)
        ]
        key = ("tenant_id", "batch_no", "part", "row_no", "seq")
        await bulk.upsert(connection, t.findings, rows, key=key)

    async def dated_rows(
        self, connection: AsyncConnection, batch: Batch, as_of: date
    ) -> AsyncIterator[Row[Any]]:
        """Used rows whose dates may contradict their status or the day, one after the other."""
        parameters = {**_of(batch), "as_of": as_of}
        async with connection.stream(_SQL["dated_rows"], parameters) as rows:
            async for row in rows:
                yield row

    async def report(
        self, connection: AsyncConnection, batch: Batch, limit: int
    ) -> dict[str, object]:
        """The report's part of the event: rows by kind, the first findings, all of them grouped."""
        rows = await connection.execute(_SQL["count_rows"], _of(batch))
        first = await connection.execute(_SQL["first_findings"], {**_of(batch), "limit": limit})
        groups = await connection.execute(_SQL["finding_groups"], _of(batch))
        return {
            "rows": tuple(RowCounts(**row) for row in rows.mappings()),
            "findings": tuple(Finding.model_validate(item) for item in first.scalars()),
            "findings_total": await connection.scalar(_SQL["count_findings"], _of(batch)) or 0,
            "finding_groups": tuple(FindingGroup(**row) for row in groups.mappings()),
        }


def _of(batch: Batch) -> dict[str, Any]:
    return {"tenant": batch.tenant_id, "batch_no": batch.batch_no}
