"""Runs a kind of fault: inputs flow, the fault comes and goes, all comes to rest, the history is judged."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from onelead.applying_rules import put_in_force
from onelead.broker import create_missing_topics
from services.ingest.domain.ids import lead_id
from shared import clock
from shared.events import LeadType
from tests.faults import observe
from tests.faults.checker import Verdict, check
from tests.faults.expectation import RULES
from tests.faults.fault import Blow, FaultKind
from tests.faults.feed import Feed
from tests.faults.generator import FIRST_MARK, LAST_MARK, Change, batch, changes, marker
from tests.faults.history import Fault, History, Mark, PutAside, Told, Waiting
from tests.faults.world import World

SETTLED_WITHIN_S = 300.0
_ADDED_WITHIN_S = 40.0
_FIRST_BOX = "FIRST"
_POUR_S = 2.0
_POLL_S = 0.1
_LOOK_S = 0.5
_QUIET_LOOKS = 3


class Battery:
    """Faults, one kind after the other, in one world; each kind has tenants and a history of its own."""

    def __init__(
        self, world: World, folder: Path, seed: int, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self._world = world
        self._folder = folder
        self._seed = seed
        self._say = say

    async def run(
        self,
        kind: FaultKind,
        rounds: int,
        *,
        boxes: int | None = None,
        sabotage: str = "",
        settled_within_s: float = SETTLED_WITHIN_S,
    ) -> Verdict:
        """The verdict on so many rounds; the history stays in the folder when there is a violation."""
        await self._world.run(replace(kind.manner, sabotage=sabotage), kind.replicas)
        path = self._folder / f"history-{sabotage or kind.name}.jsonl"
        before = await observe.put_aside(self._world, kind.tenants)
        run = _Run(self._world, kind, History(path, self._seed), before)
        try:
            async with kind.prepared(self._world):
                await run.tenants_added(_ADDED_WITHIN_S)
                await run.rounds(self._seed, rounds, boxes or kind.boxes, self._say)
                await run.settle(settled_within_s)
            await run.observe()
        finally:
            await run.close()
        verdict = await asyncio.to_thread(check, run.history.entries)
        if not verdict.violations:
            path.unlink()
        return verdict


class _Run:
    """One kind of fault from its first round to its last observation."""

    def __init__(
        self, world: World, kind: FaultKind, history: History, before: Sequence[PutAside]
    ) -> None:
        self.history = history
        self._world = world
        self._kind = kind
        self._aside_before = set(before)
        self._sinks = observe.Sinks(world)
        self._feed = Feed(world.bootstrap, history)

    async def tenants_added(self, within_s: float) -> None:
        """Adds the tenants with their rules; waits until a first lead of each was heard of."""
        tenants = self._kind.tenants
        await create_missing_topics(self._world.bootstrap, tenants)
        for tenant in tenants:
            await put_in_force(self._world.bootstrap, tenant, RULES, by="battery")
        found = await self._rest(within_s, looks=1)
        self.history.add(
            *(Waiting(f"before the first lead: {what}", n) for what, n in found.items())
        )
        await self._feed.send([marker(tenant, _FIRST_BOX, LAST_MARK) for tenant in tenants])
        if not await self._told_of(_leads(tenants, _FIRST_BOX), "", _now() + within_s):
            self.history.add(Waiting("the first lead of each tenant", len(tenants)))

    async def rounds(self, seed: int, rounds: int, boxes: int, say: Callable[[str], None]) -> None:
        """All rounds, up to one after which nothing is heard any more."""
        kind = self._kind
        sent = changes(f"{seed}/{kind.name}", kind.tenants, boxes * rounds)
        share = -(-len(sent) // rounds)
        for number in range(rounds):
            say(f"{kind.title}: round {number + 1} of {rounds}")
            part = sent[number * share : (number + 1) * share]
            if not await self._round(f"{seed}/{kind.name}/{number}", number, part):
                return

    async def _round(self, seed: str, number: int, part: Sequence[Change]) -> bool:
        kind = self._kind
        dice = random.Random(seed)  # noqa: S311 - a test's dice
        blow = Blow(self._world, dice, number, self._feed, kind.tenants)
        pouring = asyncio.create_task(self._pour(number, part))
        try:
            await asyncio.sleep(dice.uniform(0, kind.within_s))
            injected_at = _now()
            hit = await kind.inject(blow)
            await kind.heal(blow)
            healed_at = _now()
        finally:
            await asyncio.wait({pouring})
        pouring.result()
        measured = (hit.stop_s, hit.retries_per_s)
        fault = Fault(kind.name, number, hit.target, injected_at, healed_at, *measured)
        self.history.add(*hit.entries, fault)
        return await self._heard(number, healed_at, hit.channel)

    async def _pour(self, number: int, part: Sequence[Change]) -> None:
        half = len(part) // 2
        await self._feed.pour(part[:half], _POUR_S / 2)
        # Halfway, when whatever waits for a step of an import does wait.
        for tenant in self._kind.tenants if self._kind.imported else ():
            await self._feed.hand_over(batch(tenant, number, self._kind.imported))
        await self._feed.pour(part[half:], _POUR_S / 2)

    async def _heard(self, number: int, healed_at: float, channel: str) -> bool:
        """Sends a new lead of each tenant; whether both were heard of in time."""
        kind, box = self._kind, f"MARK{number:04}"
        ids = _leads(kind.tenants, box)
        await self._feed.send([marker(t, box, FIRST_MARK + number) for t in kind.tenants])
        self.history.add(
            *(
                Mark(kind.name, number, tenant, each, healed_at, kind.bound_s, channel)
                for tenant, each in zip(kind.tenants, ids, strict=True)
            )
        )
        return await self._told_of(ids, channel, healed_at + kind.bound_s)

    async def _told_of(self, lead_ids: Sequence[str], channel: str, until: float) -> bool:
        """Whether a sink, or that channel's, is told of all these leads in time."""
        while not self._sinks.has_heard_of(lead_ids, channel):
            if _now() > until:
                return False
            await asyncio.sleep(_POLL_S)
        return True

    async def settle(self, within_s: float) -> None:
        """Waits until nothing is under way; notes what still is when the time is up."""
        found = await self._rest(within_s)
        self.history.add(*(Waiting(what, count) for what, count in found.items()))

    async def _rest(self, within_s: float, looks: int = _QUIET_LOOKS) -> dict[str, int]:
        """Waits until nothing is under way; returns what still is when the time is up."""
        deadline_s, quiet = clock.monotonic_s() + within_s, 0
        while quiet < looks:
            found = await observe.under_way(self._world, self._kind.tenants)
            quiet = 0 if found else quiet + 1
            if found and clock.monotonic_s() > deadline_s:
                return found
            await asyncio.sleep(_LOOK_S)
        return {}

    async def observe(self) -> None:
        """Notes what is seen from outside of these tenants and of their leads."""
        tenants = self._kind.tenants
        told = await observe.told(self._world, tenants)
        ours = {each.lead_id for each in told if isinstance(each, Told)}
        taken = self._sinks.look()
        self.history.add(*(t for t in taken if t.tenant in tenants or t.lead_id in ours))
        self.history.add(*told)
        crm = await observe.crm_records(self._world)
        self.history.add(*(record for record in crm if record.lead_id in ours))
        aside = await observe.put_aside(self._world, tenants)
        self.history.add(*(letter for letter in aside if letter not in self._aside_before))

    async def close(self) -> None:
        """Closes the feed and the history's file."""
        await self._feed.close()
        self.history.close()


def _leads(tenants: Sequence[str], box: str) -> list[str]:
    """The leads of each tenant's box that are CRITICAL at once."""
    return [lead_id(tenant, box, LeadType.HARDWARE_REFRESH) for tenant in tenants]


def _now() -> float:
    return clock.now().timestamp()
