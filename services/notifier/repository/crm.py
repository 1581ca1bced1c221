"""The SQL of the CRMs: what was last seen there, whose turn it is to ask, which messages were taken."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier import tables as t
from services.notifier.domain.contents import CONTENTS, Content
from services.notifier.domain.crm.records import CrmRecord
from services.notifier.domain.crm.stages import Seen
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.plan import Target
from shared.db import bulk
from shared.events import LeadState

KEPT = timedelta(days=1)
"""How long the ids of messages are remembered; a signature is good for five minutes."""

_TAKE = text(
    """
    INSERT INTO notifier.crm_polls AS held (tenant_id, sink, due_at)
    SELECT tenant, :sink, :until FROM unnest(CAST(:tenants AS text[])) AS tenant ORDER BY tenant
    ON CONFLICT (tenant_id, sink) DO UPDATE SET due_at = excluded.due_at WHERE held.due_at <= :now
    RETURNING tenant_id, changed_to
    """
)
_RELEASE = text(
    """
    UPDATE notifier.crm_polls
    SET due_at = :due_at, changed_to = greatest(changed_to, CAST(:changed_to AS timestamptz))
    WHERE sink = :sink AND tenant_id = ANY(CAST(:tenants AS text[]))
    """
)
_TOLD = text(
    """
    SELECT DISTINCT ON (d.lead_id) d.lead_id, d.purpose, d.content, s.state
    FROM notifier.deliveries d
    LEFT JOIN notifier.standings s ON s.tenant_id = d.tenant_id AND s.lead_id = d.lead_id
    WHERE d.tenant_id = :tenant AND d.channel = :channel AND d.target = :target
      AND d.purpose IN ('alert', 'update', 'withdrawal') AND d.state IN ('sent', 'dead', 'unknown')
    ORDER BY d.lead_id, d.created_at DESC, d.episode DESC, d.purpose DESC
    """
)


@dataclass(frozen=True)
class LastTold:
    """The newest thing a CRM was told of a lead, and the state people have put the lead in."""

    lead_id: str
    content: Content
    state: LeadState


class CrmRepository:
    """Reads and writes the `crm_…` tables; every method runs in the caller's transaction."""

    async def tenants(self, connection: AsyncConnection) -> list[str]:
        """Every tenant with leads; asked with the tick's role."""
        found = await connection.execute(select(t.digests.c.tenant_id).distinct())
        return sorted(row.tenant_id for row in found)

    async def take_turn(
        self,
        connection: AsyncConnection,
        tenants: Collection[str],
        sink: str,
        *,
        now: datetime,
        until: datetime,
    ) -> dict[str, datetime | None]:
        """Those of the tenants whose turn it is, with how far was read; nobody else has them `until`."""
        parameters = {"tenants": sorted(tenants), "sink": sink, "now": now, "until": until}
        rows = await connection.execute(_TAKE, parameters)
        return {row.tenant_id: row.changed_to for row in rows}

    async def end_turn(
        self,
        connection: AsyncConnection,
        tenants: Collection[str],
        sink: str,
        *,
        due_at: datetime,
        changed_to: datetime | None = None,
    ) -> None:
        """When to ask again, and how far was read; that never goes back."""
        parameters = {
            "tenants": sorted(tenants),
            "sink": sink,
            "due_at": due_at,
            "changed_to": changed_to,
        }
        await connection.execute(_RELEASE, parameters)

    async def offices(
        self, connection: AsyncConnection, tenant_id: str, lead_ids: Collection[str]
    ) -> dict[str, str | None]:
        """The office of each of these leads, for those that the tenant has."""
        statement = select(t.leads.c.lead_id, t.leads.c.alert["office_id"].astext).where(
            t.leads.c.tenant_id == tenant_id, t.leads.c.lead_id.in_(sorted(lead_ids))
        )
        return {row[0]: row[1] for row in await connection.execute(statement)}

    async def seen(
        self, connection: AsyncConnection, tenant_id: str, sink: str, lead_ids: Collection[str]
    ) -> dict[str, Seen]:
        """What was last seen of these leads, locked in their order."""
        table = t.crm_records
        statement = (
            select(table)
            .where(
                table.c.tenant_id == tenant_id,
                table.c.sink == sink,
                table.c.lead_id.in_(sorted(lead_ids)),
            )
            .order_by(table.c.lead_id)
            .with_for_update()
        )
        rows = await connection.execute(statement)
        return {row.lead_id: Seen(row.external_id, row.stage, row.changed_at) for row in rows}

    async def last_seen(
        self, connection: AsyncConnection, sink: str, records: Sequence[CrmRecord]
    ) -> list[CrmRecord]:
        """Those of the records that are as they were last seen, of all tenants of the transaction."""
        table = t.crm_records
        statement = select(table).where(
            table.c.sink == sink, table.c.lead_id.in_(sorted({r.lead_id for r in records}))
        )
        rows = {row.lead_id: row for row in await connection.execute(statement)}
        return [r for r in records if (row := rows.get(r.lead_id)) and _is_as(r, row)]

    async def remember(
        self, connection: AsyncConnection, tenant_id: str, sink: str, records: Sequence[CrmRecord]
    ) -> None:
        """These records are what was last seen, where they are not older than that."""
        rows = [
            {
                "tenant_id": tenant_id,
                "sink": sink,
                "lead_id": record.lead_id,
                "external_id": record.external_id,
                "stage": record.stage,
                "changed_at": record.changed_at,
            }
            for record in records
        ]
        await bulk.upsert(
            connection,
            t.crm_records,
            rows,
            key=("tenant_id", "sink", "lead_id"),
            guard="held.changed_at <= excluded.changed_at",
        )

    async def take_message(
        self, connection: AsyncConnection, tenant_id: str, sink: str, message_id: str, now: datetime
    ) -> bool:
        """Remembers a message; False when it was taken before. Old ones are forgotten."""
        table = t.crm_messages
        old = delete(table).where(
            table.c.tenant_id == tenant_id,
            table.c.sink == sink,
            table.c.received_at < now - KEPT,
        )
        await connection.execute(old)
        row = {
            "tenant_id": tenant_id,
            "sink": sink,
            "message_id": message_id,
            "received_at": now,
        }
        key = ("tenant_id", "sink", "message_id")
        taken = await bulk.upsert(
            connection, table, [row], key=key, guard="nothing", returning="message_id"
        )
        return bool(taken)

    async def told(
        self, connection: AsyncConnection, tenant_id: str, target: Target
    ) -> list[LastTold]:
        """The newest thing that each lead's record was told, whatever became of it; not what waits."""
        parameters = {"tenant": tenant_id, "channel": target.channel, "target": target.address}
        rows = await connection.execute(_TOLD, parameters)
        return [_told(row) for row in rows]


def _is_as(record: CrmRecord, row: Row[Any]) -> bool:
    held = (row.external_id, row.stage, row.changed_at)
    return held == (record.external_id, record.stage, record.changed_at)


def _told(row: Row[Any]) -> LastTold:
    content: Mapping[str, Any] = row.content
    kind = CONTENTS[Purpose(row.purpose)]
    return LastTold(row.lead_id, kind.model_validate(content), LeadState(row.state or "new"))
