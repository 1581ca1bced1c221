"""The notifier's parts on a real PostgreSQL, put together as a test needs them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy import text

from services.notifier.channels import by_target
from services.notifier.dispatcher import Dispatcher
from services.notifier.domain.attempt import Certainty, Delivered, Outcome
from services.notifier.domain.contents import Content
from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.domain.plan import Limits, Plan, Sink, Target
from services.notifier.handlers import NotifierHandlers
from services.notifier.repository import DeliveryQueue, NotifierRepository
from services.notifier.settings import NotifierSettings
from shared.events import LeadChanged
from shared.messaging.codec import OutboxMessage, Received, decode, encode, tombstone
from shared.ops.composition import Base
from shared.topics import LEADS
from tests.support.waiting import wait_until

FINAL = {"sent", "dead", "unknown", "cancelled"}


@dataclass
class ScriptedChannel:
    """A channel that does as told: outcomes one after the other, then Delivered; may be held up.

    `found`: what a look-up says, one after the other; then that the message is not there.
    """

    name: str = "slack"
    concurrency: int = 1
    repeatable: bool = False
    tells_withdrawals: bool = False
    certainty: Certainty = Certainty.BLIND
    address: str = "target"
    outcomes: list[Outcome] = field(default_factory=list)
    found: list[Outcome | None] = field(default_factory=list)
    calls: list[Delivery] = field(default_factory=list)
    looked: list[Delivery] = field(default_factory=list)
    held: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: int = 0
    most_at_once: int = 0
    limits: Limits = field(default_factory=lambda: Limits(alerts_per_hour=None))
    sends: frozenset[Purpose] = frozenset({Purpose.ALERT})
    offices: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.held.set()

    @property
    def targets(self) -> tuple[Target, ...]:
        return (Target(self.name, self.address, self.tells_withdrawals),)

    def render(self, content: Content, delivery: Delivery) -> Delivery:  # noqa: ARG002
        return delivery

    def wire(self, rendered: Delivery) -> bytes:
        return rendered.id.encode()

    async def send(self, rendered: Delivery) -> Outcome:
        self.calls.append(rendered)
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            await self.held.wait()
            await asyncio.sleep(0.005)
        finally:
            self.under_way -= 1
        # Each call has an outcome of its own, however often the script repeats one.
        return replace(self.outcomes.pop(0)) if self.outcomes else Delivered()

    async def find(self, rendered: Delivery) -> Outcome | None:
        self.looked.append(rendered)
        return self.found.pop(0) if self.found else None

    async def close(self) -> None:
        """Nothing to close."""

    async def called(self, times: int = 1) -> None:
        """Waits until so many calls have begun."""
        await wait_until(lambda: len(self.calls) >= times, f"{times} calls of the sink")


def sink_of(name: str, channel: Any, tenants: Iterable[str]) -> Sink:
    """A sink of the plan for an opened or scripted channel."""
    sends = getattr(channel, "sends", None) or channel.accepts
    if channel.targets[0].tells_withdrawals:
        sends = sends | {Purpose.WITHDRAWAL}
    return Sink(
        name=name,
        targets=channel.targets,
        tenants=frozenset(tenants),
        sends=sends,
        limits=getattr(channel, "limits", Limits(alerts_per_hour=None)),
        concurrency=channel.concurrency,
        offices=getattr(channel, "offices", frozenset()),
    )


class Bench:
    """One notifier of one tenant, or of several that share its sinks."""

    def __init__(
        self,
        base: Base,
        settings: NotifierSettings,
        tenant: str,
        channels: Mapping[str, Any],
        *,
        since: date | None = None,
        others: Iterable[str] = (),
    ) -> None:
        tenants = {tenant, *others}
        plan = Plan(tuple(sink_of(name, c, tenants) for name, c in channels.items()))
        self.base = base
        self.tenant = tenant
        self.plan = plan
        self.dispatcher = Dispatcher(
            base, DeliveryQueue(), by_target(channels.values()), plan, settings
        )
        self._handlers = NotifierHandlers(
            NotifierRepository(), plan, since=since, console_url="https://onelead.example"
        )

    async def hear(self, *events: LeadChanged | tuple[str, int]) -> None:
        """One batch of leads, and of tombstones as (lead id, version)."""
        batch = [received(self.tenant, event) for event in events]
        async with self.base.database.transaction({self.tenant}) as connection:
            await self._handlers.on_leads(connection, batch)

    async def rows(self, order: str = "lead_id, episode, purpose, channel") -> Sequence[Any]:
        """Every delivery of the tenant."""
        statement = text(f"SELECT * FROM notifier.deliveries ORDER BY {order}")
        async with self.base.database.transaction({self.tenant}) as connection:
            return (await connection.execute(statement)).all()

    async def states(self) -> dict[tuple[int, str, str], str]:
        """State by (episode, purpose, channel)."""
        return {(r.episode, r.purpose, r.channel): r.state for r in await self.rows()}

    async def change(self, assignments: str) -> None:
        """Changes every delivery of the tenant, as time or an accident would."""
        async with self.base.database.transaction({self.tenant}) as connection:
            await connection.execute(text(f"UPDATE notifier.deliveries SET {assignments}"))

    async def settled_events(self) -> list[dict[str, Any]]:
        """The bodies of the settlements in the outbox, which nobody publishes here."""
        statement = text(
            "SELECT convert_from(body, 'UTF8')::jsonb AS body FROM notifier.outbox"
            " WHERE tenant_id = :tenant ORDER BY id"
        )
        async with self.base.relay_database.transaction() as connection:
            rows = await connection.execute(statement, {"tenant": self.tenant})
            return [row.body for row in rows]

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        """The dispatcher runs for the length of the block."""
        task = asyncio.create_task(self.dispatcher.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def send_all(self) -> None:
        """Runs the dispatcher until every delivery has a final state."""
        async with self.sending():
            await self.until(lambda rows: all(row.state in FINAL for row in rows))

    async def send_until_one_failed(self) -> None:
        """Runs the dispatcher until a delivery waits for another try."""
        async with self.sending():
            await self.until(lambda rows: any(row.state == "retry" for row in rows))

    async def until(self, holds: Callable[[Sequence[Any]], bool]) -> None:
        """Waits until something holds of the deliveries."""

        async def look() -> bool:
            return holds(await self.rows())

        _: bool = await wait_until(look, "the deliveries are as expected")


def received(tenant: str, event: LeadChanged | tuple[str, int]) -> Received:
    """A message as the consumer hands it over."""
    topic = LEADS.for_tenant(tenant)
    if isinstance(event, LeadChanged):
        key = f"{tenant}|{event.lead_id}"
        message = encode(event, subject=event.lead_id, key=key, **_common(tenant, topic))
    else:
        lead_id, version = event
        message = tombstone(
            LeadChanged,
            subject=lead_id,
            key=f"{tenant}|{lead_id}",
            version=version,
            **_common(tenant, topic),
        )
    return decode(_Record(message), tenant)


def _common(tenant: str, topic: str) -> dict[str, Any]:
    return {"tenant_id": tenant, "source": "/test", "topic": topic}


class _Record:
    """The Kafka record that an outbox message becomes."""

    partition = 0
    offset = 0
    timestamp = 0

    def __init__(self, message: OutboxMessage) -> None:
        self.topic = message.topic
        self.key: bytes | None = message.key.encode()
        self.value = message.body
        self.headers: tuple[tuple[str, bytes | None], ...] = tuple(
            (name, value.encode()) for name, value in message.headers.items()
        )
