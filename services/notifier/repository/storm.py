"""The SQL of storm control: alerts that wait for a target, how many went out, and folding them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier import tables as t
from services.notifier.domain.delivery import ABOUT_MANY, Purpose
from services.notifier.domain.message import Alert
from services.notifier.domain.plan import Target
from services.notifier.domain.storm import Waiting
from services.notifier.repository.ledger import SinkKey
from shared.db.queries import load_queries

_SQL = load_queries(__file__)


@dataclass(frozen=True)
class Queued:
    """An alert that waits, with its delivery's id and whose lead it is about."""

    waiting: Waiting
    delivery_id: str
    office_id: str | None


class StormRepository:
    """Reads and writes `deliveries`; every method runs in the caller's transaction."""

    async def ours_to_count(
        self, connection: AsyncConnection, tenants: Collection[str]
    ) -> list[str]:
        """Those of the tenants whose alerts only we count, lease and fold until the transaction ends."""
        parameters = {"tenants": sorted(tenants)}
        rows = await connection.execute(_SQL["ours_to_count"], parameters)
        return [row.tenant_id for row in rows]

    async def begun_in_hour(
        self,
        connection: AsyncConnection,
        tenants: Collection[str],
        targets: Sequence[Target],
        now: datetime,
    ) -> dict[SinkKey, int]:
        """How many alerts went out by themselves in the last hour, by tenant and target."""
        parameters = {
            "tenants": sorted(tenants),
            "channels": [target.channel for target in targets],
            "targets": [target.address for target in targets],
            "now": now,
        }
        rows = await connection.execute(_SQL["begun_in_hour"], parameters)
        return {(row.tenant_id, row.channel, row.target): row.begun for row in rows}

    async def waiting(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        target: Target,
        now: datetime,
        *,
        per_account: bool,
    ) -> list[Queued]:
        """The alerts that wait for a target, the best first; `per_account`: with their accounts' counts."""
        parameters = {
            "tenant": tenant_id,
            "channel": target.channel,
            "target": target.address,
            "now": now,
            "per_account": per_account,
        }
        rows = await connection.execute(_SQL["waiting_alerts"], parameters)
        return [
            Queued(
                Waiting(
                    lead_id=row.lead_id,
                    episode=row.episode,
                    account_id=row.account_id or "",
                    score=row.score or 0.0,
                    created_at=row.created_at,
                    of_account=row.of_account,
                ),
                row.delivery_id,
                row.office_id,
            )
            for row in rows
        ]

    async def has_digest(
        self, connection: AsyncConnection, sink: SinkKey, *, since: datetime
    ) -> bool:
        """Whether a digest of overflowing alerts was made for a sink since then."""
        table = t.deliveries
        statement = select(table.c.delivery_id).where(
            table.c.tenant_id == sink[0],
            table.c.lead_id == ABOUT_MANY,
            table.c.purpose == Purpose.STORM_DIGEST.value,
            table.c.created_at > since,
            table.c.channel == sink[1],
            table.c.target == sink[2],
        )
        return (await connection.execute(statement)).first() is not None

    async def fold(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        deliveries: Sequence[str],
        *,
        note: str,
        now: datetime,
    ) -> list[Alert]:
        """Folds deliveries that still wait; returns what they said."""
        parameters = {"tenant": tenant_id, "ids": list(deliveries), "note": note, "now": now}
        rows = await connection.execute(_SQL["fold"], parameters)
        return [Alert.model_validate(row.content) for row in rows]
