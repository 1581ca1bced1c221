"""How fast one notifier delivers, and whom a dead sink holds up: `make bench-notifier`.

Deliveries per second of one process against a bare httpx loop to the same receiver, the two taking
turns; then, on the same notifier, a tenant's time to delivery alone and beside another tenant's dead sink.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import yaml
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from bench.notifier_queue import Queue, a_delivery
from services.notifier.channels.webhook import WebhookChannel, WebhookSink
from shared import clock
from shared.outbound import OutboundPolicy
from tests.support.delivery_world import (
    Standins,
    World,
    opened_world,
    running_standins,
    start_notifier,
)
from tests.support.notifier_builders import alert
from tests.support.stack import Stack, running_stack

WANTED_RATIO = 0.5
WANTED_DELAY = 1.5
_RUN_TIMEOUT_S = 120.0
_OWNERS = ("ours", "theirs")
"""Two tenants' receivers: `theirs` is the one that dies."""


@dataclass(frozen=True)
class Speed:
    """One run to `ours` by each way, in messages per second as the receiver saw them."""

    bare: float
    notifier: float

    @property
    def ratio(self) -> float:
        """The notifier's share of the bare loop."""
        return self.notifier / self.bare


@dataclass(frozen=True)
class Delay:
    """Seconds from the row to the receiver, of one tenant: alone, and beside a dead sink."""

    alone_s: Sequence[float]
    beside_s: Sequence[float]

    @property
    def ratio(self) -> float:
        """How much longer the median delivery takes."""
        return median(self.beside_s) / median(self.alone_s)


class Bench:
    """A notifier with two tenants' receivers in front of it."""

    def __init__(self, world: World, queue: Queue, standins: Standins, at_a_time: int) -> None:
        self._world = world
        self._queue = queue
        self._standins = standins
        self._at_a_time = at_a_time
        self._run = 0

    def channel(self, owner: str) -> WebhookChannel:
        """The channel as the notifier has it."""
        found = self._standins.addresses
        url, secret = receiver(found, owner), SecretStr(found["webhook_secret"])
        sink = WebhookSink(url=SecretStr(url), secret=secret, concurrency=self._at_a_time)
        return WebhookChannel.open(sink, OutboundPolicy(frozenset({"127.0.0.1"})))

    async def speed(self, messages: int) -> Speed:
        """Both ways, one after the other."""
        bare = await self._rate(messages, self._send_barely)
        return Speed(bare, await self._rate(messages, self._enqueue))

    async def delay(self, messages: int) -> Delay:
        """The tenant's deliveries alone, then with as many waiting for another's sink that hangs."""
        alone = await self._delays(messages)
        hangs = {"match": "/webhook/theirs", "delay_s": 60, "count": 100_000}
        await self._standins.faults([{"webhook": hangs}])
        prefix = self._prefix()
        await self._queue.add(self.tenant("theirs"), self._waiting("theirs", prefix, messages))
        await asyncio.sleep(1)  # its slots are taken
        beside = await self._delays(messages)
        return Delay(alone, beside)

    def tenant(self, owner: str) -> str:
        """Whose receiver it is."""
        return f"{self._world.tenant}-{owner}"

    async def _delays(self, messages: int) -> list[float]:
        lines = await self._arrived(messages, self._enqueue)
        return sorted(
            (datetime.fromisoformat(line["received_at"]) - self._queue.added_at).total_seconds()
            for line in lines
        )

    async def _rate(self, messages: int, send: Callable[[str, int], Awaitable[None]]) -> float:
        lines = await self._arrived(messages, send)
        moments = sorted(datetime.fromisoformat(line["received_at"]) for line in lines)
        return (len(moments) - 1) / (moments[-1] - moments[0]).total_seconds()

    async def _arrived(
        self, messages: int, send: Callable[[str, int], Awaitable[None]]
    ) -> list[dict[str, Any]]:
        """The receiver's log of a run, once all of it is there."""
        prefix, found = self._prefix(), list[dict[str, Any]]()
        await send(prefix, messages)
        deadline_s = clock.monotonic_s() + _RUN_TIMEOUT_S
        while len(found) < messages:
            if clock.monotonic_s() > deadline_s:
                raise SystemExit(f"only {len(found)} of {messages} messages of {prefix} arrived")
            await asyncio.sleep(0.1)
            lines = self._standins.read_log()
            found += [line for line in lines if str(line["lead_id"]).startswith(prefix)]
        return found

    async def _enqueue(self, prefix: str, messages: int) -> None:
        await self._queue.add(self.tenant("ours"), self._waiting("ours", prefix, messages))

    async def _send_barely(self, prefix: str, messages: int) -> None:
        """The same messages, rendered and signed before: nothing but requests, as many at a time."""
        channel, found = self.channel("ours"), self._standins.addresses
        rendered = [
            channel.render(alert(lead_id=d.lead_id), d)
            for d in self._waiting("ours", prefix, messages)
        ]
        waiting = iter([(body, channel.signed(name, body)) for name, body in rendered])
        async with httpx.AsyncClient() as client:

            async def post() -> None:
                for body, headers in waiting:
                    answer = await client.post(
                        receiver(found, "ours"), content=body, headers=headers
                    )
                    answer.raise_for_status()

            await asyncio.gather(*(post() for _ in range(self._at_a_time)))
        await channel.close()

    def _waiting(self, owner: str, prefix: str, messages: int) -> list[Any]:
        (target,) = self.channel(owner).targets
        tenant = self.tenant(owner)
        return [a_delivery(tenant, f"{prefix}{n:05}", target) for n in range(messages)]

    def _prefix(self) -> str:
        self._run += 1
        return f"run{self._run}-"


def receiver(addresses: Mapping[str, Any], owner: str) -> str:
    """The address of a tenant's receiver."""
    return f"{addresses['page_url']}/webhook/{owner}"


def notify_file(bench: Bench, addresses: Mapping[str, Any], at_a_time: int) -> str:
    """One receiver for each tenant."""
    sinks = {
        owner: {
            "channel": "webhook",
            "url": receiver(addresses, owner),
            "secret": {"env": "BENCH_SECRET"},
            "concurrency": at_a_time,
            "tenants": [bench.tenant(owner)],
        }
        for owner in _OWNERS
    }
    return yaml.safe_dump({"sinks": sinks})


async def measure(
    stack: Stack, folder: Path, asked: argparse.Namespace
) -> tuple[list[Speed], list[Delay]]:
    """All runs on one notifier."""
    async with AsyncExitStack() as until_the_end:
        world = await until_the_end.enter_async_context(opened_world(stack))
        standins = await until_the_end.enter_async_context(running_standins(folder))
        queue = await until_the_end.enter_async_context(Queue.opened(world.url))
        bench = Bench(world, queue, standins, asked.at_a_time)
        file = folder / "notify.yaml"
        file.write_text(notify_file(bench, standins.addresses, asked.at_a_time))
        secret = standins.addresses["webhook_secret"]
        settings = {"ONELEAD_NOTIFY_FILE": str(file), "BENCH_SECRET": secret}
        notifier = await start_notifier(world, folder, settings)
        until_the_end.callback(notifier.kill)
        await bench.speed(200)  # warm
        speeds = [await bench.speed(asked.messages) for _ in range(asked.runs)]
        delays = [await bench.delay(asked.messages // 2)]
        return speeds, delays


def _table(speeds: Sequence[Speed], delays: Sequence[Delay]) -> Table:
    table = Table(title="One notifier")
    for name in ("", "bare / alone", "notifier / beside a dead sink", "ratio"):
        table.add_column(name)
    for speed in speeds:
        table.add_row(
            "deliveries/s", f"{speed.bare:.0f}", f"{speed.notifier:.0f}", f"{speed.ratio:.2f}"
        )
    for delay in delays:
        alone, beside = median(delay.alone_s), median(delay.beside_s)
        table.add_row("median s to delivery", f"{alone:.2f}", f"{beside:.2f}", f"{delay.ratio:.2f}")
    return table


def main() -> int:
    """Prints a table and a line of JSON. Returns 1 when a ratio misses what is wanted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--at-a-time", type=int, default=8, help="requests under way at a time")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="onelead-bench-notifier-"))
    began_s = clock.monotonic_s()
    with running_stack() as stack:
        speeds, delays = asyncio.run(measure(stack, folder, asked))
    Console().print(_table(speeds, delays))
    found = {
        "share_of_bare_loop": round(median(speed.ratio for speed in speeds), 3),
        "delay_beside_dead_sink": round(median(delay.ratio for delay in delays), 3),
        "seconds": round(clock.monotonic_s() - began_s),
    }
    sys.stdout.write(json.dumps(found) + "\n")
    fast = found["share_of_bare_loop"] >= WANTED_RATIO
    return 0 if fast and found["delay_beside_dead_sink"] <= WANTED_DELAY else 1


if __name__ == "__main__":
    sys.exit(main())
