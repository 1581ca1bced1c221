"""A service on a bench's schema whose consumer fails at SIGUSR1: `python -m … SCHEMA TOPIC HOW`."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.events import DayDerived
from shared.messaging.codec import Received
from shared.ops.composition import Base
from shared.ops.health_consumer import Subscription
from shared.ops.runtime import Service, run_until_signalled
from shared.settings import ServiceSettings, load_settings
from shared.topics import Topic
from tests.integration.messaging.bench import metadata_of


def end_coordinator(subscription: Subscription) -> None:
    subscription.kafka._coordinator._coordination_task.cancel()  # type: ignore[union-attr]


def end_fetching(subscription: Subscription) -> None:
    subscription.kafka._fetcher._fetch_task.cancel()  # type: ignore[union-attr]


def end_loop(subscription: Subscription) -> None:
    for task in subscription.subscriber.tasks:
        task.cancel()


def stall_loop(subscription: Subscription) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    subscription.subscriber.get_msg = never


def block_everything(_: Subscription) -> None:
    time.sleep(3_600)


FAULTS: dict[str, Callable[[Subscription], None]] = {
    "coordinator": end_coordinator,
    "fetching": end_fetching,
    "loop": end_loop,
    "stalled": stall_loop,
    "blocked": block_everything,
}


async def _ignore(_connection: AsyncConnection, _messages: Sequence[Received]) -> None:
    return


def _make() -> Service:
    schema, topic_name, how = sys.argv[1:]
    base = Base.build(schema, load_settings(ServiceSettings), metadata_of(schema))
    base.consume(Topic(topic_name, (DayDerived,), "tenant", "the test", (schema,)), _ignore)
    fault, subscription = FAULTS[how], base.health.subscriptions[0]
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, fault, subscription)
    return base.service()


if __name__ == "__main__":
    asyncio.run(run_until_signalled(_make))
