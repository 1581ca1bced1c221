import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from slack_sdk import WebClient

from onelead.standins.app import Addresses, running
from onelead.standins.settings import StandinSettings
from services.notifier.channels import slack_bot
from services.notifier.channels.slack_bot import BotMessage, SlackBotChannel, SlackBotSink
from services.notifier.domain.attempt import Delivered, Rejected, Retryable, Unsure
from services.notifier.domain.delivery import Purpose
from shared.outbound import OutboundPolicy
from tests.integration.notifier.conftest import Inside, a_delivery
from tests.support.notifier_builders import alert
from tests.support.told_contents import each_content

HERE = OutboundPolicy(frozenset({"127.0.0.1"}))


def channel(addresses: Addresses, **changes: Any) -> SlackBotChannel:
    values: dict[str, Any] = {
        "token": SecretStr(addresses.slack_bot_token),
        "conversation": addresses.slack_conversation,
        "api_url": addresses.slack_api_url,
    }
    return SlackBotChannel.open(SlackBotSink(**(values | changes)), HERE)


@pytest.fixture
def bot(standins: Addresses) -> SlackBotChannel:
    return channel(standins)


def rendered(bot: SlackBotChannel, purpose: Purpose = Purpose.ALERT, **changes: Any) -> BotMessage:
    values = {"purpose": purpose, "lead_id": "lead-1"} | changes
    delivery = a_delivery("slack_bot", bot.targets[0].address, **values)
    content = alert() if purpose is Purpose.ALERT else each_content("<Apple> & *Co*")[purpose]
    return bot.render(content, delivery)


def receipt_of(outcome: object) -> dict[str, str]:
    assert isinstance(outcome, Delivered)
    return dict(outcome.receipt or {})


async def test_an_alert_arrives_with_its_delivery_and_says_where_it_stands(
    standins: Addresses, inside: Inside, bot: SlackBotChannel
) -> None:
    message = rendered(bot)
    receipt = receipt_of(await bot.send(message))
    assert receipt["channel"] == standins.slack_conversation
    (kept,) = await inside.messages("slack_bot")
    assert kept["identity"] == message.delivery_id
    client = WebClient(standins.slack_bot_token, f"{standins.slack_api_url}/")
    history = await asyncio.to_thread(
        client.conversations_history, channel=receipt["channel"], include_all_metadata=True
    )
    (seen,) = history["messages"]
    assert seen["ts"] == receipt["ts"]
    assert seen["metadata"]["event_payload"]["delivery_id"] == message.delivery_id
    await bot.close()


@pytest.mark.parametrize("purpose", sorted(SlackBotChannel.accepts))
async def test_each_purpose_that_it_accepts_arrives(
    inside: Inside, bot: SlackBotChannel, purpose: Purpose
) -> None:
    assert isinstance(await bot.send(rendered(bot, purpose)), Delivered)
    assert (await inside.summary())["rejected"]["slack_bot"] == 0
    await bot.close()


async def test_changes_and_the_withdrawal_answer_in_the_alerts_thread(
    inside: Inside, bot: SlackBotChannel
) -> None:
    thread = receipt_of(await bot.send(rendered(bot)))
    for purpose in (Purpose.UPDATE, Purpose.WITHDRAWAL):
        await bot.send(rendered(bot, purpose, thread=thread))
    first, *answers = await inside.messages("slack_bot")
    assert len(answers) == 2
    assert all(answer["answers"] == first["post"] for answer in answers)
    await bot.close()


async def test_where_the_thread_is_gone_it_is_told_in_the_conversation(
    inside: Inside, bot: SlackBotChannel
) -> None:
    gone = {"channel": "C0ALERTS", "ts": "1000000000.000001"}
    message = rendered(bot, Purpose.UPDATE, thread=gone)
    assert await bot.find(message) is None
    receipt = receipt_of(await bot.send(message))
    refused, kept = await inside.messages("slack_bot")
    assert refused["problem"] == "thread_not_found"
    assert (kept["problem"], kept["answers"]) == (None, "")
    assert receipt_of(await bot.find(message)) == receipt
    await bot.close()


async def test_after_a_lost_answer_the_message_is_found_again(
    inside: Inside, bot: SlackBotChannel
) -> None:
    lost = rendered(bot)
    assert await bot.find(lost) is None
    await inside.faults(drop_after_accept={"slack_bot": 1})
    assert isinstance(await bot.send(lost), Unsure)
    found = receipt_of(await bot.find(lost))
    assert receipt_of(await bot.find(lost)) == found
    (kept,) = await inside.messages("slack_bot")
    assert kept["post"] == f"{found['channel']}/{found['ts']}"
    other = rendered(bot, lead_id="lead-2")
    assert await bot.find(other) is None
    await bot.close()


async def test_an_answer_in_a_thread_is_found_again(inside: Inside, bot: SlackBotChannel) -> None:
    thread = receipt_of(await bot.send(rendered(bot)))
    lost = rendered(bot, Purpose.UPDATE, thread=thread)
    assert await bot.find(lost) is None
    await inside.faults(drop_after_accept={"slack_bot": 1})
    assert isinstance(await bot.send(lost), Unsure)
    found = receipt_of(await bot.find(lost))
    assert found["ts"] > thread["ts"]
    await bot.close()


async def test_it_is_found_among_many_page_by_page() -> None:
    settings = StandinSettings(slack_burst=1_000, slack_reads_per_minute=1_000)
    async with running(settings) as addresses:
        bot = channel(addresses)
        message = rendered(bot)
        wanted = receipt_of(await bot.send(message))
        for number in range(60):
            other = rendered(bot, Purpose.DAILY_DIGEST, lead_id="", number=number + 1)
            assert isinstance(await bot.send(other), Delivered)
        assert receipt_of(await bot.find(message)) == wanted
        await bot.close()


async def test_pages_too_large_to_read_are_asked_for_in_smaller_ones(
    standins: Addresses, bot: SlackBotChannel
) -> None:
    message = rendered(bot)
    wanted = receipt_of(await bot.send(message))
    client = WebClient(standins.slack_bot_token, f"{standins.slack_api_url}/")
    for _ in range(8):
        text = "x" * 20_000
        await asyncio.to_thread(client.chat_postMessage, channel=wanted["channel"], text=text)
    assert receipt_of(await bot.find(message)) == wanted
    await bot.close()


async def test_one_that_is_buried_too_deep_stays_unsure(
    bot: SlackBotChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_bot, "MOST_PAGES", 2)
    message = rendered(bot)
    await bot.send(message)
    for number in range(30):
        await bot.send(rendered(bot, Purpose.DAILY_DIGEST, lead_id="", number=number + 1))
    assert await bot.find(message) == Unsure("not found among the last messages of C0ALERTS")
    await bot.close()


async def test_what_was_posted_long_before_the_delivery_is_not_looked_at(
    bot: SlackBotChannel,
) -> None:
    message = rendered(bot)
    await bot.send(message)
    later = a_delivery("slack_bot", "C0ALERTS", purpose=Purpose.ALERT, lead_id="lead-1")
    later = replace(later, created_at=later.created_at + timedelta(minutes=6))
    assert await bot.find(bot.render(alert(), later)) is None
    await bot.close()


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (
            {"status": 429, "retry_after": 7},
            Retryable("Slack answered 429", 7.0, 429, "limited"),
        ),
        ({"status": 503}, Retryable("Slack answered 503", None, 503, "server")),
        ({"status": 500}, Unsure("Slack answered 500", 500, "server")),
        ({"error": "ratelimited"}, Retryable("ratelimited", 30.0, 200, "limited")),
        ({"error": "fatal_error"}, Unsure("fatal_error", 200, "server")),
        ({"error": "is_archived"}, Retryable("is_archived", None, 200, "refused")),
        ({"error": "token_revoked"}, Retryable("token_revoked", None, 200, "auth")),
        ({"error": "msg_too_long"}, Rejected("msg_too_long", 200)),
    ],
)
async def test_each_answer_of_slack_has_its_outcome(
    inside: Inside,
    bot: SlackBotChannel,
    fault: dict[str, Any],
    outcome: Rejected | Retryable | Unsure,
) -> None:
    await inside.faults(slack_bot=fault)
    found = await bot.send(rendered(bot))
    assert isinstance(found, type(outcome))
    assert isinstance(found, Rejected | Retryable | Unsure)
    assert outcome.reason in found.reason
    assert (found.status, found.error) == (outcome.status, outcome.error)
    assert getattr(found, "pause_s", None) == getattr(outcome, "pause_s", None)
    await bot.close()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"conversation": "C0PRIVATE"}, "not_in_channel"),
        ({"conversation": "C0ARCHIVED"}, "is_archived"),
        ({"conversation": "C0NOWHERE"}, "channel_not_found"),
        ({"token": SecretStr("xoxb-guess")}, "invalid_auth"),
    ],
)
async def test_what_an_operator_can_mend_is_tried_again(
    standins: Addresses, changes: dict[str, Any], word: str
) -> None:
    bot = channel(standins, **changes)
    for found in (await bot.send(rendered(bot)), await bot.find(rendered(bot))):
        assert isinstance(found, Retryable)
        assert found.reason == f"Slack answered {word}"
    await bot.close()


async def test_a_look_up_that_is_limited_says_when_to_ask_again() -> None:
    async with running(StandinSettings(slack_reads_per_minute=1)) as addresses:
        bot = channel(addresses)
        message = rendered(bot)
        assert await bot.find(message) is None
        found = await bot.find(message)
        assert isinstance(found, Retryable)
        assert found.pause_s == 60.0
        await bot.close()
