"""Sends what is due: leases deliveries for each tenant's targets, marks them, lets them be sent.

Each tenant's target has slots of its own, so that a dead or slow sink takes nobody else's.
"""

import asyncio
import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

from services.notifier.channels import AnyChannel
from services.notifier.dispatcher.recording import Recorder
from services.notifier.dispatcher.sending import Made, Retries, deliver, put_back, settle
from services.notifier.dispatcher.settlement import ended
from services.notifier.dispatcher.storms import Storms
from services.notifier.domain.attempt import Certainty, RetryAt
from services.notifier.domain.circuit import SinkState
from services.notifier.domain.plan import Plan, Sink, Target
from services.notifier.domain.storm import single_alerts_left
from services.notifier.repository import DeliveryQueue, Leased
from services.notifier.repository.ledger import Ledger, SinkKey
from services.notifier.repository.queue import Lease, Wanted
from services.notifier.repository.storm import StormRepository
from services.notifier.settings import NotifierSettings
from shared import clock
from shared.ops.composition import Base
from shared.ops.logs import get_logger
from shared.ops.ticks import run_ticks

_log = get_logger(__name__)
Sending = Callable[[AnyChannel, Leased, Retries], Coroutine[Any, Any, Made]]
_GATHER_S = 0.003
"""How long a freed slot waits for others, so that one statement leases for all of them."""
_AHEAD = 3
"""Where a repeat does no harm, so many times the slots are marked as sending, and take turns."""
_LOOK_EVERY_S = 0.5
"""How often work that was left behind, and new tenants' work, is looked for while there is other work."""
_ADOPTED_AT_ONCE = 100
_ENDED_AT_ONCE = 500


class _Slots(dict[SinkKey, asyncio.Semaphore]):
    """The slots of each tenant's target, made when they are first asked for."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._size = {
            (target.channel, target.address): sink.concurrency
            for sink in plan.sinks
            for target in sink.targets
        }

    def __missing__(self, key: SinkKey) -> asyncio.Semaphore:
        self[key] = asyncio.Semaphore(self._size[key[1:]])
        return self[key]


class Dispatcher:
    """One loop that leases for every tenant's targets, and a task for each delivery under way."""

    def __init__(
        self,
        base: Base,
        queue: DeliveryQueue,
        channels: Mapping[Target, AnyChannel],
        plan: Plan,
        settings: NotifierSettings,
    ) -> None:
        self._base = base
        self._queue = queue
        self._channels = {(t.channel, t.address): channel for t, channel in channels.items()}
        self._plan = plan
        self._settings = settings
        self._lease = timedelta(seconds=settings.notify_lease_s)
        self._recorder = Recorder(base, queue, plan)
        self._storms = Storms(base, plan)
        self._storm = StormRepository()
        self._ledger = Ledger()
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: Counter[SinkKey] = Counter()
        self._slots = _Slots(plan)
        self._rests_until_s: defaultdict[SinkKey, float] = defaultdict(float)
        self._tenants: list[str] = []
        self._looked_at_s = float("-inf")
        self._alerts_limited = any(s.limits.alerts_per_hour is not None for s in plan.sinks)
        self._wake = asyncio.Event()
        self._dice = random.Random()  # noqa: S311 - spreads retries, guards nothing

    async def run(self) -> None:
        """Sends until cancelled; then lets what is under way come to its end, for a while."""
        recording = asyncio.create_task(self._recorder.run())
        try:
            await run_ticks(self.step, self._settings.notify_poll_s, self._wake)
        finally:
            await self._drain()
            recording.cancel()

    async def step(self) -> bool:
        """Settles what was left behind, starts what is due. Returns whether anything was started."""
        adopted: list[Leased] = []
        if clock.monotonic_s() - self._looked_at_s >= _LOOK_EVERY_S or not self._tenants:
            self._looked_at_s = clock.monotonic_s()
            adopted = await self._look()
        begun = await self._take(self._tenants) if self._tenants else []
        for item in adopted:
            self._start(item, settle)
        for item in begun:
            self._start(item, deliver)
        if begun:
            await asyncio.sleep(_GATHER_S)
        else:
            self._tenants = []
        return bool(begun or adopted)

    async def _look(self) -> list[Leased]:
        """Finds the tenants with work; takes over what was left behind while sending."""
        now = clock.now()
        async with self._base.tick_database.transaction() as connection:
            found = await self._queue.tenants_with_work(connection, now)
        self._tenants = [t for t in found if any(sink.serves(t) for sink in self._plan.sinks)]
        if not self._tenants:
            return []
        await self._storms.step(self._tenants)
        lease = Lease(uuid.uuid4().hex, now, now + self._lease)
        async with self._base.database.transaction(self._tenants) as connection:
            await self._queue.free_expired(connection, self._tenants, now)
            unsent = await self._queue.ended(connection, self._tenants, _ENDED_AT_ONCE)
            await self._base.outbox.add(connection, [ended(*each) for each in unsent])
            return await self._queue.adopt(
                connection, self._tenants, self._plan.targets, lease, limit=_ADOPTED_AT_ONCE
            )

    async def _take(self, tenants: Sequence[str]) -> list[Leased]:
        """What is due, leased and marked as sending in a committed transaction."""
        now = clock.now()
        lease = Lease(uuid.uuid4().hex, now, now + self._lease)
        async with self._base.database.transaction(tenants) as connection:
            states = await self._ledger.states(connection, tenants)
            self._recorder.states = {k: s for k, s in states.items() if s != SinkState()}
            singles: Mapping[SinkKey, int] = {}
            if self._alerts_limited:
                singles = await self._storm.begun_in_hour(connection, tenants, now)
            wanted = list(self._wanted(tenants, states, singles))
            leased = await self._queue.lease(connection, wanted, lease)
            return await self._queue.begin(connection, leased, lease) if leased else []

    def _wanted(
        self,
        tenants: Sequence[str],
        states: Mapping[SinkKey, SinkState],
        singles: Mapping[SinkKey, int],
    ) -> Iterable[Wanted]:
        """How many deliveries each tenant's targets may take now."""
        for tenant_id in tenants:
            for sink in self._plan.sinks:
                if sink.serves(tenant_id):
                    for target in sink.targets:
                        key = (tenant_id, target.channel, target.address)
                        state = states.get(key, SinkState())
                        yield from self._room(key, target, sink, state, singles.get(key, 0))

    def _room(
        self, key: SinkKey, target: Target, sink: Sink, state: SinkState, singles: int
    ) -> Iterable[Wanted]:
        ahead = sink.concurrency * (1 if self._is_blind(target) else _AHEAD)
        room = state.allowance(clock.now(), ahead) - self._under_way[key]
        if room <= 0:
            return
        left = single_alerts_left(sink.limits, singles)
        if sink.limits.alerts_per_account_and_day is not None:
            left = min(1, room if left is None else left)
        if left is None:
            yield Wanted(key[0], target, room)
            return
        if alerts := min(room, left):
            yield Wanted(key[0], target, alerts, alerts=True)
        yield Wanted(key[0], target, max(1, room - alerts), alerts=False)

    def _start(self, item: Leased, how: Sending) -> None:
        key = (item.delivery.tenant_id, *item.target)
        retries = Retries(self._dice.uniform(-1, 1), self._settings.notify_retry_scale)
        self._under_way[key] += 1
        attempt = partial(how, self._channels[item.target], item, retries)
        task = asyncio.create_task(self._make(key, item, attempt))
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, key))

    async def _make(
        self, key: SinkKey, item: Leased, attempt: Callable[[], Coroutine[Any, Any, Made]]
    ) -> None:
        async with self._slots[key]:
            rest_s = self._rests_until_s[key] - clock.monotonic_s()
            made = await (put_back(item, rest_s) if rest_s > 0 else attempt())
            if isinstance(made.step, RetryAt) and made.step.pauses_sink:
                self._rests_until_s[key] = clock.monotonic_s() + made.step.after_s
            await self._recorder.take(made)

    def _is_blind(self, target: Target) -> bool:
        channel = self._channels[target.channel, target.address]
        return channel.certainty is Certainty.BLIND

    def _ended(self, key: SinkKey, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._under_way[key] -= 1
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # The row stays as it is; once its lease has run out, the next step settles it.
            _log.error("delivery broke off", channel=key[1], error=repr(error)[:300])

    async def _drain(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.stop_timeout_s / 2):
                await asyncio.gather(*self._tasks, return_exceptions=True)
                await self._recorder.drained()
