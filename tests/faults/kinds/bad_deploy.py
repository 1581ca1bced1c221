"""A release that can handle nothing, and a tenant that writes only nonsense: just the one stops."""

import asyncio
import os
import sys
from collections.abc import Sequence

import httpx
from aiokafka import AIOKafkaProducer

from onelead.dead_letters import LetterBox, StoredLetter
from onelead.edition.service import ROOT
from shared import clock
from shared.messaging.poison import MAX_BAD_IN_A_ROW
from shared.topics import RECORDS
from tests.faults import bad_deploy
from tests.faults.fault import Blow, FaultKind, Hit
from tests.faults.history import Broken, Entry, Poison
from tests.faults.kinds.poison import BAD
from tests.faults.observe import put_aside
from tests.faults.replicas import Replica
from tests.faults.world import World

_SERVICE = "scoring"
_RED = f"stopped: more than {MAX_BAD_IN_A_ROW} messages in a row could not be handled"
_RED_WITHIN_S = 60.0
_POLL_S = 0.3
_STOP_S = 30.0


class BadDeploy(FaultKind):
    """51 in a row stop an inner consumer, which says why; rolled back and replayed, twice, nothing is lost.

    Meanwhile more than 51 bad records in a row on a tenant's own topic stop nothing.
    """

    name = "deploy"
    title = f"{MAX_BAD_IN_A_ROW + 1} bad in a row: a bad release, a tenant's nonsense"
    rounds = 3
    short_rounds = 1
    boxes = 60
    launched = True

    async def inject(self, blow: Blow) -> Hit:
        """Rolls it out, waits until it is red, rolls it back, replays what it had put aside, twice."""
        world, tenant = blow.world, blow.tenants[blow.round % len(blow.tenants)]
        [scoring] = world.keeper.of(_SERVICE)
        await _release(scoring, {bad_deploy.SETTING: "1"})
        entries: list[Entry] = [*await _nonsense(world, tenant)]
        stopped = await _until_red(scoring)
        entries += [] if stopped else [self._broken(blow, f"never said that it {_RED}")]
        if not await _all_put_aside(world, blow.tenants, entries):
            entries.append(self._broken(blow, "a tenant's nonsense stopped ingest"))
        await _release(scoring, {bad_deploy.SETTING: ""})
        letters = await _letters(world, blow.tenants)
        if not 0 < len(letters) <= MAX_BAD_IN_A_ROW:
            entries.append(self._broken(blow, f"put {len(letters)} good messages aside"))
        for _ in range(2):
            code = await _replay(world, letters)
            entries += [self._broken(blow, "replaying was refused")] if code else []
        entries += [
            Poison(each.tenant_id, each.topic, each.partition, each.offset, "good, badly released")
            for each in letters
        ]
        return Hit(_SERVICE, entries=entries)

    def _broken(self, blow: Blow, what: str) -> Broken:
        return Broken(self.name, blow.round, f"{_SERVICE}: {what}")


async def _release(replica: Replica, setting: dict[str, str]) -> None:
    replica.held = True
    await replica.stop(_STOP_S)
    replica.env = {**replica.env, **setting}
    replica.held = False
    replica.start()


async def _nonsense(world: World, tenant: str) -> list[Poison]:
    """Bad records in a row, more than an inner topic would bear."""
    name, bad = RECORDS.for_tenant(tenant), BAD[0]
    headers = bad.headers(RECORDS.events[-1].event_type, tenant)
    producer = AIOKafkaProducer(bootstrap_servers=[world.bootstrap], acks="all")
    await producer.start()
    try:
        futures = [
            await producer.send(name, bad.value, headers=headers, partition=0)
            for _ in range(2 * MAX_BAD_IN_A_ROW)
        ]
        there = await asyncio.gather(*futures)
    finally:
        await producer.stop()
    return [Poison(tenant, name, each.partition, each.offset, bad.sort) for each in there]


async def _until_red(replica: Replica) -> bool:
    deadline_s = clock.monotonic_s() + _RED_WITHIN_S
    async with httpx.AsyncClient(timeout=5) as client:
        while _RED not in (await replica.problem(client) or ""):
            if clock.monotonic_s() > deadline_s:
                return False
            await asyncio.sleep(_POLL_S)
    return True


async def _all_put_aside(world: World, tenants: Sequence[str], sent: Sequence[Entry]) -> bool:
    """Whether every one of a tenant's bad records is put aside, and ingest goes on as if nothing were."""
    wanted = {(e.topic, e.partition, e.offset) for e in sent if isinstance(e, Poison)}
    deadline_s = clock.monotonic_s() + _RED_WITHIN_S
    [ingest] = world.keeper.of("ingest")
    async with httpx.AsyncClient(timeout=5) as client:
        while True:
            aside = await put_aside(world, tenants)
            missing = wanted - {(each.topic, each.partition, each.offset) for each in aside}
            if not missing and await ingest.problem(client) is None:
                return True
            if clock.monotonic_s() > deadline_s:
                return False
            await asyncio.sleep(_POLL_S)


async def _letters(world: World, tenants: Sequence[str]) -> list[StoredLetter]:
    found = await LetterBox(world.owner_url, None).find([_SERVICE])
    return [letter for letter in found if letter.tenant_id in tenants]


async def _replay(world: World, letters: Sequence[StoredLetter]) -> int:
    """`onelead dead-letters replay`, as an operator calls it. Returns its exit code."""
    names = [letter.name for letter in letters]
    command = [sys.executable, "-m", "onelead", "dead-letters", "replay", *names]
    env = {
        **os.environ,
        "ONELEAD_KAFKA_BOOTSTRAP": world.bootstrap,
        "ONELEAD_DATABASE_URL": world.owner_url,
    }
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=env, stdout=asyncio.subprocess.DEVNULL
    )
    return await process.wait()
