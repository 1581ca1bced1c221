"""Sends what is due: leases deliveries, marks them, calls the channel, records what became of them."""

import asyncio
import itertools
import random
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial

from services.notifier import metrics
from services.notifier.channels import AnyChannel
from services.notifier.delivery_queue import DeliveryQueue, Leased
from services.notifier.domain.attempt import (
    Outcome,
    Rejected,
    RetryAt,
    Step,
    Unsure,
    after_crash,
    next_step,
    words,
)
from services.notifier.domain.delivery import State
from services.notifier.domain.routing import Routes, Target
from services.notifier.settings import DEADLINE_S, NotifierSettings
from services.notifier.settlement import settled
from shared import clock
from shared.messaging.errors import backoff_s, is_transient
from shared.ops.composition import Base
from shared.ops.logs import get_logger
from shared.ops.ticks import run_ticks
from shared.ops.tracing import trace_id

_log = get_logger(__name__)


class Dispatcher:
    """One loop that leases for every sink, and a task for each delivery under way."""

    def __init__(
        self,
        base: Base,
        queue: DeliveryQueue,
        channels: Mapping[str, AnyChannel],
        routes: Routes,
        settings: NotifierSettings,
    ) -> None:
        self._base = base
        self._queue = queue
        self._channels = channels
        self._routes = routes
        self._settings = settings
        self._lease = timedelta(seconds=settings.notify_lease_s)
        self._under_way: dict[Target, set[asyncio.Task[None]]] = {t: set() for t in routes.targets}
        self._wake = asyncio.Event()
        self._dice = random.Random()  # noqa: S311 - spreads retries, guards nothing

    async def run(self) -> None:
        """Sends until cancelled; then lets what is under way come to its end, for a while."""
        try:
            await run_ticks(self.step, self._settings.notify_poll_s, self._wake)
        finally:
            await self._drain()

    async def step(self) -> bool:
        """Settles what was left behind, starts what is due. Returns whether anything was started."""
        now = clock.now()
        async with self._base.tick_database.transaction() as connection:
            tenants = await self._queue.tenants_with_work(connection, now)
        tenants = [tenant for tenant in tenants if self._routes.of(tenant)]
        if not tenants:
            return False
        await self._settle_abandoned(tenants)
        leased = await self._lease_all(tenants)
        for target, item in leased:
            task = asyncio.create_task(self._deliver(self._channels[target.channel], item))
            self._under_way[target].add(task)
            task.add_done_callback(partial(self._ended, target))
        return bool(leased)

    def _ended(self, target: Target, task: asyncio.Task[None]) -> None:
        self._under_way[target].discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # The row stays as it is; once its lease has run out, the next step settles it.
            _log.error("delivery broke off", channel=target.channel, error=repr(error)[:300])

    async def _lease_all(self, tenants: Sequence[str]) -> list[tuple[Target, Leased]]:
        now, token = clock.now(), uuid.uuid4().hex
        found: list[tuple[Target, Leased]] = []
        async with self._base.database.transaction(tenants) as connection:
            await self._queue.free_expired(connection, tenants, now)
            for target, tasks in self._under_way.items():
                limit = self._channels[target.channel].concurrency - len(tasks)
                if limit > 0:
                    items = await self._queue.lease(
                        connection,
                        tenants,
                        target,
                        token=token,
                        now=now,
                        until=now + self._lease,
                        limit=limit,
                    )
                    found += [(target, item) for item in items]
        return found

    async def _settle_abandoned(self, tenants: Sequence[str]) -> None:
        """Deliveries whose sender died while sending: repeated where harmless, else unknown."""
        for target in self._routes.targets:
            now = clock.now()
            outcome = after_crash(repeatable=self._channels[target.channel].repeatable)
            async with self._base.database.transaction(tenants) as connection:
                for item in await self._queue.abandoned(connection, tenants, target, now):
                    step = self._next_step(item, outcome)
                    state = await self._queue.record(connection, item, step, now)
                    await self._base.outbox.add(connection, settled(item, state, step))
                    self._tell(item, state, step)

    async def _deliver(self, channel: AnyChannel, leased: Leased) -> None:
        until = clock.now() + self._lease
        async with self._base.database.transaction({leased.delivery.tenant_id}) as connection:
            begun = await self._queue.begin(connection, leased, until)
        if begun is None:
            return
        outcome = await _attempt(channel, begun)
        step = self._next_step(begun, outcome)
        async with asyncio.timeout((until - clock.now()).total_seconds()):
            await self._record(begun, step)

    async def _record(self, item: Leased, step: Step) -> None:
        """Stores what became of it, through failures that pass: the sink cannot be asked again."""
        for attempt in itertools.count(1):
            try:
                await self._record_once(item, step)
                return
            except Exception as error:
                if not is_transient(error):
                    raise
                _log.warning("outcome not recorded yet", error=str(error)[:300], attempt=attempt)
                await asyncio.sleep(backoff_s(attempt, self._dice))

    async def _record_once(self, item: Leased, step: Step) -> None:
        now, delivery = clock.now(), item.delivery
        async with self._base.database.transaction({delivery.tenant_id}) as connection:
            state = await self._queue.record(connection, item, step, now)
            if isinstance(step, RetryAt) and step.pauses_sink:
                await self._queue.pause(connection, delivery, now + timedelta(seconds=step.after_s))
            await self._base.outbox.add(connection, settled(item, state, step))
        self._tell(item, state, step)

    def _next_step(self, item: Leased, outcome: Outcome) -> Step:
        return next_step(
            outcome,
            failures=item.delivery.failures,
            repeatable=self._channels[item.delivery.channel].repeatable,
            jitter=self._dice.uniform(-1, 1),
        )

    def _tell(self, item: Leased, state: State | None, step: Step) -> None:
        delivery, outcome = item.delivery, "taken over" if state is None else state.value
        metrics.DELIVERIES.labels(delivery.channel, outcome).inc()
        if state is State.SENT:
            took = clock.now() - delivery.created_at
            metrics.SECONDS.labels(delivery.channel).observe(took.total_seconds())
        log = _log.info if state is State.SENT else _log.warning
        log(
            "delivery",
            delivery=delivery.id,
            tenant=delivery.tenant_id,
            lead=delivery.lead_id,
            batch=item.batch_id,
            trace=trace_id(item.traceparent),
            channel=delivery.channel,
            target=delivery.target,
            purpose=delivery.purpose.value,
            outcome=outcome,
            note=words(step),
        )

    async def _drain(self) -> None:
        tasks = [task for under_way in self._under_way.values() for task in under_way]
        if tasks:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.stop_timeout_s / 2):
                    await asyncio.gather(*tasks, return_exceptions=True)


async def _attempt(channel: AnyChannel, item: Leased) -> Outcome:
    """One call of the sink; whatever it raises after it may have begun counts as unsure."""
    try:
        rendered = channel.render(item.content, item.delivery)
    except Exception as error:  # noqa: BLE001 - nothing was sent, and it will not get better
        _log.exception("cannot render", delivery=item.delivery.id)
        return Rejected(f"cannot be rendered: {type(error).__name__}")
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await channel.send(rendered)
    except TimeoutError:
        return Unsure(f"no end after {DEADLINE_S:.0f} s")
    except Exception as error:  # noqa: BLE001 - one sink's fault must not end the others
        # Its text could hold what was sent; the type is enough to find the place.
        _log.error("channel failed", channel=channel.name, error=type(error).__name__)
        return Unsure(f"failed while sending: {type(error).__name__}")
