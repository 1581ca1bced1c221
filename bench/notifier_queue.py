"""Puts deliveries into the notifier's queue as its own handlers do, many in one transaction."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Self

from sqlalchemy.engine import make_url

from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.domain.plan import Target
from services.notifier.repository import NewDelivery, NotifierRepository
from shared import clock
from shared.db.engine import Database
from tests.support.notifier_builders import alert


class Queue:
    """The deliveries of a notifier that runs. `added_at`: the last time some were added."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.added_at: datetime = clock.now()

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str) -> AsyncIterator[Self]:
        """The queue behind the address of the notifier's role."""
        database = Database.connect(make_url(url), application="bench", pool_size=1)
        try:
            yield cls(database)
        finally:
            await database.close()

    async def add(self, tenant_id: str, deliveries: Sequence[Delivery]) -> None:
        """All of them, due at once."""
        new = [
            NewDelivery(each, alert(tenant_id, lead_id=each.lead_id), each.created_at, "bench")
            for each in deliveries
        ]
        async with self._database.transaction({tenant_id}) as connection:
            await NotifierRepository().add(connection, new)
        self.added_at = clock.now()


def a_delivery(tenant_id: str, lead_id: str, target: Target) -> Delivery:
    """An alert about a lead to one target, made now."""
    return Delivery(
        tenant_id=tenant_id,
        lead_id=lead_id,
        episode=1,
        purpose=Purpose.ALERT,
        channel=target.channel,
        target=target.address,
        created_at=clock.now(),
    )
