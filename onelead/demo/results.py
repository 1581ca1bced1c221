"""Collects what came out, from where anybody could read it: the public topic and the notifications."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord

from onelead.messages import read_from_beginning
from shared.events import (
    DeliveryOutcome,
    ImportProgressed,
    LeadChanged,
    NotificationSettled,
)
from shared.messaging.codec import decode
from shared.topics import LEADS, NOTIFICATIONS

_PLURALS = {"opportunity": "opportunities", "project": "projects"}


@dataclass(frozen=True)
class Results:
    """What a run brought: the import's report, the open leads, the deliveries by channel."""

    report: ImportProgressed
    leads: Sequence[LeadChanged]
    deliveries: dict[str, int]

    @property
    def leads_by_type(self) -> dict[str, int]:
        """Open leads by type."""
        return dict(Counter(lead.lead_type.value for lead in self.leads))

    @property
    def leads_by_priority(self) -> dict[str, int]:
        """Open leads by priority."""
        return dict(Counter(lead.priority.value for lead in self.leads))

    def rows_read(self) -> dict[str, int]:
        """Rows read by kind."""
        return {_PLURALS.get(count.kind, count.kind): count.read for count in self.report.rows}


async def collect(bootstrap: str, tenant: str, report: ImportProgressed) -> Results:
    """Reads the tenant's public topic and the notifications from their beginning."""
    leads = open_leads(await read_from_beginning(bootstrap, LEADS.for_tenant(tenant)))
    settled = await read_from_beginning(bootstrap, NOTIFICATIONS.name)
    return Results(report, leads, sent_by_channel(settled, tenant))


def open_leads(records: Sequence[ConsumerRecord]) -> list[LeadChanged]:
    """The latest of each lead, as a subscriber that starts from nothing holds them; best first."""
    held: dict[str, LeadChanged] = {}
    for record in records:
        received = decode(record)
        event = received.event
        if isinstance(event, LeadChanged) and event.state == "open":
            held[received.key] = event
        else:
            held.pop(received.key, None)
    return sorted(held.values(), key=lambda lead: (-lead.score, lead.lead_id))


def sent_by_channel(records: Sequence[ConsumerRecord], tenant: str) -> dict[str, int]:
    """Deliveries that arrived, each once however often it was told."""
    sent = set()
    for record in records:
        received = decode(record)
        event = received.event
        if not isinstance(event, NotificationSettled) or received.envelope.tenant_id != tenant:
            continue
        if event.outcome is DeliveryOutcome.SENT:
            sent.add((event.channel, event.delivery_id))
    return dict(Counter(channel for channel, _ in sorted(sent)))
