"""The queue of leads to rescore: what changed for more leads than one transaction should judge.

Whoever queues does so before it locks accounts, as whoever takes from the queue does.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring import tables as t
from services.scoring.repository import Key
from shared.db.queries import load_queries

_SQL = load_queries(__file__)


class RescoringQueue:
    """Reads and writes `rescoring`; every method runs in the caller's transaction."""

    async def add_tenants(
        self, connection: AsyncConnection, tenants: Collection[str], cause: str
    ) -> None:
        """Queues every open lead of these tenants."""
        parameters = {"tenants": sorted(tenants), "cause": cause}
        await connection.execute(_SQL["queue_tenants"], parameters)

    async def add_told(
        self,
        connection: AsyncConnection,
        rules: Mapping[str, str],
        cause: str,
        *,
        unjudged: bool = False,
    ) -> None:
        """Queues, of each tenant, the open leads that go with the rules of this digest.

        `unjudged`: only those of which there was news after their last score.
        """
        parameters: dict[str, object] = {
            "tenants": list(rules),
            "rules": list(rules.values()),
            "cause": cause,
            "unjudged": unjudged,
        }
        await connection.execute(_SQL["queue_told"], parameters)

    async def add_accounts(
        self, connection: AsyncConnection, causes: Mapping[Key, str], *, above: int
    ) -> set[Key]:
        """Queues the leads of accounts, each for its cause, if there are more than `above`.

        Returns those queued. One statement for all causes: its locks go in the order of the key.
        """
        if not causes:
            return set()
        wanted = sorted(causes)
        parameters = {
            "tenants": [tenant for tenant, _ in wanted],
            "accounts": [account for _, account in wanted],
        }
        if (await connection.scalar(_SQL["count_leads"], parameters) or 0) <= above:
            return set()
        parameters["causes"] = [causes[key] for key in wanted]
        queued = await connection.execute(_SQL["queue_accounts"], parameters)
        return {(row.tenant_id, row.lead_id) for row in queued}

    async def take(self, connection: AsyncConnection, tenant_id: str, limit: int) -> dict[Key, str]:
        """Takes up to `limit` leads of a tenant, each with the cause it was queued for."""
        queue = t.rescoring
        picked = (
            select(queue.c.lead_id)
            .where(queue.c.tenant_id == tenant_id)
            .order_by(queue.c.lead_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("picked")  # picked once: a sub-select that locks may run again for every row
        )
        statement = (
            delete(queue)
            .where(queue.c.tenant_id == tenant_id, queue.c.lead_id.in_(select(picked)))
            .returning(queue.c.lead_id, queue.c.cause)
        )
        rows = await connection.execute(statement)
        return {(tenant_id, row.lead_id): row.cause for row in rows}

    async def known_tenants(self, connection: AsyncConnection) -> list[str]:
        """Tenants of which a day was told; asked with the tick's role."""
        return list((await connection.execute(select(t.tenants.c.tenant_id))).scalars())

    async def tenants(self, connection: AsyncConnection) -> list[str]:
        """Tenants with queued leads; asked with the tick's role."""
        statement = select(t.rescoring.c.tenant_id).group_by(t.rescoring.c.tenant_id)
        return [row.tenant_id for row in await connection.execute(statement)]
