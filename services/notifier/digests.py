"""Makes digests when they are due: reads the open leads of a tenant, adds one delivery for each sink.

What is made is claimed in the same transaction, so that replicas and restarts make it once.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier.domain.contents import Digest
from services.notifier.domain.delivery import ABOUT_MANY, Delivery
from services.notifier.domain.digests import (
    PURPOSES,
    DigestTimes,
    Frame,
    Kind,
    Line,
    Row,
    digest_of,
    due,
    trend,
)
from services.notifier.domain.plan import Plan, Target
from services.notifier.repository import NewDelivery, NotifierRepository
from services.notifier.repository.digests import DigestsRepository, Weeks
from shared import clock
from shared.ops.composition import Base
from shared.ops.logs import get_logger
from shared.ops.ticks import run_ticks

_log = get_logger(__name__)
_PERIOD = {"daily": timedelta(days=1), "weekly": timedelta(days=7), "ageing": timedelta(days=1)}


@dataclass(frozen=True)
class Found:
    """What a run found in the open leads; `history` by (office, territory), weekly only."""

    frame: Frame
    sums: list[Row]
    lines: list[Line]
    history: Weeks


@dataclass(frozen=True)
class Window:
    """Which digest is made: a tenant's, of a kind, for the moment it was due, now."""

    tenant_id: str
    kind: Kind
    period: datetime
    now: datetime

    def day(self, times: DigestTimes) -> date:
        """The day it stands for, where its readers are."""
        return self.period.astimezone(times.zone).date()

    def parameters(self, times: DigestTimes) -> dict[str, Any]:
        """What its SQL asks for."""
        return {
            "tenant": self.tenant_id,
            "now": self.now,
            "since": self.period - _PERIOD[self.kind],
            "aged": self.now - timedelta(days=times.ageing_after_days),
        }


class Digests:
    """The daily digest, the weekly territory summary and the ageing alert of every tenant."""

    def __init__(
        self, base: Base, plan: Plan, times: DigestTimes, *, console_url: str, interval_s: float
    ) -> None:
        self._base = base
        self._plan = plan
        self._times = times
        self._console_url = console_url
        self._interval_s = interval_s
        self._digests = DigestsRepository()
        self._deliveries = NotifierRepository()

    async def run(self) -> None:
        """Makes what is due until cancelled."""
        await run_ticks(self.step, self._interval_s)

    async def step(self) -> bool:
        """Makes every digest that is due. Never has more to do at once."""
        now = clock.now()
        async with self._base.tick_database.transaction() as connection:
            done = await self._digests.done(connection)
        for tenant_id, kind, last in done:
            if (period := due(kind, self._times, done=last, now=now)) is not None:
                await self._make(tenant_id, kind, period, now)
        return False

    async def _make(self, tenant_id: str, kind: Kind, period: datetime, now: datetime) -> None:
        async with self._base.database.transaction({tenant_id}) as connection:
            if not await self._digests.claim(connection, tenant_id, kind, period):
                return
            if targets := self._plan.told(tenant_id, PURPOSES[kind]):
                window = Window(tenant_id, kind, period, now)
                found = await look(connection, window, self._times, self._console_url)
                await _remember(connection, window, self._times, found)
                new = [d for t in targets for d in self._for(t, found, period, now)]
                await self._deliveries.add(connection, new)
                _log.info("digest", tenant=tenant_id, kind=kind, period=period, messages=len(new))

    def _seen_by(self, target: Target, found: Found) -> Digest | None:
        """The digest of what a target may see; None when there is nothing to tell."""
        plan, tenant = self._plan, found.frame.tenant_id
        sums = [row for row in found.sums if plan.sees(target, tenant, row.office_id)]
        lines = [line for line in found.lines if plan.sees(target, tenant, line.office_id)]
        return digest_of(found.frame, sums, lines, _trends(sums, found))

    def _for(
        self, target: Target, found: Found, period: datetime, now: datetime
    ) -> list[NewDelivery]:
        if (digest := self._seen_by(target, found)) is None:
            return []
        kind, tenant_id = found.frame.kind, found.frame.tenant_id
        delivery = Delivery(
            tenant_id=tenant_id,
            lead_id=ABOUT_MANY,
            episode=0,
            purpose=PURPOSES[kind],
            channel=target.channel,
            target=target.address,
            created_at=now,
            number=int(period.timestamp()),
        )
        event_id = f"{tenant_id}/{kind}/{period.isoformat()}"
        return [NewDelivery(delivery, digest, self._plan.due_at(target, now), event_id)]


async def look(
    connection: AsyncConnection, window: Window, times: DigestTimes, console_url: str
) -> Found:
    """What a digest has to tell; nothing is remembered of it."""
    digests, parameters = DigestsRepository(), window.parameters(times)
    frame = Frame(window.kind, window.tenant_id, window.day(times), console_url)
    sums = await digests.sums(connection, window.kind, parameters)
    lines = await digests.lines(connection, window.kind, parameters)
    weeks = window.kind == "weekly"
    history = await digests.weeks_before(connection, window.tenant_id, frame.day) if weeks else {}
    return Found(frame, sums, lines, history)


async def _remember(
    connection: AsyncConnection, window: Window, times: DigestTimes, found: Found
) -> None:
    """What the next digests build on: this week's pipelines, the leads that were told as ageing."""
    digests = DigestsRepository()
    if window.kind == "ageing":
        await digests.mark_aged(connection, window.parameters(times))
    elif window.kind == "weekly":
        await digests.keep_week(connection, window.tenant_id, found.frame.day, found.sums)


def _trends(sums: list[Row], found: Found) -> dict[str, tuple[float, ...]]:
    """The pipeline of each territory over the weeks, of the offices in `sums` alone."""
    weeks: dict[str, tuple[float, ...]] = {}
    for row in sums:
        name = row.territory or "no territory"
        mine = trend(found.history.get((row.office_id, name), ()), row.pipeline)
        weeks[name] = _added(weeks.get(name, ()), mine)
    return weeks


def _added(one: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, ...]:
    """Two series that end in the same week, summed."""
    length = max(len(one), len(other))
    padded = [(0.0,) * (length - len(series)) + series for series in (one, other)]
    return tuple(a + b for a, b in zip(*padded, strict=True))
