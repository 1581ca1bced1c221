"""PostgreSQL is stopped at once, as by `pg_ctl stop -m immediate`, and stays away for a while."""

import asyncio
from collections import Counter

import orjson

from tests.faults.fault import Blow, FaultKind, Hit
from tests.faults.replicas import Replica
from tests.faults.world import START_TIMEOUT_S

_TRIED_AGAIN = b"batch will be read again"


class PostgresStopped(FaultKind):
    """Every session is cut; what was not committed is gone."""

    name = "postgres"
    title = "PostgreSQL stopped at once"
    rounds = 10
    short_rounds = 2

    def __init__(self, name: str | None = None, *, longest_s: float = 5.0) -> None:
        """`longest_s`: so long it stays away at most; at least half of it."""
        super().__init__(name)
        self._longest_s = longest_s

    async def inject(self, blow: Blow) -> Hit:
        """Stops it, and leaves the services alone without it."""
        before = {replica: replica.log.stat().st_size for replica in blow.world.keeper.replicas}
        await blow.world.end_sessions()
        away_s = blow.dice.uniform(self._longest_s / 2, self._longest_s)
        await asyncio.sleep(away_s)
        most = max(_retries(replica, at) for replica, at in before.items())
        return Hit("PostgreSQL", retries_per_s=round(most / away_s, 2))

    async def heal(self, blow: Blow) -> None:
        """Starts it over the same data."""
        await blow.world.postgres.start(START_TIMEOUT_S)


def _retries(replica: Replica, since: int) -> int:
    """How often the most eager handler of a service has tried again, by its log from a place on."""
    with replica.log.open("rb") as log:
        log.seek(since)
        lines = [line for line in log if _TRIED_AGAIN in line]
    times = Counter(orjson.loads(line)["consumer"] for line in lines if line.endswith(b"\n"))
    return max(times.values(), default=0)
