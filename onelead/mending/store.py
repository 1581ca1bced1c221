"""Imports as ingest's database has them: which there were, their reports, their flawed rows."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from onelead.opened_database import opened_database
from services.ingest.domain.batch import Batch
from services.ingest.repository import BatchesRepository
from shared.errors import UserError
from shared.events import BatchPart, Finding, RecordKind

_FINDINGS_READ = 1_000
_LIST = text(
    """
    SELECT b.batch_id, b.batch_no, b.state, b.opened_at, b.parts,
           count(v.row_no) AS read, count(v.row_no) FILTER (WHERE v.outcome = 'degraded') AS degraded,
           count(v.row_no) FILTER (WHERE v.outcome = 'quarantined') AS quarantined
    FROM (SELECT * FROM ingest.batches WHERE tenant_id = :tenant AND work = 'import'
          ORDER BY batch_no DESC LIMIT :limit) AS b
    LEFT JOIN ingest.record_versions v USING (tenant_id, batch_no)
    GROUP BY b.batch_id, b.batch_no, b.state, b.opened_at, b.parts ORDER BY b.batch_no DESC
    """
)
_NAMED = text(
    """
    SELECT batch_id FROM ingest.batches
    WHERE tenant_id = :tenant AND work = 'import'
      AND (:name = 'last' OR starts_with(batch_id, :name))
    ORDER BY batch_no DESC LIMIT 2
    """
)
_FLAWED = "tenant_id = :tenant AND batch_no = :batch_no AND outcome IN ('degraded', 'quarantined')"
_COLUMNS = text(
    f"""
    SELECT DISTINCT kind, part AS column_of, name FROM (
        SELECT kind, 'values' AS part, jsonb_object_keys(raw -> 'values') AS name
        FROM ingest.record_versions WHERE {_FLAWED}
        UNION SELECT kind, 'extra', jsonb_object_keys(raw -> 'extra')
        FROM ingest.record_versions WHERE {_FLAWED}) AS names ORDER BY kind, part, name
    """
)
_ROWS = text(
    f"""
    SELECT v.part, v.row_no, v.kind, v.source, v.record_id, v.outcome, v.raw, (
        SELECT jsonb_agg(f.finding ORDER BY f.seq) FROM ingest.findings f
        WHERE f.tenant_id = v.tenant_id AND f.batch_no = v.batch_no AND f.part = v.part
          AND f.row_no = v.row_no) AS findings
    FROM ingest.record_versions v WHERE v.{_FLAWED.replace("AND ", "AND v.")}
    ORDER BY v.kind, v.part, v.row_no
    """
)


@dataclass(frozen=True)
class ImportSummary:
    """An import in one line."""

    batch_id: str
    state: str
    opened_at: datetime
    files: tuple[str, ...]
    read: int
    degraded: int
    quarantined: int


@dataclass(frozen=True)
class FlawedRow:
    """A row that was degraded or quarantined, with its raw values and what was said of it."""

    part: BatchPart | None
    data_row: int
    kind: RecordKind
    source: str
    record_id: str
    outcome: str
    values: Mapping[str, Any]
    extra: Mapping[str, Any]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class FlawedColumns:
    """The canonical fields and the unknown columns that the flawed rows of a kind have."""

    values: tuple[str, ...]
    extra: tuple[str, ...]


class ImportsStore:
    """Reads a tenant's imports with ingest's own role, bound to that tenant."""

    def __init__(self, connection: AsyncConnection, tenant_id: str) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        self._batches = BatchesRepository()

    async def latest(self, limit: int) -> list[ImportSummary]:
        """The newest imports, the newest first."""
        parameters = {"tenant": self._tenant_id, "limit": limit}
        rows = (await self._connection.execute(_LIST, parameters)).mappings()
        return [
            ImportSummary(
                batch_id=row["batch_id"],
                state=row["state"],
                opened_at=row["opened_at"],
                files=tuple(dict.fromkeys(part["file"] for part in row["parts"])),
                read=row["read"],
                degraded=row["degraded"],
                quarantined=row["quarantined"],
            )
            for row in rows
        ]

    async def named(self, name: str) -> Batch:
        """The import with this id, the only one whose id begins so, or `last`.

        Raises UserError when there is none, or more than one.
        """
        if not name.strip():
            raise UserError(
                "no import is named", hint="give an import's id, its beginning, or `last`"
            )
        parameters = {"tenant": self._tenant_id, "name": name}
        found = list((await self._connection.execute(_NAMED, parameters)).scalars())
        if not found or (len(found) > 1 and name not in (*found, "last")):
            fault = "there is no import" if not found else "more than one import begins with"
            raise UserError(f"{fault} {name}", hint="`onelead imports list` shows them")
        batch_id = name if name in found else found[0]
        return (await self._batches.by_ids(self._connection, self._tenant_id, [batch_id]))[batch_id]

    async def report(self, batch: Batch) -> dict[str, Any]:
        """The report as it was told: rows, findings (at most 1,000), their number, their groups."""
        return await self._batches.report(self._connection, batch, _FINDINGS_READ)

    async def flawed_columns(self, batch: Batch) -> dict[RecordKind, FlawedColumns]:
        """What columns the flawed rows of each kind have."""
        rows = (await self._connection.execute(_COLUMNS, _of(batch))).all()
        return {
            kind: FlawedColumns(
                tuple(r.name for r in rows if (r.kind, r.column_of) == (kind, "values")),
                tuple(r.name for r in rows if (r.kind, r.column_of) == (kind, "extra")),
            )
            for kind in RecordKind
            if any(row.kind == kind for row in rows)
        }

    async def flawed_rows(self, batch: Batch) -> AsyncIterator[FlawedRow]:
        """The degraded and quarantined rows, by kind and as they stand in their files."""
        async with self._connection.stream(_ROWS, _of(batch)) as rows:
            async for row in rows:
                yield FlawedRow(
                    part=batch.parts[row.part] if row.part < len(batch.parts) else None,
                    data_row=row.row_no,
                    kind=RecordKind(row.kind),
                    source=row.source,
                    record_id=row.record_id,
                    outcome=row.outcome,
                    values=row.raw["values"],
                    extra=row.raw["extra"],
                    findings=tuple(Finding.model_validate(each) for each in row.findings or ()),
                )


@asynccontextmanager
async def imports_store(
    owner_url: str, password: str | None, tenant_id: str
) -> AsyncIterator[ImportsStore]:
    """The imports of a tenant in the database behind an owner's address."""
    async with (
        opened_database(owner_url, password, "onelead_ingest", "onelead imports") as database,
        database.transaction({tenant_id}) as connection,
    ):
        yield ImportsStore(connection, tenant_id)


def _of(batch: Batch) -> dict[str, Any]:
    return {"tenant": batch.tenant_id, "batch_no": batch.batch_no}
