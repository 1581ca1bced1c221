"""How a sink's failures are met: it is left alone, probed, given up and told of, switched on again."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from onelead.standins.app import Addresses
from services.notifier.domain.attempt import Rejected, Retryable
from services.notifier.domain.circuit import FAILURES_TO_OPEN
from services.notifier.domain.plan import Limits
from services.notifier.settings import NotifierSettings
from shared.ops.composition import Base
from tests.integration.notifier.bench import Bench, ScriptedChannel
from tests.integration.notifier.conftest import Inside, notifier_settings
from tests.integration.notifier.ledger import (
    DOWN,
    TenantsSink,
    due_now,
    enable,
    every_attempt,
    fares,
    leads,
    sink,
    webhook,
)
from tests.support.notifier_builders import public_lead
from tests.support.set_clock import SetClock

GONE = Rejected("answered 410", 410, "gone", gone=True)


@pytest.fixture
def settings(standins: Addresses) -> NotifierSettings:
    return notifier_settings(standins, notify_poll_s=0.05, stop_timeout_s=0.2)


async def hear(bench: Bench, count: int) -> None:
    await bench.hear(*(public_lead(lead_id=lead) for lead in leads(count)))


def of(rows: Any, channel: ScriptedChannel) -> list[Any]:
    return [row for row in rows if row.channel == channel.name and row.purpose == "alert"]


async def opened(bench: Bench, channel: ScriptedChannel) -> Any:
    """Lets a sink that is down fail until its circuit is open; retries are due at once."""
    async with bench.sending():
        while (await fares_or_none(bench, channel)) is None:
            await due_now(bench)
            await asyncio.sleep(0.05)
        await bench.until(at_rest)
    return await fares(bench, channel)


def at_rest(rows: Any) -> bool:
    """Nothing is under way, nor about to be: the mails, whose sink is well, have gone out."""
    under_way = any(row.state in {"leased", "sending"} for row in rows)
    return not under_way and all(row.state == "sent" for row in rows if row.channel == "email")


async def fares_or_none(bench: Bench, channel: ScriptedChannel) -> Any:
    try:
        state = await fares(bench, channel)
    except KeyError:
        return None
    return state if state.open_until is not None else None


@pytest.mark.parametrize("concurrency", [1, 2])
async def test_failures_open_the_circuit_and_then_nothing_is_sent_nor_burned(
    base: Base, settings: NotifierSettings, tenant_id: str, concurrency: int, set_clock: SetClock
) -> None:
    down = sink(concurrency=concurrency, outcomes=[DOWN] * 100)
    well = sink("email")
    bench = Bench(base, settings, tenant_id, {"webhook": down, "email": well})
    await hear(bench, 12)
    state = await opened(bench, down)
    calls = len(down.calls)
    assert FAILURES_TO_OPEN <= calls < FAILURES_TO_OPEN + concurrency
    assert (state.failures, state.disabled_at) == (FAILURES_TO_OPEN, None)
    await due_now(bench)
    async with bench.sending():
        await bench.until(lambda rows: sum(row.state == "sent" for row in rows) == 12)
        await asyncio.sleep(0.2)
    assert len(down.calls) == calls
    assert sum(row.failures for row in of(await bench.rows(), down)) == calls
    assert len([each for each in await every_attempt(bench) if each.error]) == calls


@pytest.mark.parametrize("per_hour", [None, 1_000])
async def test_after_its_rest_one_probe_goes_out_and_a_success_closes_the_circuit(
    base: Base,
    settings: NotifierSettings,
    tenant_id: str,
    set_clock: SetClock,
    per_hour: int | None,
) -> None:
    down = sink(concurrency=4, outcomes=[DOWN] * 100, limits=Limits(alerts_per_hour=per_hour))
    bench = Bench(base, settings, tenant_id, {"webhook": down})
    await hear(bench, 20)
    before = await opened(bench, down)
    calls = len(down.calls)
    down.outcomes.clear()
    down.held.clear()
    set_clock.set(before.open_until)
    await due_now(bench)
    async with bench.sending():
        await down.called(calls + 1)
        await asyncio.sleep(0.3)
        assert len(down.calls) == calls + 1
        down.held.set()
        await bench.until(lambda rows: all(row.state == "sent" for row in rows))
    state = await fares(bench, down)
    assert (state.failures, state.open_until, state.failing_since) == (0, None, None)


async def test_a_failed_probe_is_one_call_and_a_longer_rest(
    base: Base, settings: NotifierSettings, tenant_id: str, set_clock: SetClock
) -> None:
    down = sink(concurrency=4, outcomes=[DOWN] * 100)
    bench = Bench(base, settings, tenant_id, {"webhook": down})
    await hear(bench, 20)
    before = await opened(bench, down)
    calls = len(down.calls)
    set_clock.set(before.open_until)
    await due_now(bench)
    async with bench.sending():
        await down.called(calls + 1)
        await asyncio.sleep(0.2)
    after = await fares(bench, down)
    assert len(down.calls) == calls + 1
    assert after.open_until - set_clock.now() > before.open_until - before.failing_since


async def test_retry_after_rests_the_tenants_sink_only_and_burns_nothing(
    base: Base, settings: NotifierSettings, tenant_id: str
) -> None:
    other = f"{tenant_id}-2"
    limited = TenantsSink("webhook", concurrency=2, certainty=sink().certainty, repeatable=True)
    limited.answers = {tenant_id: Retryable("429", pause_s=900.0, status=429, error="limited")}
    well = sink("email")
    bench = Bench(base, settings, tenant_id, {"webhook": limited, "email": well}, others=[other])
    beside = Bench(base, settings, other, {"webhook": limited})
    for each in (bench, beside):
        await hear(each, 12)
    async with bench.sending():
        await beside.until(lambda rows: all(row.state == "sent" for row in rows))
        await bench.until(lambda rows: sum(row.state == "sent" for row in rows) == 12)
        await asyncio.sleep(0.2)
    mine = of(await bench.rows(), limited)
    assert len(limited.of(tenant_id)) <= 2
    assert {(row.state, row.failures) for row in mine} <= {("retry", 0), ("pending", 0)}
    refused = [each for each in await every_attempt(bench) if each.status == 429]
    assert len(refused) == len(limited.of(tenant_id))
    limited.answers.clear()
    await enable(bench, limited)
    await due_now(bench)
    again = Bench(base, settings, tenant_id, {"webhook": limited, "email": well})
    await again.send_all()
    assert {row.failures for row in await bench.rows()} == {0}


async def test_the_pause_a_real_sink_asks_for_is_kept(
    base: Base, settings: NotifierSettings, tenant_id: str, standins: Addresses, inside: Inside
) -> None:
    hook = webhook(standins, concurrency=1)
    bench = Bench(base, settings, tenant_id, {"webhook": hook})
    await inside.faults(webhook={"status": 429, "retry_after": 1, "count": 1})
    await hear(bench, 5)
    await bench.send_all()
    made = sorted(await every_attempt(bench), key=lambda each: each.started_at)
    assert [each.status for each in made] == [429, *[204] * 5]
    assert (made[1].started_at - made[0].started_at).total_seconds() >= 1
    assert {row.failures for row in await bench.rows()} == {0}
    await hook.close()


async def test_a_sink_that_is_gone_is_called_no_more_and_the_others_are_told(
    base: Base, settings: NotifierSettings, tenant_id: str, standins: Addresses, inside: Inside
) -> None:
    hook = webhook(standins, concurrency=1)
    mail, quiet = sink("email"), ScriptedChannel("slack")
    sinks = {"webhook": hook, "email": mail, "slack": quiet}
    bench = Bench(base, settings, tenant_id, sinks)
    await inside.faults(webhook={"status": 410, "count": 100})
    await hear(bench, 10)
    async with bench.sending():
        await bench.until(
            lambda rows: any(row.purpose == "notice" and row.state == "sent" for row in rows)
        )
        await bench.until(lambda rows: sum(row.state == "sent" for row in rows) == 21)
    rows = await bench.rows()
    (notice,) = [row for row in rows if row.purpose == "notice"]
    assert notice.channel == "email"
    assert f"onelead deliveries enable webhook {hook.targets[0].address}" in notice.content["text"]
    assert (await fares(bench, hook)).disabled_at is not None
    assert len(await inside.messages("webhook")) == 1
    waiting = [row for row in rows if row.channel == "webhook" and row.state != "dead"]
    assert len(waiting) == 9
    assert {row.state for row in waiting} <= {"pending", "retry"}
    assert {row.failures for row in waiting} == {0}
    await hook.close()


async def test_what_waits_for_a_sink_that_was_switched_off_goes_out_once_it_is_switched_on(
    base: Base, settings: NotifierSettings, tenant_id: str
) -> None:
    gone, mail = sink(outcomes=[GONE]), sink("email")
    bench = Bench(base, settings, tenant_id, {"webhook": gone, "email": mail})
    await hear(bench, 6)
    async with bench.sending():
        await bench.until(lambda rows: sum(row.state == "sent" for row in rows) == 7)
        await bench.hear(public_lead(lead_id="later"))
        await bench.until(lambda rows: sum(row.state == "sent" for row in rows) == 8)
        assert len(gone.calls) == 1
        await enable(bench, gone)
        await bench.until(lambda rows: all(row.state in {"sent", "dead"} for row in rows))
    assert sorted(row.state for row in of(await bench.rows(), gone)) == ["dead", *["sent"] * 6]
    assert {row.failures for row in await bench.rows()} == {0}
    assert (await fares(bench, gone)).disabled_at is None


async def test_a_sink_that_failed_for_120_hours_is_switched_off_and_told_of_once(
    base: Base, settings: NotifierSettings, tenant_id: str, set_clock: SetClock
) -> None:
    down, mail = sink(outcomes=[DOWN] * 100), sink("email")
    bench = Bench(base, settings, tenant_id, {"webhook": down, "email": mail})
    await hear(bench, 8)
    since = (await opened(bench, down)).failing_since
    for hours in (20, 40, 60, 80, 100, 119, 121):
        assert (await fares(bench, down)).disabled_at is None
        set_clock.set(since + timedelta(hours=hours))
        await due_now(bench)
        calls = len(down.calls)
        async with bench.sending():
            await down.called(calls + 1)
            await bench.until(at_rest)
    assert (await fares(bench, down)).disabled_at is not None
    set_clock.set(since + timedelta(hours=140))
    await due_now(bench)
    async with bench.sending():
        await bench.until(at_rest)
        await asyncio.sleep(0.2)
    assert len(down.calls) == calls + 1
    rows = await bench.rows()
    assert [row.state for row in rows if row.purpose == "notice"] == ["sent"]
    assert {row.state for row in of(rows, down)} <= {"pending", "retry"}


async def test_a_tenants_dead_sink_is_switched_off_for_that_tenant_only(
    base: Base, settings: NotifierSettings, tenant_id: str
) -> None:
    other = f"{tenant_id}-2"
    shared_sink = TenantsSink("webhook", certainty=sink().certainty, repeatable=True)
    shared_sink.answers = {tenant_id: GONE}
    bench = Bench(base, settings, tenant_id, {"webhook": shared_sink}, others=[other])
    beside = Bench(base, settings, other, {"webhook": shared_sink})
    await hear(bench, 3)
    async with bench.sending():
        await bench.until(lambda rows: any(row.state == "dead" for row in rows))
        await hear(beside, 3)
        await beside.until(lambda rows: all(row.state == "sent" for row in rows))
    assert len(shared_sink.of(tenant_id)) == 1
    with pytest.raises(KeyError):
        await fares(beside, shared_sink)
