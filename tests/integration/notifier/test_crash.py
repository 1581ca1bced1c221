"""What is promised for a notifier that dies between `sending` and the outcome."""

import asyncio
from contextlib import suppress

import pytest

from onelead.standins.app import Addresses
from services.notifier.settings import NotifierSettings
from shared.ops.composition import Base
from tests.integration.notifier.bench import Bench, ScriptedChannel
from tests.integration.notifier.conftest import Inside, notifier_settings, open_channels
from tests.support.notifier_builders import public_lead

LEASE_RAN_OUT = "leased_until = now() - interval '1 second'"


@pytest.fixture
def settings(standins: Addresses) -> NotifierSettings:
    return notifier_settings(standins, notify_poll_s=0.05)


async def crash_while_sending(bench: Bench, channel: ScriptedChannel) -> None:
    """The sink was called, and the process is gone before it heard an answer."""
    channel.held.clear()
    task = asyncio.create_task(bench.dispatcher.run())
    await bench.until(lambda rows: any(row.state == "sending" for row in rows))
    sending = [t for t in asyncio.all_tasks() if "Dispatcher._make" in repr(t.get_coro())]
    assert sending
    for under_way in sending:
        under_way.cancel()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await bench.change(LEASE_RAN_OUT)


async def test_a_blind_sink_is_not_called_again_and_the_doubt_is_told(
    base: Base, settings: NotifierSettings, tenant_id: str
) -> None:
    slack = ScriptedChannel("slack")
    first = Bench(base, settings, tenant_id, {"slack": slack})
    await first.hear(public_lead())
    await crash_while_sending(first, slack)
    again = ScriptedChannel("slack")
    second = Bench(base, settings, tenant_id, {"slack": again})
    await second.send_all()
    assert again.calls == []
    (row,) = await second.rows()
    assert row.state == "unknown"
    (event,) = await second.settled_events()
    assert event["outcome"] == "unsure"
    assert event["detail"] == "the notifier stopped while sending"


async def test_a_blind_sink_is_called_again_where_the_operator_prefers_a_repeat(
    base: Base, settings: NotifierSettings, tenant_id: str
) -> None:
    slack = ScriptedChannel("slack", repeatable=True)
    first = Bench(base, settings, tenant_id, {"slack": slack})
    await first.hear(public_lead())
    await crash_while_sending(first, slack)
    slack.held.set()
    async with first.sending():
        await first.until(lambda rows: rows[0].state == "retry")
        await first.change("due_at = now()")
        await first.until(lambda rows: rows[0].state == "sent")
    assert len(slack.calls) == 2


async def test_an_upsert_is_repeated_and_is_one_opportunity(
    base: Base, settings: NotifierSettings, tenant_id: str, inside: Inside
) -> None:
    crm = open_channels(settings)["salesforce"]
    bench = Bench(base, settings, tenant_id, {"salesforce": crm})
    await inside.faults(drop_after_accept=1)
    await bench.hear(public_lead())
    async with bench.sending():
        await bench.until(lambda rows: rows[0].state == "retry")
        await bench.change("due_at = now()")
        await bench.until(lambda rows: rows[0].state == "sent")
    summary = await inside.summary()
    assert summary["deliveries"]["salesforce"] == 1
    assert summary["updated"]["salesforce"] == 1
    await crm.close()


async def test_a_lost_answer_of_slack_is_left_alone(
    base: Base, settings: NotifierSettings, tenant_id: str, inside: Inside
) -> None:
    slack = open_channels(settings)["slack"]
    bench = Bench(base, settings, tenant_id, {"slack": slack})
    await inside.faults(drop_after_accept=1)
    await bench.hear(public_lead())
    await bench.send_all()
    assert (await inside.summary())["repeated"]["slack"] == 0
    assert (await bench.states())[(1, "alert", "slack")] == "unknown"
    await slack.close()


async def test_what_was_leased_and_not_begun_is_simply_sent(
    base: Base, settings: NotifierSettings, tenant_id: str
) -> None:
    slack = ScriptedChannel("slack")
    bench = Bench(base, settings, tenant_id, {"slack": slack})
    await bench.hear(public_lead())
    await bench.change(f"state = 'leased', lease_token = 'dead', {LEASE_RAN_OUT}")
    await bench.send_all()
    assert [call.tries for call in slack.calls] == [1]
    (row,) = await bench.rows()
    assert row.state == "sent"


async def test_a_sender_that_comes_back_late_changes_nothing(
    base: Base, settings: NotifierSettings, tenant_id: str
) -> None:
    slack = ScriptedChannel("slack")
    late = Bench(base, settings, tenant_id, {"slack": slack})
    slack.held.clear()
    await late.hear(public_lead())
    async with late.sending():
        await late.until(lambda rows: rows[0].state == "sending")
        other = Bench(base, settings, tenant_id, {"slack": ScriptedChannel("slack")})
        await late.change(LEASE_RAN_OUT)
        await other.send_all()
        slack.held.set()
        await asyncio.sleep(0.3)
    (row,) = await late.rows()
    assert row.state == "unknown"
    assert len(await late.settled_events()) == 1
