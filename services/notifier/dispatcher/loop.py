"""Sends what is due: leases deliveries for each tenant's targets, marks them, lets them be sent.

Each tenant's target has slots of its own, so that a dead or slow sink takes nobody else's.
"""

import asyncio
import random
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from services.notifier.channels import AnyChannel
from services.notifier.dispatcher.recording import Recorder
from services.notifier.dispatcher.room import Room
from services.notifier.dispatcher.sending import Made, Retries, deliver, put_back, settle
from services.notifier.dispatcher.settlement import ended
from services.notifier.dispatcher.storms import Storms
from services.notifier.dispatcher.walls import let_out
from services.notifier.domain.attempt import Certainty, RetryAt
from services.notifier.domain.circuit import SinkState
from services.notifier.domain.plan import Plan, Target
from services.notifier.repository import DeliveryQueue, Leased
from services.notifier.repository.ledger import Ledger, SinkKey
from services.notifier.repository.queue import Lease
from services.notifier.repository.storm import StormRepository
from services.notifier.settings import DEADLINE_S, NotifierSettings
from shared import clock
from shared.ops.composition import Base
from shared.ops.logs import get_logger
from shared.ops.ticks import run_ticks

_log = get_logger(__name__)
Sending = Callable[[AnyChannel, Leased, Retries], Coroutine[Any, Any, Made]]
_GATHER_S = 0.003
"""How long a freed slot waits for others, so that one statement leases for all of them."""
_LOOK_EVERY_S = 0.5
"""How often work that was left behind, and new tenants' work, is looked for while there is other work."""
_ADOPTED_AT_ONCE = 100
_ENDED_AT_ONCE = 500
_CALLS_MAY_TAKE = 0.75
"""Of the time a process has to stop, so much is for calls under way."""


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
        self._recorder = Recorder(base, queue, plan)
        self._storms = Storms(base, plan)
        self._storm = StormRepository()
        self._ledger = Ledger()
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: Counter[SinkKey] = Counter()
        self._mine: set[str] = set()
        self._slots = _Slots(plan)
        self._rests_until_s: defaultdict[SinkKey, float] = defaultdict(float)
        self._tenants: list[str] = []
        self._looked_at_s = float("-inf")
        self._room = Room(plan, self._channels)
        self._stopping = False
        self._wake = asyncio.Event()
        self._dice = random.Random()  # noqa: S311 - spreads retries, guards nothing

    async def run(self) -> None:
        """Sends until cancelled; then lets what is under way come to its end, for a while."""
        self._stopping = False
        recording = asyncio.create_task(self._recorder.run())
        try:
            await run_ticks(self.step, self._settings.notify_poll_s, self._wake)
        finally:
            await self._drain()
            recording.cancel()

    async def step(self) -> bool:
        """Settles what was left behind, starts what is due. Returns whether anything was started."""
        began_s = clock.monotonic_s()
        adopted: list[Leased] = []
        if began_s - self._looked_at_s >= _LOOK_EVERY_S or not self._tenants:
            self._looked_at_s = began_s
            adopted = await self._look()
            for item in adopted:
                self._start(item, settle, began_s)
        began_s = clock.monotonic_s()
        begun = await self._take(self._tenants) if self._tenants else []
        for item in begun:
            self._start(item, deliver, began_s)
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
        targets = self._plan.targets
        async with self._base.database.transaction(self._tenants) as connection:
            await self._queue.free_expired(connection, self._tenants)
            unsent = await self._queue.ended(connection, self._tenants, _ENDED_AT_ONCE)
            await self._base.outbox.add(connection, [ended(*each) for each in unsent])
            return await self._queue.adopt(
                connection, self._tenants, targets, self._lease(now), limit=_ADOPTED_AT_ONCE
            )

    async def _take(self, tenants: Sequence[str]) -> list[Leased]:
        """What is due, leased and marked as sending in a committed transaction."""
        now = clock.now()
        lease = self._lease(now)
        async with self._base.database.transaction(tenants) as connection:
            changes = self._recorder.changes
            states = await self._ledger.states(connection, tenants)
            self._recorder.read(states, changes)
            singles: Mapping[SinkKey, int] = {}
            if limited := self._room.limited:
                tenants = await self._storm.ours_to_count(connection, tenants)
                singles = await self._storm.begun_in_hour(connection, tenants, limited, now)
            wanted = self._room.wanted(tenants, states, singles, self._under_way)
            leased = await self._queue.lease(connection, wanted, lease)
            begun = await let_out(connection, self._plan, leased, now)
        if len(begun) < len(leased):
            self._wake.set()  # what stands behind those that were held back is due as well
        return begun

    def _lease(self, now: datetime) -> Lease:
        lasts = timedelta(seconds=self._settings.notify_lease_s)
        return Lease(uuid.uuid4().hex, now, lasts, frozenset(self._mine))

    def _start(self, item: Leased, how: Sending, began_s: float) -> None:
        """`began_s`: a moment before the lease began."""
        key = (item.delivery.tenant_id, *item.target)
        retries = Retries(self._dice.uniform(-1, 1), self._settings.notify_retry_scale)
        self._under_way[key] += 1
        self._mine.add(item.delivery.id)
        channel = self._channels[item.target]
        calls = how is deliver or channel.certainty is Certainty.LOOK_UP
        attempt = partial(how, channel, item, retries)
        lasts_s = began_s + self._settings.notify_lease_s - DEADLINE_S
        task = asyncio.create_task(self._make(key, item, attempt, lasts_s if calls else None))
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, key, item.delivery.id))

    async def _make(
        self,
        key: SinkKey,
        item: Leased,
        attempt: Callable[[], Coroutine[Any, Any, Made]],
        until_s: float | None,
    ) -> None:
        """`until_s`: the last moment to call the sink within the lease; None where it is not called."""
        async with self._slots[key]:
            rest_s = None if until_s is None else self._rest_s(key, until_s)
            made = await (attempt() if rest_s is None else put_back(item, rest_s))
            if isinstance(made.step, RetryAt) and made.step.pauses_sink:
                self._rests_until_s[key] = clock.monotonic_s() + made.step.after_s
            blind = self._channels[item.target].certainty is Certainty.BLIND
            await self._recorder.take(made, to_the_end=blind)

    def _rest_s(self, key: SinkKey, until_s: float) -> float | None:
        """How long a message whose turn came late goes back for: its sink rests, or its lease runs out."""
        now_s = clock.monotonic_s()
        if self._rests_until_s[key] > now_s:
            return self._rests_until_s[key] - now_s
        if self._recorder.states.get(key, SinkState()).allowance(clock.now(), 1) > 0:
            return 0.0 if now_s > until_s or self._stopping else None
        return 0.0

    def _ended(self, key: SinkKey, delivery_id: str, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._mine.discard(delivery_id)
        self._under_way[key] -= 1
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # The row stays as it is; once its lease has run out, the next step settles it.
            _log.error("delivery broke off", channel=key[1], error=repr(error)[:300])

    async def _drain(self) -> None:
        """Calls under way may end; what only waits for its turn goes back."""
        self._stopping = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._settings.stop_timeout_s * _CALLS_MAY_TAKE)
        for task in self._tasks:
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.stop_timeout_s * (1 - _CALLS_MAY_TAKE) / 2):
                await self._recorder.drained()
