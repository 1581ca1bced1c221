"""The SQL of the leads as the notifier knows them: as published, as told, as they stand with people."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier import tables as t
from services.notifier.domain.message import Alert
from services.notifier.domain.routing import Known
from services.notifier.domain.standing import Standing
from shared.db import bulk
from shared.events import LeadState

Key = tuple[str, str]
"""(tenant id, lead id)."""

_TENANTS_APPEAR = text(
    """
    INSERT INTO notifier.digests (tenant_id, kind, done_for)
    SELECT tenant, kind, :now
    FROM unnest(CAST(:tenants AS text[])) AS tenant, unnest(ARRAY['daily', 'weekly', 'ageing']) AS kind
    ORDER BY tenant, kind
    ON CONFLICT (tenant_id, kind) DO NOTHING
    """
)


@dataclass(frozen=True)
class Held:
    """What is held of a lead. `alert`: as it is, `told`: as people last heard of it."""

    known: Known = field(default_factory=Known)
    alert: Alert | None = None
    told: Alert | None = None
    first_seen_at: datetime | None = None
    standing: Standing = field(default_factory=Standing)


class LeadsRepository:
    """Reads and writes `leads` and `standings`; every method runs in the caller's transaction."""

    async def lock(self, connection: AsyncConnection, leads: Collection[Key]) -> dict[Key, Held]:
        """Makes sure that the leads have a row, locks them in key order, returns what is held."""
        wanted = sorted(leads)
        rows = [_lead_row(key, Held()) for key in wanted]
        await bulk.upsert(connection, t.leads, rows, key=("tenant_id", "lead_id"), guard="nothing")
        statement = (
            select(t.leads)
            .where(tuple_(t.leads.c.tenant_id, t.leads.c.lead_id).in_(wanted))
            .order_by(t.leads.c.tenant_id, t.leads.c.lead_id)
            .with_for_update()
        )
        found = (await connection.execute(statement)).all()
        standings = await self.standings(connection, wanted)
        return {
            (row.tenant_id, row.lead_id): _held(
                row, standings.get((row.tenant_id, row.lead_id), Standing())
            )
            for row in found
        }

    async def standings(
        self, connection: AsyncConnection, leads: Collection[Key]
    ) -> dict[Key, Standing]:
        """How these leads stand, where lifecycle has told."""
        statement = select(t.standings).where(
            tuple_(t.standings.c.tenant_id, t.standings.c.lead_id).in_(sorted(leads))
        )
        rows = await connection.execute(statement)
        return {(row.tenant_id, row.lead_id): _standing(row) for row in rows}

    async def save(
        self, connection: AsyncConnection, leads: Mapping[Key, Held], now: datetime
    ) -> None:
        """Stores what is now held of leads, where it is newer; a tenant's first lead begins its digests."""
        await bulk.upsert(
            connection,
            t.leads,
            [_lead_row(key, held) for key, held in sorted(leads.items())],
            key=("tenant_id", "lead_id"),
            guard="held.version <= excluded.version",
        )
        tenants = sorted({tenant for tenant, _ in leads})
        if tenants:
            await connection.execute(_TENANTS_APPEAR, {"tenants": tenants, "now": now})

    async def save_standings(
        self, connection: AsyncConnection, standings: Mapping[Key, Standing]
    ) -> None:
        """Stores how leads stand, where it is newer."""
        await bulk.upsert(
            connection,
            t.standings,
            [_standing_row(key, standing) for key, standing in sorted(standings.items())],
            key=("tenant_id", "lead_id"),
            guard="held.version < excluded.version",
        )

    async def held(self, connection: AsyncConnection, leads: Collection[Key]) -> dict[Key, Held]:
        """What is held of leads, without locking them."""
        statement = select(t.leads).where(
            tuple_(t.leads.c.tenant_id, t.leads.c.lead_id).in_(sorted(leads))
        )
        found = (await connection.execute(statement)).all()
        standings = await self.standings(connection, leads)
        return {
            (row.tenant_id, row.lead_id): _held(
                row, standings.get((row.tenant_id, row.lead_id), Standing())
            )
            for row in found
        }


def _held(row: Row[Any], standing: Standing) -> Held:
    return Held(
        known=Known(row.version, row.withdrawn, row.episode, row.withdrawn_through),
        alert=None if row.alert is None else Alert.model_validate(row.alert),
        told=None if row.told is None else Alert.model_validate(row.told),
        first_seen_at=row.first_seen_at,
        standing=standing,
    )


def _lead_row(key: Key, held: Held) -> dict[str, Any]:
    return {
        "tenant_id": key[0],
        "lead_id": key[1],
        "version": held.known.version,
        "withdrawn": held.known.withdrawn,
        "episode": held.known.episode,
        "withdrawn_through": held.known.withdrawn_through,
        "alert": _json(held.alert),
        "told": _json(held.told),
        "first_seen_at": held.first_seen_at,
    }


def _json(alert: Alert | None) -> bytes | None:
    return None if alert is None else alert.model_dump_json().encode()


def _standing(row: Row[Any]) -> Standing:
    return Standing(
        version=row.version,
        state=LeadState(row.state),
        owner=row.owner,
        snoozed_until=row.snoozed_until,
        do_not_contact_until=row.do_not_contact_until,
        touched_at=row.touched_at,
    )


def _standing_row(key: Key, standing: Standing) -> dict[str, Any]:
    return {
        "tenant_id": key[0],
        "lead_id": key[1],
        "version": standing.version,
        "state": standing.state.value,
        "owner": standing.owner,
        "snoozed_until": standing.snoozed_until,
        "do_not_contact_until": standing.do_not_contact_until,
        "touched_at": standing.touched_at,
    }
