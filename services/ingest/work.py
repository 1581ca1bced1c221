"""Works off what arrival left behind: a tenant's units of work in their order, and new days."""

from collections.abc import Awaitable, Callable
from datetime import date
from functools import partial
from math import inf

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.applying import Applying
from services.ingest.deciding import Deciding
from services.ingest.deriving import Deriving
from services.ingest.domain.batch import NO_RULES, OF_RULES, Batch, Step, StepSize
from services.ingest.messages import day_derived, progressed
from services.ingest.noting import note_contradictions
from services.ingest.repository import BatchesRepository, DerivedRepository, MarksRepository
from services.ingest.settings import IngestSettings
from services.ingest.turns import Turns
from shared import clock
from shared.db.rules_store import RulesStore
from shared.events import ImportPhase
from shared.messaging.errors import describe, is_transient
from shared.messaging.outbox import Outbox
from shared.ops.composition import Base
from shared.ops.logs import get_logger
from shared.ops.ticks import run_ticks
from shared.rules.influence import Anew

_log = get_logger(__name__)
_LOOK_AGAIN_S = 300.0
"""So often a process looks whether a tenant's leads lack what goes with the rules in force."""
_NOT_WHOLE = "fewer or more rows came than were announced; nothing was removed"
_Step = Callable[[AsyncConnection, str], Awaitable[None]]


class IngestWork:
    """Takes steps, each one transaction under the tenant's lock; a kill between two loses nothing."""

    def __init__(self, base: Base, rules: RulesStore, settings: IngestSettings) -> None:
        self._base = base
        self._rules = rules
        self._settings = settings
        self._outbox: Outbox = base.outbox
        self._batches = BatchesRepository()
        self._derived = DerivedRepository()
        self._marks = MarksRepository()
        self._applying = Applying(base.outbox)
        self._deciding = Deciding(base.outbox)
        self._deriving = Deriving(base.outbox)
        self._turns = Turns()
        self._looked_s: dict[str, float] = {}

    async def run(self) -> None:
        """Steps until cancelled; sleeps when there is nothing to do."""
        await run_ticks(self.step, self._settings.tick_interval_s)

    async def step(self) -> bool:
        """Moves days on, then takes one step for each tenant with work. Returns whether any was tried.

        A step that fails is its tenant's alone: the other tenants go on.
        """
        async with self._base.tick_database.transaction() as connection:
            days = await self._batches.days(connection)
            tenants = await self._batches.tenants_with_work(connection)
        today = self._settings.as_of or clock.today()
        for tenant_id, day in days.items():
            if self._is_new(day, today):
                await self._try(tenant_id, partial(self._begin_day, today=today))
        for tenant_id in days:
            if clock.monotonic_s() >= self._looked_s.get(tenant_id, -inf) + _LOOK_AGAIN_S:
                await self._try(tenant_id, self._catch_up)
        return any([await self._try(each, self._step, self._give_up) for each in tenants])

    async def _try(
        self,
        tenant_id: str,
        step: _Step,
        give_up: Callable[[str, Exception], Awaitable[None]] | None = None,
    ) -> bool:
        """Takes a step unless the tenant waits. After a failure that may pass, or that cannot be given
        up, the tenant waits for its next turn. Returns whether it was tried."""
        if not self._turns.is_due(tenant_id):
            return False
        try:
            try:
                async with self._base.database.transaction({tenant_id}) as connection:
                    await step(connection, tenant_id)
            except Exception as error:
                if give_up is None or is_transient(error):
                    raise
                await give_up(tenant_id, error)
            self._turns.succeeded(tenant_id)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not stop other tenants
            failures = self._turns.put_off(tenant_id)
            about = {"tenant": tenant_id, "error": describe(error)[:300], "failures": failures}
            _log.error("a tenant's step will be tried again", **about)
        return True

    async def _give_up(self, tenant_id: str, error: Exception) -> None:
        """Puts aside a unit of work that can never succeed, so that the next ones go on."""
        try:
            async with self._base.database.transaction({tenant_id}) as connection:
                await self._batches.lock_tenant(connection, tenant_id)
                if batch := await self._batches.next_work(connection, tenant_id):
                    await self._deciding.give_up(connection, batch)
        except Exception as second:
            if is_transient(second):
                raise
            _log.error("a command stays unanswered", tenant=tenant_id, exc_info=second)
        async with self._base.database.transaction({tenant_id}) as connection:
            await self._batches.lock_tenant(connection, tenant_id)
            if batch := await self._batches.next_work(connection, tenant_id):
                await self._batches.update(connection, batch, state="failed")
                detail = f"it cannot be worked off: {type(error).__name__}"
                await self._tell(connection, batch, ImportPhase.REFUSED, detail=detail)
                _log.error("work put aside", batch=batch.batch_id, exc_info=error)

    def _is_new(self, day: date, today: date) -> bool:
        """A tenant's day only moves forward, unless the setting says otherwise."""
        return today != day if self._settings.as_of else today > day

    async def _begin_day(self, connection: AsyncConnection, tenant_id: str, today: date) -> None:
        await self._batches.lock_tenant(connection, tenant_id)
        if not self._is_new(await self._batches.day(connection, tenant_id), today):
            return  # another replica was faster
        await self._batches.move_day(connection, tenant_id, today)
        version = await self._batches.next_day_version(connection, tenant_id)
        await self._batches.open_batch(
            connection, tenant_id, f"day-{today}-{version}", work="day", state="complete"
        )
        _log.info("a new day begins", tenant=tenant_id, as_of=str(today))

    async def _catch_up(self, connection: AsyncConnection, tenant_id: str) -> None:
        """Derives anew what was told by other rules and is not about to be told again: by a release
        that read them otherwise, or because the unit of work about them was put aside."""
        await self._batches.lock_tenant(connection, tenant_id)
        derived_by = (await self._rules.in_force(connection, {tenant_id}))[tenant_id].derived_by
        if await self._marks.behind(connection, tenant_id, derived_by):
            unit, anew = f"release-{derived_by}-{clock.now_us()}", {Anew.DERIVATION}
            await self._batches.open_batch(
                connection, tenant_id, unit, work=OF_RULES, state="complete", anew=anew
            )
        else:
            self._looked_s[tenant_id] = clock.monotonic_s()

    async def _step(self, connection: AsyncConnection, tenant_id: str) -> None:
        await self._batches.lock_tenant(connection, tenant_id)
        batch = await self._batches.next_work(connection, tenant_id)
        if batch is None:
            return
        rules = (await self._rules.in_force(connection, {tenant_id}))[tenant_id]
        if batch.state == "complete":
            await self._applying.apply(connection, batch, rules.rules)
            await self._tell(connection, batch, ImportPhase.APPLYING)
            return
        as_of = await self._batches.day(connection, tenant_id)
        size = StepSize(self._settings.accounts_per_step, self._settings.rows_per_step)
        # What waiting rules change beside the deriving, links or prices, is as the old ones left it.
        waits = await self._marks.rules_wait(connection, tenant_id)
        derived_by = NO_RULES if waits else rules.derived_by
        step = Step(batch, rules.rules, derived_by, as_of, size)
        if await self._deriving.derive(connection, step):
            await self._tell(connection, batch, ImportPhase.DERIVING)
        elif not await self._deriving.mark_rest(connection, step):
            if batch.work == "import":
                await note_contradictions(connection, batch, rules.rules, as_of)
            await self._finish(connection, batch, as_of)

    async def _finish(self, connection: AsyncConnection, batch: Batch, as_of: date) -> None:
        await self._batches.update(connection, batch, state="done")
        if batch.work == "day":
            version = await self._batches.next_day_version(connection, batch.tenant_id)
            await self._outbox.add(connection, [day_derived(batch, version, as_of)])
        await self._tell(connection, batch, ImportPhase.COMPLETED)
        _log.info("work done", tenant=batch.tenant_id, batch=batch.batch_id, work=batch.work)

    async def _tell(
        self,
        connection: AsyncConnection,
        batch: Batch,
        phase: ImportPhase,
        **report: object,
    ) -> None:
        """Tells the importer where its batch stands; nobody waits for the other kinds of work."""
        if batch.work != "import":
            return
        if phase is ImportPhase.COMPLETED:
            limit = self._settings.findings_in_report
            report = {
                **await self._batches.report(connection, batch, limit),
                "leads_open": await self._derived.open_leads(connection, batch.tenant_id),
                "detail": None if batch.whole else _NOT_WHOLE,
            }
        waiting = await self._derived.dirty_count(connection, batch.tenant_id)
        total = max(batch.dirty_total, waiting)
        version = await self._batches.next_progress_version(connection, batch)
        message = progressed(batch, version, phase, done=total - waiting, total=total, **report)
        await self._outbox.add(connection, [message])
