"""Kills the notifier while thousands of leads turn CRITICAL and sinks misbehave: `make battery-delivery`.

Each round: all leads at once, kill -9 at a random moment within two seconds of the round's first lease,
a new notifier, and the ledger against what the sinks took. A failing round ends it and is kept.
"""

import argparse
import asyncio
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
import yaml

from shared import clock
from tests.support.delivery_checks import FINAL, Verdict, judge
from tests.support.delivery_world import (
    Standins,
    World,
    opened_world,
    running_standins,
    start_notifier,
)
from tests.support.notifier_builders import public_lead
from tests.support.stack import Stack, running_stack
from tests.support.waiting import wait_until

KILLED_WITHIN_S = 2.0
CONVERSATIONS = 40
"""A bot's look-up reads the last five minutes of a conversation: rounds take turns with theirs."""

_ROUND_TIMEOUT_S = 900.0
"""Long: a round on a busy machine takes its time, and what has not come to its end counts as lost."""
_CHANNELS = ("webhook", "slack", "salesforce", "slack_bot")
_MIX = (
    {"share": 0.05, "status": 503},
    {"share": 0.03, "status": 429, "retry_after": 0},
    {"share": 0.02, "drop": True},
)


@dataclass(frozen=True)
class Options:
    """`every_sink`: each lead goes to all four sinks; else a quarter of the leads to each."""

    rounds: int
    leads: int = 2_000
    seed: int = 1
    every_sink: bool = False


@dataclass(frozen=True)
class Round:
    """What happened in one round; seconds from the round's first message."""

    number: int
    killed_after_lease_s: float
    final_when_killed: int
    wanted: int
    states: Mapping[str, int]
    taken: Mapping[str, int]
    unknown: int
    repeated: int
    ended_by_itself: int
    seconds: float
    faults: Sequence[str] = field(default_factory=tuple)


class Battery:
    """The notifier that is killed and started again, in front of sinks that stay."""

    def __init__(
        self, world: World, standins: Standins, folder: Path, settings: Mapping[str, str]
    ) -> None:
        self._world = world
        self._standins = standins
        self._folder = folder
        self._settings = settings
        self._process: asyncio.subprocess.Process | None = None
        self._ended = 0

    async def start(self) -> None:
        """Starts a notifier; the one before is gone."""
        self._process = await start_notifier(self._world, self._folder, self._settings)

    async def kill(self) -> None:
        """Ends it as a power cut would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def round(self, number: int, options: Options) -> Round:
        """One round. The same seed draws the same faults and the same moment."""
        dice = random.Random(f"{options.seed}/{number}")  # noqa: S311 - a test's dice
        prefix, ended_before = f"r{number:04}-", self._ended
        wanted = await self._turn_critical(prefix, number, options, dice)
        begun_s = clock.monotonic_s()
        killed_s = dice.uniform(0, KILLED_WITHIN_S)
        final = await self._kill_soon_after_the_first_lease(prefix, killed_s)
        await self._world.let_leases_run_out()
        await self.start()
        verdict = await self._verdict(prefix, wanted)
        entries = await self._world.entries(prefix)
        return Round(
            number=number,
            killed_after_lease_s=round(killed_s, 3),
            final_when_killed=final,
            wanted=len(wanted),
            states=dict(Counter(f"{entry.channel} {entry.state}" for entry in entries)),
            taken=self._taken(prefix),
            unknown=verdict.unknown,
            repeated=verdict.repeated,
            ended_by_itself=self._ended - ended_before,
            seconds=round(clock.monotonic_s() - begun_s, 1),
            faults=verdict.faults,
        )

    async def _turn_critical(
        self, prefix: str, number: int, options: Options, dice: random.Random
    ) -> list[tuple[str, str]]:
        """Publishes the round's leads; returns the deliveries that must come of them."""
        mixes = [{"channel": c, "mix": _MIX, "seed": dice.getrandbits(32)} for c in _CHANNELS]
        await self._standins.faults(mixes)
        conversation = f"bot-{number % CONVERSATIONS}"
        leads, wanted = [], []
        for index in range(options.leads):
            lead_id = f"{prefix}{index:05}"
            channel = _CHANNELS[index % len(_CHANNELS)]
            route = conversation if options.every_sink or channel == "slack_bot" else channel
            leads.append(public_lead(lead_id=lead_id, account=route, score=75 + index % 25))
            channels = _CHANNELS if options.every_sink else (channel,)
            wanted += [(lead_id, each) for each in channels]
        await self._world.publish(leads)
        return wanted

    async def _kill_soon_after_the_first_lease(self, prefix: str, after_s: float) -> int:
        """Returns how many deliveries had come to their end by then."""
        _: bool = await wait_until(
            lambda: self._world.begun(prefix), "a first lease", timeout_s=_ROUND_TIMEOUT_S
        )
        await asyncio.sleep(after_s)
        await self.kill()
        return sum(entry.state in FINAL for entry in await self._world.entries(prefix))

    async def _verdict(self, prefix: str, wanted: Sequence[tuple[str, str]]) -> Verdict:
        """What the round came to; deliveries without an end are judged as they are."""

        async def settled() -> bool:
            await asyncio.sleep(0.2)
            if self._has_ended():
                self._ended += 1
                await self.start()
            found = await self._world.entries(prefix)
            return len(found) == len(wanted) and all(e.state in FINAL for e in found)

        with suppress(AssertionError):
            _: bool = await wait_until(settled, "the end", timeout_s=_ROUND_TIMEOUT_S)
        self._standins.read_log()
        return judge(wanted, await self._world.entries(prefix), self._standins.taken)

    def _has_ended(self) -> bool:
        """Whether the notifier is gone by itself, to be restarted by its supervisor: its log says why."""
        return self._process is None or self._process.returncode is not None

    def _taken(self, prefix: str) -> Mapping[str, int]:
        taken = self._standins.taken.identities.items()
        mine = ((channel, ids) for (lead_id, channel), ids in taken if lead_id.startswith(prefix))
        return dict(Counter(channel for channel, ids in mine for _ in ids))


def notify_file(addresses: Mapping[str, Any], tenant: str, *, every_sink: bool) -> str:
    """Four kinds of sinks without storm control; a lead's account names the sink it goes to."""
    sinks: dict[str, dict[str, Any]] = {
        "webhook": {"url": {"env": "BATTERY_URL"}, "secret": {"env": "BATTERY_SECRET"}},
        "slack": {"webhook_url": {"env": "BATTERY_SLACK"}, "concurrency": 4},
        "salesforce": {
            "url": addresses["salesforce_url"],
            "client_id": addresses["salesforce_client_id"],
            "client_secret": {"env": "BATTERY_CRM"},
        },
    }
    sinks = {name: {"channel": name, **sink} for name, sink in sinks.items()}
    bots = {f"bot-{n}": _bot(addresses, conversation(n)) for n in range(CONVERSATIONS)}
    everyone = [{"to": list(sinks)}] if every_sink else []
    named = [*bots] if every_sink else [*sinks, *bots]
    return yaml.safe_dump(
        {
            "sinks": {name: s | {"tenants": [tenant]} for name, s in (sinks | bots).items()},
            "routes": [*everyone, *({"when": {"account": [n]}, "to": [n]} for n in named)],
            "limits": {"alerts_per_hour": None},
        }
    )


def conversation(number: int) -> str:
    """The conversation of the rounds of that number."""
    return f"C0ROUND{number:02}"


def _bot(addresses: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {
        "channel": "slack_bot",
        "token": {"env": "BATTERY_BOT"},
        "conversation": name,
        "api_url": addresses["slack_api_url"],
        "concurrency": 4,
    }


async def run(stack: Stack, folder: Path, options: Options) -> list[Round]:
    """The rounds, up to the first that fails; each is written to `rounds.jsonl` in the folder."""
    conversations = ",".join(conversation(number) for number in range(CONVERSATIONS))
    async with AsyncExitStack() as open_until_the_end:
        enter = open_until_the_end.enter_async_context
        world = await enter(opened_world(stack))
        standins = await enter(running_standins(folder, SLACK_CONVERSATION=conversations))
        found = standins.addresses
        file = folder / "notify.yaml"
        file.write_text(notify_file(found, world.tenant, every_sink=options.every_sink))
        settings = {
            "ONELEAD_NOTIFY_FILE": str(file),
            "BATTERY_URL": found["webhook_url"],
            "BATTERY_SECRET": found["webhook_secret"],
            "BATTERY_SLACK": found["slack_webhook_url"],
            "BATTERY_CRM": found["salesforce_client_secret"],
            "BATTERY_BOT": found["slack_bot_token"],
        }
        battery = Battery(world, standins, folder, settings)
        open_until_the_end.push_async_callback(battery.kill)
        await battery.start()
        rounds: list[Round] = []
        for number in range(options.rounds):
            rounds.append(await battery.round(number, options))
            with (folder / "rounds.jsonl").open("ab") as history:
                history.write(orjson.dumps(asdict(rounds[-1])) + b"\n")
            if rounds[-1].faults:
                break
        return rounds


def main() -> int:
    """Runs the battery. Returns 1 when a round failed; its history stays in a folder that is named."""
    asked = _arguments()
    options = Options(asked.rounds, asked.leads, asked.seed, asked.every_sink)
    folder = Path(tempfile.mkdtemp(prefix="onelead-battery-"))
    sys.stdout.write(f"seed {options.seed}, history in {folder}\n")
    with running_stack() as stack:
        rounds = asyncio.run(run(stack, folder, options))
    unknown, repeated = sum(r.unknown for r in rounds), sum(r.repeated for r in rounds)
    seconds = sum(r.seconds for r in rounds)
    faults = [f"round {r.number}: {fault}" for r in rounds for fault in r.faults]
    for fault in faults[:50]:
        sys.stdout.write(f"{fault}\n")
    sys.stdout.write(
        f"{len(rounds)} rounds of {options.leads} leads, {sum(r.wanted for r in rounds):,} deliveries "
        f"in {seconds:.0f} s: {len(faults)} lost, doubled or hidden; {unknown} unknown and listed, "
        f"{repeated} repeats that an idempotent sink took as one\n"
    )
    return 1 if faults or len(rounds) < options.rounds else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--leads", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))  # noqa: S311
    parser.add_argument("--every-sink", action="store_true", help="each lead to all four sinks")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
