"""Erases a tenant from every place: marks it, waits until nobody is unaware, empties, counts again.

Each step may be done again: an erasure that was killed is finished by the next one.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from pydantic_settings import BaseSettings, SettingsConfigDict

from onelead.tenants.inner_topics import InnerTopics
from onelead.tenants.own_topics import OwnTopics
from onelead.tenants.places import Counts, Proof
from onelead.tenants.rows import TenantRows
from shared.messaging.relay import in_flight_s
from shared.settings import RelayPublishTimeoutS, ServiceSettings, load_settings

_UNAWARE_S = 90.0
Progress = Callable[[str], None]


class RelaySettings(BaseSettings):
    """How long the services' relays wait for the broker; the command must be told what they are told."""

    model_config = SettingsConfigDict(env_prefix="ONELEAD_", env_ignore_empty=True, extra="ignore")

    relay_publish_timeout_s: RelayPublishTimeoutS = ServiceSettings.model_fields[
        "relay_publish_timeout_s"
    ].default


def relay_done() -> timedelta:
    """By then a relay has published, or given up, what it read before a tenant was marked."""
    settings = load_settings(RelaySettings)
    return timedelta(seconds=in_flight_s(settings.relay_publish_timeout_s))


class Erasure:
    """The erasure of one tenant."""

    def __init__(
        self,
        bootstrap: str,
        rows: TenantRows,
        tenant_id: str,
        progress: Progress = lambda _: None,
        *,
        wait_for_relays: timedelta | None = None,
    ) -> None:
        self._rows = rows
        self._tenant = tenant_id
        self._own = OwnTopics(bootstrap, tenant_id)
        self._inner = InnerTopics(bootstrap, tenant_id)
        self._progress = progress
        self._relay_done = relay_done() if wait_for_relays is None else wait_for_relays

    async def look(self) -> Counts:
        """How much of the tenant there is, place by place."""
        tables = await self._rows.tables()
        self._progress("counting rows")
        found = {**await self._rows.count(tables), **await self._own.count()}
        return {**found, **await self._inner.count(self._progress)}

    async def erase(self, before: Counts) -> Proof:
        """Erases what `look` found, and whatever came since. Raises UserError when a step cannot be done."""
        tables = await self._rows.tables()
        self._progress("marking the tenant as erased")
        await self._rows.mark()
        await self._rows.until_nobody_is_unaware(_UNAWARE_S)
        await self._until_relays_are_done(tables)
        self._progress("removing its topics, groups and rights")
        await self._own.remove()
        await self._inner.remove(self._progress)
        await self._rows.delete(tables, self._progress)
        proof = Proof.of(self._tenant, before, await self.look())
        if not proof.remains:
            await self._rows.prove()
        return proof

    async def _until_relays_are_done(self, tables: list[str]) -> None:
        """A message that was read before the mark may be on its way to a topic."""
        outboxes = [table for table in tables if table.endswith(".outbox")]
        if _any(await self._rows.count(outboxes)):
            self._progress("waiting for what the relays hold")
            await asyncio.sleep(self._relay_done.total_seconds())


def _any(counts: Counts) -> bool:
    return any(found.count for found in counts.values())


def is_known(counts: Counts) -> bool:
    """Whether anything at all is there of a tenant."""
    return _any(counts)
