"""Asks the CRMs what people changed there, one process at a time.

The CRM's own clock says how far was read; that is kept for each tenant and sink.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from services.notifier.channels.crm.base import CrmError
from services.notifier.channels.crm.channel import CrmChannel
from services.notifier.domain.attempt import Retryable
from services.notifier.domain.crm.records import CrmRecord, Field, folded
from services.notifier.domain.plan import EVERY_TENANT, Plan
from services.notifier.inbound.stages import StageNews
from services.notifier.repository.crm import CrmRepository
from services.notifier.tables import erased_tenants
from shared import clock
from shared.db.erasure import erased_among
from shared.ops.composition import Base
from shared.ops.logs import get_logger
from shared.ops.ticks import run_ticks

_log = get_logger(__name__)
OVERLAP = timedelta(minutes=2)
"""Read again each time: a change that was stored late has an earlier time than what was read."""
_TURN = timedelta(minutes=3)
"""A poller that has not come back by then is not waited for any longer."""


class CrmSync:
    """Asks each CRM what changed, one process at a time."""

    def __init__(
        self,
        base: Base,
        crms: Mapping[str, CrmChannel],
        poll_s: float,
        plan: Plan | None = None,
    ) -> None:
        self._base = base
        self._crms = crms
        self._interval = timedelta(seconds=poll_s)
        self._repository = CrmRepository()
        self._news = StageNews(base.outbox, plan)

    async def run(self) -> None:
        """Asks until cancelled."""
        await run_ticks(self.step, self._interval.total_seconds())

    async def step(self) -> bool:
        """Asks those whose turn it is. One CRM's trouble does not concern the others."""
        for name, channel in self._crms.items():
            if tenants := await self._tenants(channel):
                await self._ask(name, channel, tenants)
        return False

    async def _tenants(self, channel: CrmChannel) -> set[str]:
        named = set(channel.sink.tenants)
        async with self._base.tick_database.transaction() as connection:
            gone = await erased_among(connection, erased_tenants)
            if EVERY_TENANT in named:
                named = set(await self._repository.tenants(connection))
        return named - gone

    async def _ask(self, name: str, channel: CrmChannel, tenants: Collection[str]) -> None:
        now = clock.now()
        async with self._base.database.transaction(tenants) as connection:
            turns = await self._repository.take_turn(
                connection, tenants, name, now=now, until=now + _TURN
            )
        if not turns:
            return
        due_at, read_to = now + self._interval, None
        try:
            records = await _changes(channel, _earliest(turns.values()))
            await self._hear(name, channel, turns, records)
            read_to = max((record.changed_at for record in records), default=None)
        except CrmError as error:
            due_at = now + max(self._interval, _rest(error))
            _log.warning("CRM not read", sink=name, reason=_reason(error))
        async with self._base.database.transaction(turns) as connection:
            await self._repository.end_turn(
                connection, turns, name, due_at=due_at, changed_to=read_to
            )

    async def _hear(
        self,
        name: str,
        channel: CrmChannel,
        tenants: Collection[str],
        records: Sequence[CrmRecord],
    ) -> None:
        fresh = await self._not_seen(name, tenants, records)
        single = await _without_doubles(name, channel, fresh)
        for tenant_id in sorted(tenants) if single else ():
            async with self._base.database.transaction({tenant_id}) as connection:
                await self._news.hear(connection, tenant_id, (name, channel), single)

    async def _not_seen(
        self, name: str, tenants: Collection[str], records: Sequence[CrmRecord]
    ) -> list[CrmRecord]:
        """The records that are not just as they were last seen: most of what overlaps is."""
        async with self._base.database.transaction(tenants) as connection:
            seen = await self._repository.last_seen(connection, name, records)
        return [record for record in records if record not in seen]


async def _changes(channel: CrmChannel, since: datetime | None) -> Sequence[CrmRecord]:
    start = None if since is None else since - OVERLAP
    return await channel.crm.changed_since(start, (Field.STAGE,))


async def _without_doubles(
    name: str, channel: CrmChannel, records: Sequence[CrmRecord]
) -> list[CrmRecord]:
    """The records without those of leads that have several: which one counts is not ours to guess."""
    moved = {r.lead_id for r in records if folded(r.stage) != folded(channel.sink.opening_stage)}
    held = await channel.held(moved, (Field.STAGE,)) if moved else {}
    several = sorted(lead_id for lead_id, found in held.items() if len(found) > 1)
    if several:
        _log.warning("several records of one lead", sink=name, leads=several[:20])
    return [record for record in records if record.lead_id not in several]


def _earliest(moments: Iterable[datetime | None]) -> datetime | None:
    """From where to read on for all of them; None when one has never been read for."""
    known = list(moments)
    return None if None in known else min(moment for moment in known if moment is not None)


def _rest(error: CrmError) -> timedelta:
    pause_s = error.outcome.pause_s if isinstance(error.outcome, Retryable) else None
    return timedelta(seconds=pause_s or 0)


def _reason(error: CrmError) -> str:
    return str(getattr(error.outcome, "reason", ""))[:300]
