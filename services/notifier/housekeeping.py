"""Forgets attempts that are older than they are kept; deliveries themselves stay."""

from datetime import timedelta

from services.notifier.repository.digests import DigestsRepository
from services.notifier.repository.ledger import Ledger
from shared import clock
from shared.ops.composition import Base
from shared.ops.ticks import run_ticks

_EVERY_S = 3_600.0


class Housekeeping:
    """One look an hour, a transaction for each tenant."""

    def __init__(self, base: Base, *, kept_days: int) -> None:
        self._base = base
        self._kept = timedelta(days=kept_days)
        self._tenants = DigestsRepository()
        self._ledger = Ledger()

    async def run(self) -> None:
        """Forgets until cancelled."""
        await run_ticks(self.step, _EVERY_S)

    async def step(self) -> bool:
        """Forgets what is too old, of every tenant."""
        before = clock.now() - self._kept
        async with self._base.tick_database.transaction() as connection:
            tenants = {tenant for tenant, _, _ in await self._tenants.done(connection)}
        for tenant_id in sorted(tenants):
            async with self._base.database.transaction({tenant_id}) as connection:
                await self._ledger.forget(connection, tenant_id, before)
        return False
