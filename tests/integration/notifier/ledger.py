"""What tests of the ledger read and do beside the bench: attempts, sinks, settlements, a killed sender."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text

from onelead.deliveries.book import Book
from onelead.standins.app import Addresses
from services.notifier.channels.slack_bot import SlackBotChannel, SlackBotSink
from services.notifier.channels.webhook import WebhookChannel, WebhookSink
from services.notifier.domain.attempt import Certainty, Outcome, Retryable
from services.notifier.domain.circuit import SinkState
from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.repository.ledger import Ledger, SinkKey
from shared import clock
from shared.outbound import OutboundPolicy
from tests.integration.notifier.bench import Bench, ScriptedChannel

HERE = OutboundPolicy(frozenset({"127.0.0.1"}))
OUTBOX = (
    "SELECT topic, convert_from(body, 'UTF8')::jsonb AS body FROM notifier.outbox"
    " WHERE tenant_id = :tenant"
)
TOLD = frozenset({Purpose.ALERT, Purpose.UPDATE, Purpose.NOTICE, Purpose.STORM_DIGEST})
DOWN = Retryable("no connection: ConnectError", error="connect")


def sink(name: str = "webhook", **changes: Any) -> ScriptedChannel:
    """A scripted sink that may be called again without harm, and hears of notices too."""
    values: dict[str, Any] = {"certainty": Certainty.IDEMPOTENT, "repeatable": True, "sends": TOLD}
    return ScriptedChannel(name, **(values | changes))


def leads(count: int, start: int = 0) -> list[str]:
    return [f"lead-{number:04}" for number in range(start, start + count)]


@dataclass
class TenantsSink(ScriptedChannel):
    """A sink that answers each tenant's messages in a way of its own: at once, late, or with a failure."""

    answers: dict[str, Outcome] = field(default_factory=dict)
    stuck: dict[str, asyncio.Event] = field(default_factory=dict)

    async def send(self, rendered: Delivery) -> Outcome:
        outcome = await super().send(rendered)
        if (event := self.stuck.get(rendered.tenant_id)) is not None:
            await event.wait()
        return replace(self.answers.get(rendered.tenant_id, outcome))

    def of(self, tenant: str) -> list[Delivery]:
        """The calls for one tenant, the first first."""
        return [call for call in self.calls if call.tenant_id == tenant]


class DyingBot(SlackBotChannel):
    """A bot whose process is killed after Slack took the message, before the answer was heard."""

    async def send(self, rendered: Any) -> Outcome:
        await super().send(rendered)
        return await asyncio.Event().wait()  # type: ignore[return-value]


def bot(addresses: Addresses, of: type[SlackBotChannel] = SlackBotChannel) -> SlackBotChannel:
    """A bot in the stand-in's conversation."""
    settings = SlackBotSink(
        token=SecretStr(addresses.slack_bot_token),
        conversation=addresses.slack_conversation,
        api_url=addresses.slack_api_url,
    )
    return of.open(settings, HERE)


def webhook(addresses: Addresses, **changes: Any) -> WebhookChannel:
    """The stand-in's receiver."""
    secret = SecretStr(addresses.webhook_secret)
    return WebhookChannel.open(
        WebhookSink(url=addresses.webhook_url, secret=secret, **changes), HERE
    )


async def attempts(bench: Bench, delivery_id: str) -> Sequence[Any]:
    """The attempts of a delivery, as `onelead deliveries show` reads them."""
    async with bench.base.database.transaction({bench.tenant}) as connection:
        return await Book(bench.tenant, connection).attempts(delivery_id)


async def every_attempt(bench: Bench) -> Sequence[Any]:
    """All attempts of the tenant."""
    statement = text("SELECT * FROM notifier.attempts ORDER BY delivery_id, number")
    async with bench.base.database.transaction({bench.tenant}) as connection:
        return (await connection.execute(statement)).all()


async def fares(bench: Bench, channel: ScriptedChannel | WebhookChannel) -> Any:
    """What is remembered of the tenant's sink."""
    key: SinkKey = (bench.tenant, channel.name, channel.targets[0].address)
    async with bench.base.database.transaction({bench.tenant}) as connection:
        return (await Ledger().states(connection, {bench.tenant}))[key]


async def rests(bench: Bench, channel: ScriptedChannel) -> None:
    """The tenant's sink rests, as its circuit opened in another process."""
    key: SinkKey = (bench.tenant, channel.name, channel.address)
    state = SinkState(failures=9, open_until=clock.now() + timedelta(minutes=9))
    async with bench.base.database.transaction({bench.tenant}) as connection:
        await Ledger().save_states(connection, {key: state})


async def enable(bench: Bench, channel: ScriptedChannel | WebhookChannel) -> None:
    """As `onelead deliveries enable` does."""
    async with bench.base.database.transaction({bench.tenant}) as connection:
        await Book(bench.tenant, connection).enable(channel.name, channel.targets[0].address)


async def settlements(bench: Bench) -> Sequence[Any]:
    """(topic, body) of each event in the outbox, which nobody publishes here."""
    async with bench.base.relay_database.transaction() as connection:
        return (await connection.execute(text(OUTBOX), {"tenant": bench.tenant})).all()


async def due_now(bench: Bench) -> None:
    """What is to be tried again is due."""
    moment = clock.now().astimezone(UTC).isoformat()
    await bench.change(f"due_at = '{moment}'")


async def counts(bench: Bench) -> dict[tuple[str, str], int]:
    """How many deliveries there are by purpose and state; light where there are thousands."""
    statement = text("SELECT purpose, state, count(*) AS n FROM notifier.deliveries GROUP BY 1, 2")
    async with bench.base.database.transaction({bench.tenant}) as connection:
        return {(row.purpose, row.state): row.n for row in await connection.execute(statement)}


async def killed_while_sending(bench: Bench, *, called: int) -> None:
    """The process is gone while so many deliveries are under way; their leases have run out."""
    task = asyncio.create_task(bench.dispatcher.run())
    await bench.until(lambda rows: sum(row.state == "sending" for row in rows) == called)
    await asyncio.sleep(0.3)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await bench.change(f"leased_until = '{datetime(2000, 1, 1, tzinfo=UTC).isoformat()}'")
