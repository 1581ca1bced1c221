"""Lets snoozes, follow-ups and do-not-contact fall due, tenant by tenant in small steps."""

from services.lifecycle.handlers import LifecycleHandlers
from services.lifecycle.repository import LifecycleRepository
from services.lifecycle.settings import LifecycleSettings
from shared import clock
from shared.ops.composition import Base
from shared.ops.ticks import run_ticks


class DueTick:
    """Looks for flags that fall due, with the tick's role, and tells of them, with the service's own."""

    def __init__(
        self,
        base: Base,
        repository: LifecycleRepository,
        handlers: LifecycleHandlers,
        settings: LifecycleSettings,
    ) -> None:
        self._base = base
        self._repository = repository
        self._handlers = handlers
        self._settings = settings

    async def run(self) -> None:
        """Steps until cancelled; sleeps when there is nothing to do."""
        await run_ticks(self.step, self._settings.tick_interval_s)

    async def step(self) -> bool:
        """One step for each tenant with a flag that falls due. Returns whether there was any to take."""
        async with self._base.tick_database.transaction() as connection:
            tenants = await self._repository.tenants_with_due(connection, clock.now())
        taken = 0
        for tenant_id in tenants:
            async with self._base.database.transaction({tenant_id}) as connection:
                taken += await self._handlers.due_step(
                    connection, tenant_id, self._settings.leads_per_step
                )
        return taken > 0
