"""Storm control on real tables: the best go out by themselves, the rest in digests, nobody is forgotten."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from onelead.standins.app import Addresses
from services.notifier.domain.plan import Limits
from services.notifier.settings import NotifierSettings
from shared.ops.composition import Base
from tests.integration.notifier.bench import Bench, ScriptedChannel
from tests.integration.notifier.conftest import notifier_settings
from tests.integration.notifier.ledger import counts, leads, settlements
from tests.support.notifier_builders import public_lead
from tests.support.set_clock import SetClock
from tests.support.waiting import wait_until

HOUR_S = 3_600.0
FEW = Limits(alerts_per_hour=20)


@pytest.fixture
def settings(standins: Addresses) -> NotifierSettings:
    return notifier_settings(standins, notify_poll_s=0.05, stop_timeout_s=0.2)


def limited(limits: Limits = FEW) -> ScriptedChannel:
    return ScriptedChannel("slack", concurrency=4, limits=limits)


async def hear(bench: Bench, count: int, start: int = 0, **changes: Any) -> None:
    """Leads that turn critical, each with a lower score than the one before."""
    await bench.hear(
        *(
            public_lead(lead_id=lead, score=99.0 - n / 200, **changes)
            for n, lead in enumerate(leads(count, start))
        )
    )


async def round_of(bench: Bench, singles: int, digests: int = 0) -> None:
    """Sends until so many singles and digests are out, and then a while longer."""

    async def out() -> bool:
        found = await counts(bench)
        sent = [found.get((purpose, "sent"), 0) for purpose in ("alert", "storm_digest")]
        return sent[0] >= singles and sent[1] >= digests

    async with bench.sending():
        _: bool = await wait_until(out, f"{singles} alerts and {digests} digests are sent")
        await asyncio.sleep(0.3)


def told(rows: Any, purpose: str = "alert", state: str = "sent") -> list[str]:
    return sorted(row.lead_id for row in rows if (row.purpose, row.state) == (purpose, state))


async def test_of_3000_alerts_20_go_out_by_themselves_and_the_rest_in_one_digest(
    base: Base, settings: NotifierSettings, tenant_id: str, set_clock: SetClock
) -> None:
    bench = Bench(base, settings, tenant_id, {"slack": limited()})
    await hear(bench, 3_000)
    await round_of(bench, singles=20)
    assert told(await bench.rows()) == leads(20)
    set_clock.pass_s(61)
    after = Bench(base, settings, tenant_id, {"slack": (channel := limited())})
    await round_of(after, singles=20, digests=1)
    async with after.sending():

        async def all_told() -> bool:
            return len(await settlements(bench)) >= 3_001

        _: bool = await wait_until(all_told, "each end of a delivery is told")
    rows = await bench.rows()
    assert told(rows) == leads(20)
    assert told(rows, state="folded") == leads(2_980, start=20)
    (digest,) = [row.content for row in rows if row.purpose == "storm_digest"]
    assert (digest["kind"], digest["total"], digest["critical"]) == ("storm", 2_980, 2_980)
    assert [line["lead_id"] for line in digest["lines"]] == leads(20, start=20)
    assert [call.purpose for call in channel.calls] == ["storm_digest"]
    events = Counter(event.body["outcome"] for event in await settlements(bench))
    assert events == {"sent": 21, "folded": 2_980}


async def test_what_overflows_after_the_digest_waits_for_the_next_hour_and_is_told_then(
    base: Base, settings: NotifierSettings, tenant_id: str, set_clock: SetClock
) -> None:
    bench = Bench(base, settings, tenant_id, {"slack": limited()})
    await hear(bench, 50)
    await round_of(bench, singles=20)
    for passed_s in (61.0, 600.0):
        set_clock.pass_s(passed_s)
        bench = Bench(base, settings, tenant_id, {"slack": limited()})
        await round_of(bench, singles=20, digests=1)
        if passed_s == 61.0:
            await hear(bench, 50, start=50)
    rows = await bench.rows()
    assert told(rows) == leads(20)
    assert told(rows, state="pending") == leads(50, start=50)
    set_clock.pass_s(HOUR_S)
    bench = Bench(base, settings, tenant_id, {"slack": limited()})
    await round_of(bench, singles=40, digests=2)
    rows = await bench.rows()
    assert told(rows) == sorted(leads(20) + leads(20, start=50))
    assert told(rows, state="folded") == sorted(leads(30, start=20) + leads(30, start=70))
    totals = [row.content["total"] for row in rows if row.purpose == "storm_digest"]
    assert totals == [30, 30]


async def test_a_lead_withdrawn_during_the_storm_is_in_no_message(
    base: Base, settings: NotifierSettings, tenant_id: str, set_clock: SetClock
) -> None:
    bench = Bench(base, settings, tenant_id, {"slack": limited()})
    await hear(bench, 40)
    await round_of(bench, singles=20)
    gone = leads(40)[30]
    await bench.hear((gone, 9_000_000_000_000_000))
    set_clock.pass_s(61)
    bench = Bench(base, settings, tenant_id, {"slack": limited()})
    await round_of(bench, singles=20, digests=1)
    rows = await bench.rows()
    assert told(rows, state="cancelled") == [gone]
    (digest,) = [row.content for row in rows if row.purpose == "storm_digest"]
    assert gone not in {line["lead_id"] for line in digest["lines"]}
    assert digest["total"] == 19


async def test_two_processes_together_keep_within_the_limit(
    base: Base, settings: NotifierSettings, tenant_id: str
) -> None:
    for turn in range(5):
        tenant = f"{tenant_id}-{turn}"
        channels = [limited(), limited()]
        first, second = (Bench(base, settings, tenant, {"slack": each}) for each in channels)
        await hear(first, 60)
        async with first.sending():
            await round_of(second, singles=20)
        assert sum(len(channel.calls) for channel in channels) == 20


async def test_beyond_its_days_limit_an_accounts_alerts_are_told_in_the_digest(
    base: Base, settings: NotifierSettings, tenant_id: str, set_clock: SetClock
) -> None:
    limits = Limits(alerts_per_hour=None, alerts_per_account_and_day=2)
    bench = Bench(base, settings, tenant_id, {"slack": limited(limits)})
    await hear(bench, 6, account_id="account-1")
    await hear(bench, 1, start=6, account_id="account-2")
    await round_of(bench, singles=3)
    assert told(await bench.rows()) == sorted([*leads(2), *leads(1, start=6)])
    set_clock.pass_s(61)
    bench = Bench(base, settings, tenant_id, {"slack": limited(limits)})
    await round_of(bench, singles=3, digests=1)
    rows = await bench.rows()
    assert told(rows) == sorted([*leads(2), *leads(1, start=6)])
    assert told(rows, state="folded") == leads(4, start=2)
