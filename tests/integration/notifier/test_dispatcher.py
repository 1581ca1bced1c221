import asyncio
from datetime import timedelta

import pytest

from onelead.standins.app import Addresses
from services.notifier.domain.attempt import (
    Outcome,
    Rejected,
    Retryable,
    Unsure,
)
from services.notifier.domain.delivery import Delivery
from services.notifier.settings import NotifierSettings
from shared import clock
from shared.ops.composition import Base
from tests.integration.notifier.bench import Bench, ScriptedChannel
from tests.integration.notifier.conftest import Inside, notifier_settings, open_channels
from tests.support.notifier_builders import public_lead


@pytest.fixture
def settings(standins: Addresses) -> NotifierSettings:
    return notifier_settings(standins, notify_poll_s=0.05)


@pytest.fixture
def slack() -> ScriptedChannel:
    return ScriptedChannel("slack")


@pytest.fixture
def bench(base: Base, settings: NotifierSettings, tenant_id: str, slack: ScriptedChannel) -> Bench:
    return Bench(base, settings, tenant_id, {"slack": slack})


def leads(count: int) -> list[str]:
    return [f"lead-{number:03}" for number in range(count)]


async def test_each_alert_arrives_once_on_each_real_channel(
    base: Base, settings: NotifierSettings, tenant_id: str, inside: Inside
) -> None:
    channels = open_channels(settings)
    bench = Bench(base, settings, tenant_id, channels)
    await bench.hear(*(public_lead(lead_id=lead) for lead in leads(5)))
    await bench.send_all()
    summary = await inside.summary()
    assert {name: summary["deliveries"][name] for name in channels} == dict.fromkeys(channels, 5)
    assert set(summary["repeated"].values()) == {0}
    events = await bench.settled_events()
    assert len(events) == 15
    assert {event["outcome"] for event in events} == {"sent"}
    (note,) = {event["detail"] for event in events if event["channel"] == "salesforce"}
    assert note == "account left open: no account has the name Apple Inc"
    for channel in channels.values():
        await channel.close()


async def test_sending_is_committed_before_the_sink_is_called(
    bench: Bench, slack: ScriptedChannel
) -> None:
    slack.held.clear()
    await bench.hear(public_lead())
    async with bench.sending():
        await slack.called()
        (row,) = await bench.rows()
        assert (row.state, row.tries) == ("sending", 1)
        slack.held.set()
        await bench.until(lambda rows: rows[0].state == "sent")
    (row,) = await bench.rows()
    assert row.settled_at is not None
    assert row.lease_token is None


@pytest.mark.parametrize(
    ("outcome", "repeatable", "state", "told"),
    [
        (Rejected("no"), False, "dead", "dead"),
        (Unsure("lost"), False, "unknown", "unsure"),
        (Unsure("lost"), True, "retry", None),
        (Retryable("down"), False, "retry", None),
    ],
)
async def test_an_outcome_becomes_a_state_and_a_final_one_is_told(  # noqa: PLR0917
    bench: Bench,
    slack: ScriptedChannel,
    outcome: Outcome,
    repeatable: bool,
    state: str,
    told: str | None,
) -> None:
    slack.outcomes, slack.repeatable = [outcome], repeatable
    await bench.hear(public_lead())
    async with bench.sending():
        await bench.until(lambda rows: rows[0].state == state)
    assert [event["outcome"] for event in await bench.settled_events()] == ([told] if told else [])
    (row,) = await bench.rows()
    assert row.note


async def test_a_failure_is_tried_again_after_its_wait(
    bench: Bench, slack: ScriptedChannel
) -> None:
    slack.outcomes = [Retryable("down"), Retryable("down")]
    await bench.hear(public_lead())
    async with bench.sending():
        await bench.until(lambda rows: rows[0].state == "retry")
        (row,) = await bench.rows()
        wait_s = (row.due_at - clock.now()).total_seconds()
        assert row.failures == 1
        assert 2 < wait_s <= 6
        await bench.change("due_at = now()")
        await bench.until(lambda rows: rows[0].failures == 2)
        await bench.change("due_at = now()")
        await bench.until(lambda rows: rows[0].state == "sent")
    assert [call.tries for call in slack.calls] == [1, 2, 3]


async def test_the_tenth_failure_ends_in_death_and_is_told(
    bench: Bench, slack: ScriptedChannel
) -> None:
    slack.outcomes = [Retryable("down")]
    await bench.hear(public_lead())
    await bench.change("failures = 9")
    await bench.send_all()
    (event,) = await bench.settled_events()
    assert event["outcome"] == "dead"
    assert event["detail"] == "gave up after 10 attempts: down"


async def test_a_sink_that_asks_for_silence_rests_and_burns_no_attempt(
    bench: Bench, slack: ScriptedChannel
) -> None:
    slack.outcomes = [Retryable("429", pause_s=1.0)]
    await bench.hear(*(public_lead(lead_id=lead) for lead in leads(3)))
    begun = clock.now()
    async with bench.sending():
        await bench.until(lambda rows: any(row.state == "retry" for row in rows))
        await asyncio.sleep(0.4)
        assert len(slack.calls) == 1
        await bench.until(lambda rows: all(row.state == "sent" for row in rows))
    assert clock.now() - begun >= timedelta(seconds=1)
    assert {row.failures for row in await bench.rows()} == {0}
    assert len(slack.calls) == 4


async def test_a_resting_sink_rests_for_every_process(
    base: Base, settings: NotifierSettings, tenant_id: str, bench: Bench, slack: ScriptedChannel
) -> None:
    slack.outcomes = [Retryable("429", pause_s=60.0)]
    other = ScriptedChannel("slack")
    second = Bench(base, settings, tenant_id, {"slack": other})
    await bench.hear(*(public_lead(lead_id=lead) for lead in leads(2)))
    await bench.send_until_one_failed()
    async with second.sending():
        await asyncio.sleep(0.3)
    assert other.calls == []


async def test_one_sinks_silence_does_not_hold_up_another(
    base: Base, settings: NotifierSettings, tenant_id: str, slack: ScriptedChannel
) -> None:
    mail = ScriptedChannel("email", concurrency=4)
    bench = Bench(base, settings, tenant_id, {"slack": slack, "email": mail})
    slack.held.clear()
    await bench.hear(*(public_lead(lead_id=lead) for lead in leads(8)))
    async with bench.sending():
        await bench.until(lambda rows: sum(r.state == "sent" for r in rows) == 8)
        slack.held.set()
    assert len(mail.calls) == 8


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_no_more_than_allowed_are_under_way_to_one_sink(
    base: Base, settings: NotifierSettings, tenant_id: str, concurrency: int
) -> None:
    slack = ScriptedChannel("slack", concurrency=concurrency)
    bench = Bench(base, settings, tenant_id, {"slack": slack})
    slack.held.clear()
    await bench.hear(*(public_lead(lead_id=lead) for lead in leads(12)))
    async with bench.sending():
        await slack.called(concurrency)
        await asyncio.sleep(0.3)
        assert len(slack.calls) == concurrency
        slack.held.set()
        await bench.until(lambda rows: all(row.state == "sent" for row in rows))
    assert slack.most_at_once == concurrency


async def test_two_dispatchers_send_everything_once(
    base: Base, settings: NotifierSettings, tenant_id: str
) -> None:
    first, second = ScriptedChannel("slack", concurrency=3), ScriptedChannel("slack", concurrency=3)
    benches = [Bench(base, settings, tenant_id, {"slack": channel}) for channel in (first, second)]
    await benches[0].hear(*(public_lead(lead_id=lead) for lead in leads(60)))
    await asyncio.gather(*(bench.send_all() for bench in benches))
    sent = [call.lead_id for call in first.calls + second.calls]
    assert sorted(sent) == leads(60)


async def test_what_is_told_of_one_lead_goes_out_in_its_order(
    base: Base, settings: NotifierSettings, tenant_id: str
) -> None:
    crm = ScriptedChannel("salesforce", concurrency=4, repeatable=True, tells_withdrawals=True)
    bench = Bench(base, settings, tenant_id, {"salesforce": crm})
    crm.held.clear()
    await bench.hear(public_lead(version=1))
    async with bench.sending():
        await bench.until(lambda rows: rows[0].state == "sending")
        await bench.hear((public_lead().lead_id, 2))
        await bench.hear(public_lead(version=3, episode=2))
        await asyncio.sleep(0.3)
        assert len(crm.calls) == 1
        crm.held.set()
        await bench.until(lambda rows: all(row.state == "sent" for row in rows))
    told = [(call.episode, call.purpose) for call in crm.calls]
    assert told == [(1, "alert"), (1, "withdrawal"), (2, "alert")]


async def test_a_lead_withdrawn_while_its_alert_fails_is_not_alerted_again(
    bench: Bench, slack: ScriptedChannel
) -> None:
    slack.outcomes = [Retryable("down")]
    slack.held.clear()
    await bench.hear(public_lead(version=1))
    async with bench.sending():
        await bench.until(lambda rows: rows[0].state == "sending")
        await bench.hear((public_lead().lead_id, 2))
        slack.held.set()
        await bench.until(lambda rows: rows[0].state == "cancelled")
    assert len(slack.calls) == 1


async def test_a_stop_lets_what_is_under_way_come_to_its_end(
    bench: Bench, slack: ScriptedChannel
) -> None:
    slack.held.clear()
    await bench.hear(*(public_lead(lead_id=lead) for lead in leads(2)))
    async with bench.sending():
        await slack.called()
        asyncio.get_running_loop().call_later(0.2, slack.held.set)
    assert sorted(row.state for row in await bench.rows()) == ["pending", "sent"]


class BrokenChannel(ScriptedChannel):
    """A channel with a fault of its own."""

    async def send(self, rendered: Delivery) -> Outcome:
        self.calls.append(rendered)
        raise ZeroDivisionError("secret text")


async def test_a_fault_in_a_channel_is_unsure_and_ends_nothing_else(
    base: Base, settings: NotifierSettings, tenant_id: str, slack: ScriptedChannel
) -> None:
    broken = BrokenChannel("email")
    bench = Bench(base, settings, tenant_id, {"slack": slack, "email": broken})
    await bench.hear(public_lead())
    await bench.send_all()
    assert await bench.states() == {(1, "alert", "slack"): "sent", (1, "alert", "email"): "unknown"}
    (note,) = [row.note for row in await bench.rows() if row.channel == "email"]
    assert note == "failed while sending: ZeroDivisionError"


async def test_slacks_rate_limit_delays_alerts_and_loses_none(
    base: Base, tenant_id: str, standins: Addresses, inside: Inside, settings: NotifierSettings
) -> None:
    channels = {"slack": open_channels(settings)["slack"]}
    bench = Bench(base, settings, tenant_id, channels)
    await bench.hear(*(public_lead(lead_id=lead) for lead in leads(80)))
    await bench.send_all()
    summary = await inside.summary()
    assert summary["deliveries"]["slack"] == 80
    assert summary["repeated"]["slack"] == 0
    assert summary["rejected"]["slack"] > 0
    assert {row.failures for row in await bench.rows()} == {0}
    await channels["slack"].close()
