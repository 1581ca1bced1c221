"""What people who run OneLead are told by the notifier itself."""

from datetime import datetime

from services.notifier.domain.contents import Notice
from services.notifier.domain.delivery import ABOUT_MANY, Delivery, Purpose
from services.notifier.domain.message import plain
from services.notifier.domain.plan import Plan
from services.notifier.repository import NewDelivery
from services.notifier.repository.ledger import SinkKey


def given_up(plan: Plan, sink: SinkKey, reason: str, now: datetime) -> list[NewDelivery]:
    """A word to the tenant's other sinks: one was switched off, why, and how to switch it on again."""
    tenant_id, channel, address = sink
    notice = Notice(
        tenant_id=tenant_id,
        title=f"{channel} {plain(address)} was switched off",
        text=f"{plain(reason)}. What was to be told there waits. Once it is mended: "
        f"onelead deliveries enable {channel} {plain(address)} --tenant {tenant_id}",
    )
    targets = plan.told(tenant_id, Purpose.NOTICE)
    return [
        NewDelivery(
            Delivery(
                tenant_id=tenant_id,
                lead_id=ABOUT_MANY,
                episode=0,
                purpose=Purpose.NOTICE,
                channel=target.channel,
                target=target.address,
                created_at=now,
                number=int(now.timestamp() * 1_000),
            ),
            notice,
            now,
            f"{tenant_id}/{channel}/given up",
        )
        for target in targets
        if (target.channel, target.address) != (channel, address)
    ]
