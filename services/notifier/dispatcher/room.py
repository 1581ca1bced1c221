"""Decides how many deliveries each tenant's targets may take now: by slots, circuit and limits."""

from collections.abc import Iterable, Mapping, Sequence

from services.notifier.channels import AnyChannel
from services.notifier.domain.attempt import Certainty
from services.notifier.domain.circuit import SinkState
from services.notifier.domain.plan import Plan, Sink, Target
from services.notifier.domain.storm import single_alerts_left
from services.notifier.repository.ledger import SinkKey
from services.notifier.repository.queue import Wanted
from shared import clock

_AHEAD = 3
"""Where a repeat does no harm, so many times the slots are marked as sending, and take turns."""


class Room:
    """The room that every tenant's targets have."""

    def __init__(self, plan: Plan, channels: Mapping[tuple[str, str], AnyChannel]) -> None:
        self._plan = plan
        self._channels = channels
        self.limited = [t for sink in plan.sinks if sink.limits.any for t in sink.targets]

    def wanted(
        self,
        tenants: Sequence[str],
        states: Mapping[SinkKey, SinkState],
        singles: Mapping[SinkKey, int],
        under_way: Mapping[SinkKey, int],
    ) -> list[Wanted]:
        """What may be leased. `singles`: the alerts that went out by themselves in the last hour."""
        return [
            wanted
            for tenant_id in tenants
            for sink in self._plan.sinks
            if sink.serves(tenant_id)
            for target in sink.targets
            for key in [(tenant_id, target.channel, target.address)]
            for room in [self._room(sink, target, states.get(key)) - under_way.get(key, 0)]
            if room > 0
            for wanted in _shared_out(tenant_id, target, sink, room, singles.get(key, 0))
        ]

    def _room(self, sink: Sink, target: Target, state: SinkState | None) -> int:
        blind = self._channels[target.channel, target.address].certainty is Certainty.BLIND
        ahead = sink.concurrency * (1 if blind else _AHEAD)
        return (state or SinkState()).allowance(clock.now(), ahead)


def _shared_out(
    tenant_id: str, target: Target, sink: Sink, room: int, singles: int
) -> Iterable[Wanted]:
    """The room for alerts, as far as limits let them out, and for everything else."""
    per_account = sink.limits.alerts_per_account_and_day
    left = single_alerts_left(sink.limits, singles)
    if per_account is not None:  # one at a time: each may be the last of its account
        left = min(1, room if left is None else left)
    if left is None or left >= room:
        yield Wanted(tenant_id, target, room, per_account=per_account)
        return
    if left:
        yield Wanted(tenant_id, target, left, alerts=True, per_account=per_account)
    yield Wanted(tenant_id, target, room - left, alerts=False)
