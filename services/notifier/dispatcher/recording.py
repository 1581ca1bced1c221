"""Records what attempts came to, many in one transaction: the deliveries, the ledger, how sinks fare.

A sink cannot be asked again what it said, so recording is tried through every failure that passes.
"""

import asyncio
import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier import metrics
from services.notifier.dispatcher.notices import given_up
from services.notifier.dispatcher.sending import RESTING, Made
from services.notifier.dispatcher.settlement import settled
from services.notifier.domain.attempt import RetryAt, words
from services.notifier.domain.circuit import SinkState
from services.notifier.domain.delivery import State
from services.notifier.domain.plan import Plan
from services.notifier.repository import DeliveryQueue, NotifierRepository
from services.notifier.repository.ledger import Ledger, SinkKey
from shared import clock
from shared.messaging.errors import backoff_s, is_transient
from shared.ops.composition import Base
from shared.ops.logs import get_logger
from shared.ops.tracing import trace_id

_log = get_logger(__name__)
_AT_ONCE = 200
_TRIES = 8


class Recorder:
    """Gathers what was made while the last transaction ran, and records it in the next one."""

    def __init__(self, base: Base, queue: DeliveryQueue, plan: Plan) -> None:
        self._base = base
        self._queue = queue
        self._plan = plan
        self._ledger = Ledger()
        self._deliveries = NotifierRepository()
        self._waiting: list[tuple[Made, asyncio.Future[None]]] = []
        self._come = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._dice = random.Random()  # noqa: S311 - spreads retries, guards nothing
        self.states: Mapping[SinkKey, SinkState] = {}
        self.changes = 0

    def read(self, states: Mapping[SinkKey, SinkState], changes: int) -> None:
        """Takes over how sinks fare as read, unless `changes` has risen since: then we know better."""
        if changes == self.changes:
            self.states = _remarkable(states)

    async def take(self, made: Made, *, to_the_end: bool) -> None:
        """Takes what an attempt came to; `to_the_end`, and of what says something about the sink, waits
        until it is recorded.

        Only then is its slot free: the next message meets a sink that rests, or was given up; and of a
        blind sink no more is in doubt after a kill than was under way.
        """
        known = asyncio.get_running_loop().create_future()
        self._waiting.append((made, known))
        self._idle.clear()
        self._come.set()
        if to_the_end or not _uneventful(made):
            await known

    async def run(self) -> None:
        """Records until cancelled."""
        while True:
            await self._come.wait()
            self._come.clear()
            while self._waiting:
                batch = self._waiting[:_AT_ONCE]
                del self._waiting[:_AT_ONCE]
                await self._record([made for made, _ in batch])
                for _, known in batch:
                    if not known.done():
                        known.set_result(None)
            self._idle.set()

    async def drained(self) -> None:
        """Waits until everything handed over is recorded."""
        await self._idle.wait()

    async def _record(self, batch: Sequence[Made]) -> None:
        for attempt in itertools.count(1):
            try:
                await self._record_once(batch)
                return
            except Exception as error:  # noqa: BLE001 - judged below
                if is_transient(error) and attempt < _TRIES:
                    _log.warning("outcomes not recorded yet", error=str(error)[:300])
                    await asyncio.sleep(backoff_s(attempt, self._dice))
                elif len(batch) > 1:
                    for made in batch:
                        await self._record([made])
                    return
                else:
                    # The row stays `sending`: once its lease has run out, it is settled as in doubt.
                    _log.error(
                        "outcome lost", delivery=batch[0].item.delivery.id, error=repr(error)
                    )
                    return

    async def _record_once(self, batch: Sequence[Made]) -> None:
        now = clock.now()
        tenants = {made.item.delivery.tenant_id for made in batch}
        async with self._base.database.transaction(tenants) as connection:
            steps = [(made.item, made.step) for made in batch]
            states = await self._queue.record(connection, steps, now)
            calls = [made.attempt for made in batch if made.attempt.outcome.error != RESTING]
            await self._ledger.add_attempts(connection, calls)
            after = await self._remember(connection, batch)
            events = [
                event
                for made in batch
                for event in settled(made.item, states.get(made.item.delivery.id), made.step)
            ]
            await self._base.outbox.add(connection, events)
        if after:
            self.states = _remarkable({**self.states, **after})
            self.changes += 1
        for made in batch:
            _tell(made, states.get(made.item.delivery.id))

    async def _remember(
        self, connection: AsyncConnection, batch: Sequence[Made]
    ) -> Mapping[SinkKey, SinkState]:
        """How the sinks fare by these attempts; a sink that always answers costs no statement."""
        by_sink: dict[SinkKey, list[Made]] = {}
        for made in batch:
            by_sink.setdefault(_sink(made), []).append(made)
        eventful = {
            key: mine
            for key, mine in by_sink.items()
            if key in self.states or any(not _uneventful(made) for made in mine)
        }
        if not eventful:
            return {}
        now = clock.now()
        before = await self._ledger.lock_states(connection, eventful)
        after = {key: _after(before[key], mine) for key, mine in eventful.items()}
        await self._ledger.save_states(
            connection, {key: state for key, state in after.items() if state != before[key]}
        )
        for key, state in after.items():
            if state.disabled_at is not None and before[key].disabled_at is None:
                _log.error("sink switched off", tenant=key[0], sink=key[1:], reason=state.reason)
                metrics.DISABLED.labels(key[1]).inc()
                notices = given_up(self._plan, key, state.reason or "", now)
                await self._deliveries.add(connection, notices)
        return after


def _remarkable(states: Mapping[SinkKey, SinkState]) -> Mapping[SinkKey, SinkState]:
    return {key: state for key, state in states.items() if state != SinkState()}


def _after(state: SinkState, attempts: Sequence[Made]) -> SinkState:
    before = None
    for made in attempts:
        outcome = made.attempt.outcome
        if outcome.error == RESTING or outcome is before:
            continue  # a call that carries many deliveries has one outcome, and counts once
        before = outcome
        state = state.after(outcome, clock.now())
        if isinstance(made.step, RetryAt) and made.step.pauses_sink:
            until = clock.now() + timedelta(seconds=made.step.after_s)
            state = replace(state, paused_until=max(until, state.paused_until or until))
    return state


def _uneventful(made: Made) -> bool:
    """Whether a sink of which nothing is remembered stays so."""
    return SinkState().after(made.attempt.outcome, clock.now()) == SinkState()


def _sink(made: Made) -> SinkKey:
    delivery = made.item.delivery
    return delivery.tenant_id, delivery.channel, delivery.target


def _tell(made: Made, state: State | None) -> None:
    item, delivery = made.item, made.item.delivery
    outcome = "taken over" if state is None else state.value
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
        error=made.attempt.outcome.error,
        note=words(made.step),
    )
