"""Folds alerts beyond a target's limits into one digest, once the storm is over or has lasted."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier.domain.delivery import ABOUT_MANY, Delivery, Purpose
from services.notifier.domain.message import Alert
from services.notifier.domain.plan import Limits, Plan, Target
from services.notifier.domain.storm import digest_of, is_time, overflow
from services.notifier.repository import NewDelivery, NotifierRepository
from services.notifier.repository.ledger import SinkKey
from services.notifier.repository.storm import StormRepository
from shared import clock
from shared.ops.composition import Base
from shared.ops.logs import get_logger

_log = get_logger(__name__)
_LOOK_EVERY_S = 5.0
_HOUR = timedelta(hours=1)


class Storms:
    """Storm control of every tenant's limited targets."""

    def __init__(self, base: Base, plan: Plan) -> None:
        self._base = base
        self._storm = StormRepository()
        self._deliveries = NotifierRepository()
        self._plan = plan
        self._limited = [
            (target, sink) for sink in plan.sinks if sink.limits.any for target in sink.targets
        ]
        self._looked_at_s = float("-inf")

    async def step(self, tenants: Sequence[str]) -> None:
        """Looks every few seconds; a tenant's targets are looked at in a transaction of their own."""
        if not self._limited or clock.monotonic_s() - self._looked_at_s < _LOOK_EVERY_S:
            return
        self._looked_at_s = clock.monotonic_s()
        for tenant_id in tenants:
            await self.look(tenant_id)

    async def look(self, tenant_id: str) -> None:
        """Folds what is to be folded of one tenant."""
        now = clock.now()
        async with self._base.database.transaction({tenant_id}) as connection:
            if not await self._storm.ours_to_count(connection, {tenant_id}):
                return
            targets = [target for target, _ in self._limited]
            begun = await self._storm.begun_in_hour(connection, {tenant_id}, targets, now)
            for target, sink in self._limited:
                if sink.serves(tenant_id):
                    key = (tenant_id, target.channel, target.address)
                    await self._fold(connection, key, target, sink.limits, begun.get(key, 0))

    async def _fold(
        self, connection: AsyncConnection, key: SinkKey, target: Target, limits: Limits, begun: int
    ) -> None:
        now, tenant_id = clock.now(), key[0]
        per_account = limits.alerts_per_account_and_day is not None
        found = await self._storm.waiting(
            connection, tenant_id, target, now, per_account=per_account
        )
        queued = [each for each in found if self._plan.sees(target, tenant_id, each.office_id)]
        beyond = overflow([each.waiting for each in queued], limits, begun)
        if not is_time(beyond, now):
            return
        if await self._storm.has_digest(connection, key, since=now - _HOUR):
            return
        leads = {(each.lead_id, each.episode) for each in beyond}
        ids = [q.delivery_id for q in queued if (q.waiting.lead_id, q.waiting.episode) in leads]
        note = f"told in the digest of {now:%Y-%m-%d %H:%M} UTC"
        alerts = await self._storm.fold(connection, tenant_id, ids, note=note, now=now)
        if alerts:
            await self._deliveries.add(connection, [_digest(alerts, key, now)])
            _log.info("storm folded", tenant=tenant_id, sink=key[1:], alerts=len(alerts))


def _digest(alerts: Sequence[Alert], key: SinkKey, now: datetime) -> NewDelivery:
    tenant_id, channel, address = key
    delivery = Delivery(
        tenant_id=tenant_id,
        lead_id=ABOUT_MANY,
        episode=0,
        purpose=Purpose.STORM_DIGEST,
        channel=channel,
        target=address,
        created_at=now,
        number=clock.now_us(),
    )
    content = digest_of(alerts, tenant_id, now.date())
    return NewDelivery(delivery, content, now, f"{tenant_id}/storm/{delivery.number}")
