"""Says when everything that an import set going has come to rest: topics, outboxes, deliveries."""

import asyncio
from collections.abc import Sequence

import asyncpg
from sqlalchemy.engine import make_url

from onelead.edition.service import SERVICES, with_role
from onelead.lag import unhandled
from onelead.opened_database import REFUSALS, unusable
from onelead.reporting import Reporter
from shared import clock
from shared.errors import UserError

_INTERVAL_S = 0.3
_QUIET_LOOKS = 2
_WAITING = ("pending", "leased", "sending", "retry")
_QUEUES = {
    "scoring": ("rescoring", "leads to score anew"),
    "recommender": ("queue", "leads to publish anew"),
}
"""What a service works off in steps, unseen by its consumer groups."""


async def wait_until_settled(
    bootstrap: str, owner_url: str, tenants: Sequence[str], reporter: Reporter, timeout_s: float
) -> None:
    """Returns once nothing is under way at two looks in a row.

    Raises UserError saying what is still under way after `timeout_s`, or what does not answer.
    """
    deadline_s = clock.monotonic_s() + timeout_s
    quiet = 0
    while quiet < _QUIET_LOOKS:
        under_way = await look(bootstrap, owner_url, tenants)
        quiet = 0 if under_way else quiet + 1
        if under_way and clock.monotonic_s() > deadline_s:
            raise UserError(
                f"not settled after {timeout_s:.0f} s: {_told(under_way)}",
                hint="the services' logs are in logs/ of the data folder",
                exit_code=1,
            )
        reporter.doing(f"Waiting until everything has settled: {_told(under_way) or 'quiet'}")
        await asyncio.sleep(_INTERVAL_S)
    reporter.done()


async def look(bootstrap: str, owner_url: str, tenants: Sequence[str]) -> dict[str, int]:
    """What is under way now: messages by consumer group, outbox rows by service, deliveries."""
    found = dict(await unhandled(bootstrap, tenants))
    for service in SERVICES:
        if waiting := await _count(owner_url, service, f"SELECT count(*) FROM {service}.outbox"):
            found[f"outbox of {service}"] = waiting
    states = ", ".join(f"'{state}'" for state in _WAITING)
    deliveries = f"SELECT count(*) FROM notifier.deliveries WHERE state IN ({states})"
    if waiting := await _count(owner_url, "notifier", deliveries):
        found["deliveries"] = waiting
    for service, (queue, what) in _QUEUES.items():
        statement = f"SELECT count(*) FROM {service}.{queue}"
        if waiting := await _count(owner_url, service, statement, suffix="_tick"):
            found[what] = waiting
    units = "SELECT count(*) FROM ingest.batches WHERE state IN ('complete', 'applied')"
    if waiting := await _count(owner_url, "ingest", units, suffix="_tick"):
        found["units of work of ingest"] = waiting
    return found


async def _count(owner_url: str, service: str, statement: str, *, suffix: str = "_metrics") -> int:
    """Asks with a role of the service that sees every tenant."""
    url = with_role(owner_url, f"onelead_{service}{suffix}").replace("+asyncpg", "", 1)
    try:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            return int(await connection.fetchval(statement, timeout=10))
        finally:
            await connection.close()
    except REFUSALS as error:
        hint = "what was handed over stays; the server's log is in logs/ of the data folder"
        raise unusable(make_url(url), error, hint) from None


def _told(under_way: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in under_way.items())
