"""What the ledger promises: each attempt a row, each settlement an event, what is in doubt looked for."""

import asyncio
from collections import Counter

import pytest

from onelead.standins.app import Addresses
from services.notifier.dispatcher import loop
from services.notifier.domain.attempt import (
    Certainty,
    Delivered,
    Outcome,
    Rejected,
    Retryable,
    Unsure,
)
from services.notifier.domain.plan import Limits
from services.notifier.settings import NotifierSettings
from shared import clock
from shared.ops.composition import Base
from shared.topics import NOTIFICATIONS
from tests.integration.notifier.bench import Bench, ScriptedChannel
from tests.integration.notifier.conftest import Inside, notifier_settings
from tests.integration.notifier.ledger import (
    DOWN,
    DyingBot,
    attempts,
    bot,
    due_now,
    every_attempt,
    killed_while_sending,
    leads,
    rests,
    settlements,
    sink,
    webhook,
)
from tests.support.notifier_builders import public_lead
from tests.support.set_clock import SetClock

LEAD = public_lead().lead_id
CHANGED = {"version": 2, "score": 95.5, "urgency": 90.0}


@pytest.fixture
def settings(standins: Addresses) -> NotifierSettings:
    return notifier_settings(standins, notify_poll_s=0.05, stop_timeout_s=0.2)


async def test_a_delivery_retried_twice_and_then_sent_has_three_attempts(
    base: Base, settings: NotifierSettings, tenant_id: str, standins: Addresses, inside: Inside
) -> None:
    hook = webhook(standins)
    bench = Bench(base, settings, tenant_id, {"webhook": hook})
    await inside.faults(webhook={"status": 503, "count": 2, "delay_s": 0.05})
    began = clock.now()
    await bench.hear(public_lead())
    async with bench.sending():
        for failures in (1, 2):
            await bench.until(lambda rows, n=failures: rows[0].failures == n)  # type: ignore[misc]
            await due_now(bench)
        await bench.until(lambda rows: rows[0].state == "sent")
    (row,) = await bench.rows()
    made = await attempts(bench, row.delivery_id)
    assert [(each.number, each.outcome, each.status, each.error) for each in made] == [
        (1, "retryable", 503, "server"),
        (2, "retryable", 503, "server"),
        (3, "delivered", 204, ""),
    ]
    starts = [each.started_at for each in made]
    assert began <= starts[0] < starts[1] < starts[2] <= clock.now()
    assert all(50 <= each.latency_ms < 30_000 for each in made[:2])
    await hook.close()


async def test_the_same_message_has_the_same_hash_and_another_has_another(
    base: Base, settings: NotifierSettings, tenant_id: str, standins: Addresses, inside: Inside
) -> None:
    hook = webhook(standins)
    bench = Bench(base, settings, tenant_id, {"webhook": hook})
    await inside.faults(webhook={"status": 500, "count": 2})
    await bench.hear(*(public_lead(lead_id=lead) for lead in leads(2)))
    async with bench.sending():
        await bench.until(lambda rows: all(row.failures == 1 for row in rows))
        await due_now(bench)
        await bench.until(lambda rows: all(row.state == "sent" for row in rows))
    hashes = {(each.delivery_id, each.request_hash) for each in await every_attempt(bench)}
    assert len(await every_attempt(bench)) == 4
    assert len({name for name, _ in hashes}) == len({value for _, value in hashes}) == 2
    assert len(hashes) == 2
    await hook.close()


@pytest.mark.parametrize(
    ("outcome", "kept"),
    [
        (Rejected("no", 400), ("rejected", 400, "rejected", "no")),
        (Unsure("no answer: ReadError", error="lost"), ("unsure", None, "lost", "no answer: ReadError")),
        (Retryable("busy", 30.0, 429, "limited"), ("retryable", 429, "limited", "busy")),
        (Delivered("left open", 201), ("delivered", 201, "", "left open")),
    ],
)  # fmt: skip
async def test_each_outcome_is_kept_as_the_sink_gave_it(
    base: Base,
    settings: NotifierSettings,
    tenant_id: str,
    outcome: Outcome,
    kept: tuple[str, int | None, str, str],
) -> None:
    channel = ScriptedChannel("slack", outcomes=[outcome])
    bench = Bench(base, settings, tenant_id, {"slack": channel})
    await bench.hear(public_lead())
    async with bench.sending():
        await bench.until(lambda rows: rows[0].note == kept[3])
    (row,) = await bench.rows()
    (made,) = await attempts(bench, row.delivery_id)
    assert (made.outcome, made.status, made.error, made.note) == kept


async def test_each_end_of_a_delivery_is_told_exactly_once(
    base: Base, settings: NotifierSettings, tenant_id: str, set_clock: SetClock
) -> None:
    limits = Limits(alerts_per_hour=3)
    answers: list[Outcome] = [Delivered(), Rejected("no"), Unsure("lost")]
    first = ScriptedChannel("slack", outcomes=answers, limits=limits)
    bench = Bench(base, settings, tenant_id, {"slack": first})
    await bench.hear(
        *(public_lead(lead_id=lead, score=99.0 - n) for n, lead in enumerate(leads(6)))
    )
    async with bench.sending():
        await bench.until(lambda rows: sum(row.settled_at is not None for row in rows) == 3)
    await bench.hear((leads(6)[5], 9_000_000_000_000_000))
    set_clock.pass_s(120)
    for _ in range(2):
        again = Bench(base, settings, tenant_id, {"slack": ScriptedChannel("slack", limits=limits)})
        async with again.sending():
            await again.until(lambda rows: all(row.settled_at is not None for row in rows))
            await again.until(
                lambda rows: all(
                    row.announced for row in rows if row.state in {"cancelled", "folded"}
                )
            )
    found = await settlements(bench)
    assert {event.topic for event in found} == {NOTIFICATIONS.name}
    told = Counter((event.body["delivery_id"], event.body["outcome"]) for event in found)
    as_rows = {
        (row.delivery_id, row.state.replace("unknown", "unsure")) for row in await bench.rows()
    }
    assert set(told) == as_rows
    assert set(told.values()) == {1}
    ends = Counter(outcome for _, outcome in told)
    assert ends == {"sent": 2, "dead": 1, "unsure": 1, "cancelled": 1, "folded": 2}


async def test_what_a_killed_sender_left_is_found_and_not_sent_again(
    base: Base, settings: NotifierSettings, tenant_id: str, standins: Addresses, inside: Inside
) -> None:
    killed = Bench(base, settings, tenant_id, {"slack_bot": bot(standins, DyingBot)})
    await killed.hear(public_lead())
    await killed_while_sending(killed, called=1)
    channel = bot(standins)
    bench = Bench(base, settings, tenant_id, {"slack_bot": channel})
    await bench.send_all()
    (row,) = await bench.rows()
    (message,) = await inside.messages("slack_bot")
    assert row.state == "sent"
    assert f"{row.receipt['channel']}/{row.receipt['ts']}" == message["post"]
    (event,) = await bench.settled_events()
    assert (event["outcome"], event["attempts"]) == ("sent", 1)
    await channel.close()


async def left_sending(base: Base, settings: NotifierSettings, tenant_id: str) -> None:
    """A delivery of a look-up sink whose sender was killed before the sink had it."""
    stuck = sink("slack_bot", certainty=Certainty.LOOK_UP)
    stuck.held.clear()
    bench = Bench(base, settings, tenant_id, {"slack_bot": stuck})
    await bench.hear(public_lead())
    await killed_while_sending(bench, called=1)


async def test_what_is_not_found_is_sent_once(
    base: Base, settings: NotifierSettings, tenant_id: str
) -> None:
    await left_sending(base, settings, tenant_id)
    channel = sink("slack_bot", certainty=Certainty.LOOK_UP)
    bench = Bench(base, settings, tenant_id, {"slack_bot": channel})
    async with bench.sending():
        await bench.until(lambda rows: rows[0].state == "retry")
        assert (len(channel.looked), len(channel.calls)) == (1, 0)
        await due_now(bench)
        await bench.until(lambda rows: rows[0].state == "sent")
    assert len(channel.calls) == 1


@pytest.mark.parametrize("failed", [Unsure("no answer", error="lost"), DOWN], ids=["lost", "down"])
async def test_where_the_look_up_fails_it_stays_in_doubt_and_is_asked_again(
    base: Base, settings: NotifierSettings, tenant_id: str, failed: Outcome
) -> None:
    await left_sending(base, settings, tenant_id)
    receipt = {"channel": "C1", "ts": "1.2"}
    channel = sink("slack_bot", certainty=Certainty.LOOK_UP)
    channel.found = [failed, failed, Delivered(receipt=receipt)]
    bench = Bench(base, settings, tenant_id, {"slack_bot": channel})
    async with bench.sending():
        for looked in (1, 2):
            await bench.until(lambda rows, n=looked: rows[0].failures == n)  # type: ignore[misc]
            (row,) = await bench.rows()
            assert (row.state, row.in_doubt) == ("retry", True)
            await due_now(bench)
        await bench.until(lambda rows: rows[0].state == "sent")
    (row,) = await bench.rows()
    assert (row.receipt, row.in_doubt) == (receipt, False)
    assert channel.calls == []
    assert len(channel.looked) == 3


async def test_a_look_up_that_was_asked_to_wait_keeps_the_doubt_and_burns_nothing(
    base: Base, settings: NotifierSettings, tenant_id: str
) -> None:
    await left_sending(base, settings, tenant_id)
    channel = sink("slack_bot", certainty=Certainty.LOOK_UP)
    channel.found = [Retryable("limited", pause_s=0.2, status=429, error="limited")]
    bench = Bench(base, settings, tenant_id, {"slack_bot": channel})
    async with bench.sending():
        await bench.until(lambda rows: rows[0].state == "retry")
        (row,) = await bench.rows()
        assert (row.in_doubt, row.failures) == (True, 0)
        await bench.until(lambda rows: rows[0].state == "sent")
    assert (len(channel.looked), len(channel.calls)) == (2, 1)


async def test_a_blind_delivery_in_doubt_is_not_put_back_while_its_sink_rests(
    base: Base, settings: NotifierSettings, tenant_id: str
) -> None:
    stuck = ScriptedChannel("slack")
    stuck.held.clear()
    killed = Bench(base, settings, tenant_id, {"slack": stuck})
    await killed.hear(public_lead())
    await killed_while_sending(killed, called=1)
    channel = ScriptedChannel("slack")
    bench = Bench(base, settings, tenant_id, {"slack": channel})
    await rests(bench, channel)
    async with bench.sending():
        await bench.until(lambda rows: rows[0].state != "sending")
    (row,) = await bench.rows()
    assert (row.state, channel.calls) == ("unknown", [])


async def test_what_waited_for_its_turn_longer_than_its_lease_is_not_sent_beside_another_process(
    base: Base, standins: Addresses, tenant_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = notifier_settings(standins, notify_poll_s=0.05, notify_lease_s=40)
    monkeypatch.setattr(loop, "DEADLINE_S", 39.7)
    slow = sink("slack_bot", certainty=Certainty.LOOK_UP)
    slow.held.clear()
    bench = Bench(base, settings, tenant_id, {"slack_bot": slow})
    await bench.hear(*(public_lead(lead_id=lead) for lead in leads(3)))
    async with bench.sending():
        await bench.until(lambda rows: all(row.state == "sending" for row in rows))
        first = slow.calls[0].lead_id
        await asyncio.sleep(0.5)
        await bench.change(f"state = 'sent', lease_token = NULL WHERE lead_id <> '{first}'")
        slow.held.set()
        await bench.until(lambda rows: all(row.state == "sent" for row in rows))
        await asyncio.sleep(0.2)
    assert [call.lead_id for call in slow.calls] == [first]


@pytest.mark.parametrize("killed", [False, True], ids=["answered", "found by look-up"])
async def test_a_later_change_answers_in_the_thread_of_the_first(  # noqa: PLR0917
    base: Base,
    settings: NotifierSettings,
    tenant_id: str,
    standins: Addresses,
    inside: Inside,
    killed: bool,
) -> None:
    first = Bench(base, settings, tenant_id, {"slack_bot": bot(standins, DyingBot)})
    await first.hear(public_lead())
    if killed:
        await killed_while_sending(first, called=1)
    channel = bot(standins)
    bench = Bench(base, settings, tenant_id, {"slack_bot": channel})
    await bench.send_all()
    await bench.hear(public_lead(**CHANGED))
    await bench.send_all()
    alert, update = await inside.messages("slack_bot")
    assert (alert["answers"], update["answers"]) == ("", alert["post"])
    assert {row.purpose: row.state for row in await bench.rows()} == {
        "alert": "sent",
        "update": "sent",
    }
    await channel.close()
