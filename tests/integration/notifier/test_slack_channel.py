import asyncio
from typing import Any

import pytest
from pydantic import SecretStr

from onelead.standins.app import Addresses
from services.notifier.channels.slack import SlackChannel, SlackSink
from services.notifier.domain.attempt import (
    Delivered,
    Outcome,
    Rejected,
    Retryable,
    Unsure,
)
from services.notifier.domain.contents import Content
from services.notifier.domain.delivery import Purpose
from shared.outbound import OutboundPolicy
from tests.integration.notifier.conftest import Inside, a_delivery
from tests.support.notifier_builders import alert
from tests.support.told_contents import each_content

HERE = OutboundPolicy(frozenset({"127.0.0.1"}))
TAKEN = Delivered(status=200)


def channel(addresses: Addresses, url: str | None = None, policy: OutboundPolicy = HERE) -> Any:
    return SlackChannel.open(
        SlackSink(webhook_url=SecretStr(url or addresses.slack_webhook_url)), policy
    )


async def send(addresses: Addresses, content: Content | None = None, **how: Any) -> Outcome:
    purpose = how.pop("purpose", Purpose.ALERT)
    slack = channel(addresses, **how)
    delivery = a_delivery("slack", slack.targets[0].address, purpose=purpose)
    try:
        outcome: Outcome = await slack.send(slack.render(content or alert(), delivery))
        return outcome
    finally:
        await slack.close()


async def test_an_alert_arrives_as_blocks(standins: Addresses, inside: Inside) -> None:
    assert await send(standins) == TAKEN
    (message,) = await inside.messages("slack")
    assert message["problem"] is None
    assert message["content"]["blocks"][0]["type"] == "header"


@pytest.mark.parametrize("purpose", sorted(SlackChannel.accepts))
async def test_each_purpose_that_it_accepts_arrives(
    standins: Addresses, inside: Inside, purpose: Purpose
) -> None:
    assert await send(standins, each_content("<Apple> & *Co*")[purpose], purpose=purpose) == TAKEN
    assert (await inside.summary())["rejected"]["slack"] == 0


@pytest.mark.parametrize(
    "text", ["<!channel> & <b>", "🦖" * 5_000, "東日本電信電話", "\x00\ud800", "&" * 9_999]
)
async def test_slack_takes_an_alert_whatever_its_text(
    standins: Addresses, inside: Inside, text: str
) -> None:
    assert await send(standins, alert(title=text, account=text, action=text)) == TAKEN
    assert (await inside.summary())["rejected"]["slack"] == 0


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({"status": 400, "body": "invalid_blocks"}, Rejected("400 invalid_blocks", 400)),
        ({"status": 403}, Retryable("403 action_prohibited", None, 403, "auth")),
        ({"status": 404}, Retryable("404 no_service", None, 404, "refused")),
        ({"status": 410}, Retryable("410 channel_is_archived", None, 410, "refused")),
        ({"status": 429, "retry_after": 7}, Retryable("429 rate_limited", 7.0, 429, "limited")),
        ({"status": 429}, Retryable("429 rate_limited", 30.0, 429, "limited")),
        ({"status": 503}, Retryable("503", None, 503, "server")),
        ({"status": 503, "retry_after": 9}, Retryable("503", 9.0, 503, "server")),
        ({"status": 500}, Unsure("500 rollup_error", 500, "server")),
        ({"status": 502}, Unsure("502", 502, "server")),
    ],
)
async def test_each_answer_of_slack_has_its_outcome(
    standins: Addresses,
    inside: Inside,
    fault: dict[str, Any],
    outcome: Rejected | Retryable | Unsure,
) -> None:
    await inside.faults(slack=fault)
    found = await send(standins)
    assert isinstance(found, type(outcome))
    assert found.reason == f"Slack answered {outcome.reason}"
    assert (found.status, found.error) == (outcome.status, outcome.error)
    assert getattr(found, "pause_s", None) == getattr(outcome, "pause_s", None)


async def test_a_redirect_is_not_followed(standins: Addresses, inside: Inside) -> None:
    await inside.faults(slack={"status": 307})
    assert isinstance(await send(standins), Retryable)
    assert len(await inside.messages("slack")) == 1


async def test_a_lost_answer_is_unsure(standins: Addresses, inside: Inside) -> None:
    await inside.faults(drop_after_accept=1)
    assert await send(standins) == Unsure("no answer: RemoteProtocolError", error="lost")
    assert (await inside.summary())["deliveries"]["slack"] == 1


async def test_nobody_listening_means_that_nothing_was_sent(standins: Addresses) -> None:
    found = await send(standins, url="http://127.0.0.1:9/services/T0/B0/x")
    assert found == Retryable("no connection: ConnectError", error="connect")


async def test_a_host_that_nobody_vouches_for_is_not_called(
    standins: Addresses, inside: Inside
) -> None:
    found = await send(standins, policy=OutboundPolicy())
    said = "127.0.0.1 is not called: only https is allowed"
    assert found == Rejected(said, error="refused_address")
    assert await inside.messages("slack") == []


async def test_wrong_ids_and_wrong_secrets_are_told_apart(standins: Addresses) -> None:
    base = standins.slack_webhook_url
    found = await send(standins, url=base.replace("T0STANDIN", "T9"))
    assert found == Retryable("Slack answered 404 no_service", None, 404, "refused")
    found = await send(standins, url=base.replace("standinsecret", "guess"))
    assert found == Retryable("Slack answered 403 invalid_token", None, 403, "auth")


async def test_a_burst_of_sixty_is_taken_and_then_the_rate_is_limited(
    standins: Addresses,
) -> None:
    slack = channel(standins)
    rendered = slack.render(alert(), a_delivery("slack", "x"))
    outcomes = await asyncio.gather(*(slack.send(rendered) for _ in range(66)))
    assert outcomes.count(TAKEN) >= 60
    limited = [outcome for outcome in outcomes if outcome != TAKEN]
    assert limited
    wanted = Retryable("Slack answered 429 rate_limited", 1.0, 429, "limited")
    assert all(outcome == wanted for outcome in limited)
    await slack.close()
