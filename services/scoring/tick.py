"""Works off the queue of leads to rescore, tenant by tenant in small steps, resumable at any point."""

from services.scoring.handlers import ScoringHandlers
from services.scoring.repository import ScoringRepository
from services.scoring.rescoring import RescoringQueue
from services.scoring.settings import ScoringSettings
from shared.ops import metrics
from shared.ops.composition import Base
from shared.ops.ticks import run_ticks


class RescoringTick:
    """Looks for queued leads, with the tick's role, and rescores them, with the service's own."""

    def __init__(self, base: Base, handlers: ScoringHandlers, settings: ScoringSettings) -> None:
        self._base = base
        self._handlers = handlers
        self._settings = settings
        self._repository = ScoringRepository()
        self._queue = RescoringQueue()
        self._caught_up = False

    async def run(self) -> None:
        """Steps until cancelled; sleeps when there is nothing to do."""
        await run_ticks(self._turn, self._settings.tick_interval_s)

    async def _turn(self) -> bool:
        if not self._caught_up:
            await self.catch_up()
            self._caught_up = True
        return await self.step()

    async def catch_up(self) -> None:
        """Queues, once after the start, the leads whose facts or marks a release before left unjudged."""
        async with self._base.tick_database.transaction() as connection:
            tenants = await self._queue.known_tenants(connection)
        for tenant_id in tenants:
            async with self._base.database.transaction({tenant_id}) as connection:
                await self._handlers.queue_left(connection, tenant_id)

    async def step(self) -> bool:
        """One step for each tenant with queued leads. Returns whether there was any."""
        async with self._base.tick_database.transaction() as connection:
            tenants = await self._queue.tenants(connection)
        for tenant_id in tenants:
            async with self._base.database.transaction({tenant_id}) as connection:
                await self._handlers.rescore_step(
                    connection, tenant_id, self._settings.leads_per_step
                )
        return bool(tenants)

    async def count_waiting_leads(self) -> None:
        """Sets the metric of leads that wait for their profile; waiting is no problem by itself."""
        async with self._base.metrics_database.transaction() as connection:
            waiting = await self._repository.waiting_leads(connection)
        metrics.WAITING_LEADS.labels("account").set(waiting)
