"""The use case of the notifier: a lead changed → deliveries to make, to cancel, to withdraw."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.domain.message import alert_of
from services.notifier.domain.routing import (
    Announce,
    Known,
    Observed,
    Routes,
    Withdraw,
    is_news,
    react,
)
from services.notifier.repository import Key, NewDelivery, NotifierRepository
from shared import clock
from shared.events import LeadChanged
from shared.messaging.codec import Received


class NotifierHandlers:
    """Each method is handed one batch inside one transaction; nothing is sent from here."""

    def __init__(
        self,
        repository: NotifierRepository,
        routes: Routes,
        *,
        since: date | None,
        console_url: str,
    ) -> None:
        self._repository = repository
        self._routes = routes
        self._since = since
        self._console_url = console_url

    async def on_leads(self, connection: AsyncConnection, batch: Sequence[Received]) -> None:
        """Announces open CRITICAL episodes, withdraws what no longer holds."""
        observed = sorted(_observed(batch), key=lambda pair: pair[0].version)
        keys = {(item.tenant_id, item.lead_id) for item, _ in observed}
        known = await self._repository.lock_leads(connection, keys)
        announced: list[NewDelivery] = []
        withdrawn: dict[Key, Withdraw] = {}
        for item, message in observed:
            key = (item.tenant_id, item.lead_id)
            if not is_news(item, known[key]):
                continue
            targets = self._routes.of(item.tenant_id)
            match react(item, known[key], targets=targets, since=self._since):
                case Announce() as announce:
                    announced += self._deliveries(announce, message)
                case Withdraw() as withdraw:
                    withdrawn[key] = withdraw
            known[key] = known[key].after(item)
        await self._save(connection, known, announced, withdrawn)

    async def _save(
        self,
        connection: AsyncConnection,
        known: Mapping[Key, Known],
        announced: Sequence[NewDelivery],
        withdrawn: Mapping[Key, Withdraw],
    ) -> None:
        await self._repository.save_leads(connection, known)
        await self._repository.add(connection, announced)
        now = clock.now()
        await self._repository.cancel(connection, withdrawn, now)
        channels = {t.channel for t in self._routes.targets if t.tells_withdrawals}
        await self._repository.add_withdrawals(connection, withdrawn, channels, now)

    def _deliveries(self, announce: Announce, message: Received) -> list[NewDelivery]:
        tenant_id = message.envelope.tenant_id
        alert = alert_of(announce.lead, tenant_id=tenant_id, console_url=self._console_url)
        now = clock.now()
        return [
            NewDelivery(
                delivery=Delivery(
                    tenant_id=tenant_id,
                    lead_id=announce.lead.lead_id,
                    episode=announce.lead.episode,
                    purpose=Purpose.ALERT,
                    channel=target.channel,
                    target=target.address,
                    created_at=now,
                ),
                content=alert,
                event_id=message.envelope.id,
                traceparent=message.envelope.traceparent,
                batch_id=announce.lead.batch_id,
            )
            for target in announce.targets
        ]


def _observed(batch: Sequence[Received]) -> Iterable[tuple[Observed, Received]]:
    """The leads and tombstones among the messages; a tombstone's lead is its subject."""
    for message in batch:
        tenant_id, event = message.envelope.tenant_id, message.event
        if isinstance(event, LeadChanged):
            yield Observed(tenant_id, event.lead_id, event.version, event), message
        elif event is None:
            envelope = message.envelope
            yield Observed(tenant_id, envelope.subject, envelope.version, None), message
