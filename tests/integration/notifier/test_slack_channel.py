import asyncio
import logging
from typing import Any

import pytest

from onelead.standins.app import Addresses
from services.notifier.channels.slack import SlackChannel
from services.notifier.domain.attempt import (
    Delivered,
    Outcome,
    Rejected,
    Retryable,
    Unsure,
)
from services.notifier.domain.message import Alert
from tests.integration.notifier.conftest import Inside, a_delivery, notifier_settings
from tests.support.notifier_builders import alert

KEY = "standinsecret"


def channel(addresses: Addresses, **changes: Any) -> SlackChannel:
    found = SlackChannel.from_settings(notifier_settings(addresses, **changes))
    assert found is not None
    return found


async def send(addresses: Addresses, content: Alert | None = None, **changes: Any) -> Outcome:
    slack = channel(addresses, **changes)
    delivery = a_delivery("slack", slack.targets[0].address)
    try:
        return await slack.send(slack.render(content or alert(), delivery))
    finally:
        await slack.close()


async def test_an_alert_arrives_as_blocks(standins: Addresses, inside: Inside) -> None:
    assert await send(standins) == Delivered()
    (message,) = await inside.messages("slack")
    assert message["problem"] is None
    assert message["content"]["blocks"][0]["type"] == "header"


@pytest.mark.parametrize(
    "text", ["<!channel> & <b>", "🦖" * 5_000, "東日本電信電話", "\x00", "&" * 9_999]
)
async def test_slack_takes_an_alert_whatever_its_text(
    standins: Addresses, inside: Inside, text: str
) -> None:
    assert await send(standins, alert(title=text, account=text, action=text)) == Delivered()
    assert (await inside.summary())["rejected"]["slack"] == 0


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({"status": 400, "body": "invalid_blocks"}, Rejected("Slack answered 400 invalid_blocks")),
        ({"status": 403}, Retryable("Slack answered 403 action_prohibited")),
        ({"status": 404}, Retryable("Slack answered 404 no_service")),
        ({"status": 410}, Retryable("Slack answered 410 channel_is_archived")),
        ({"status": 429, "retry_after": 7}, Retryable("Slack answered 429 rate_limited", 7.0)),
        ({"status": 429}, Retryable("Slack answered 429 rate_limited", 30.0)),
        ({"status": 503}, Retryable("Slack answered 503")),
        ({"status": 503, "retry_after": 9}, Retryable("Slack answered 503", 9.0)),
        ({"status": 500}, Unsure("Slack answered 500 rollup_error")),
        ({"status": 502}, Unsure("Slack answered 502")),
    ],
)
async def test_each_answer_of_slack_has_its_outcome(
    standins: Addresses, inside: Inside, fault: dict[str, Any], outcome: Outcome
) -> None:
    await inside.faults(slack=fault)
    assert await send(standins) == outcome


async def test_a_redirect_is_not_followed(standins: Addresses, inside: Inside) -> None:
    await inside.faults(slack={"status": 307})
    assert isinstance(await send(standins), Retryable)
    assert len(await inside.messages("slack")) == 1


async def test_a_lost_answer_is_unsure(standins: Addresses, inside: Inside) -> None:
    await inside.faults(drop_after_accept=1)
    assert await send(standins) == Unsure("no answer: RemoteProtocolError")
    assert (await inside.summary())["deliveries"]["slack"] == 1


async def test_nobody_listening_means_that_nothing_was_sent(standins: Addresses) -> None:
    url = "http://127.0.0.1:9/services/T0/B0/x"
    assert await send(standins, slack_webhook_url=url) == Retryable("no connection: ConnectError")


async def test_wrong_ids_and_wrong_secrets_are_told_apart(standins: Addresses) -> None:
    base = standins.slack_webhook_url
    other = base.replace("T0STANDIN", "T9")
    assert await send(standins, slack_webhook_url=other) == Retryable(
        "Slack answered 404 no_service"
    )
    wrong = base.replace(KEY, "guess")
    assert await send(standins, slack_webhook_url=wrong) == Retryable(
        "Slack answered 403 invalid_token"
    )


async def test_a_burst_of_sixty_is_taken_and_then_the_rate_is_limited(
    standins: Addresses,
) -> None:
    slack = channel(standins)
    rendered = slack.render(alert(), a_delivery("slack", "x"))
    outcomes = await asyncio.gather(*(slack.send(rendered) for _ in range(66)))
    assert outcomes.count(Delivered()) >= 60
    limited = [outcome for outcome in outcomes if outcome != Delivered()]
    assert limited
    assert all(outcome == Retryable("Slack answered 429 rate_limited", 1.0) for outcome in limited)
    await slack.close()


async def test_a_proxy_of_the_environment_sees_nothing(
    standins: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert await send(standins) == Delivered()


async def test_the_secret_appears_in_no_outcome_and_no_log(
    standins: Addresses, inside: Inside, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    outcomes = [await send(standins)]
    await inside.faults(slack={"status": 400, "body": f"bad url /services/T/B/{KEY}"})
    outcomes.append(await send(standins))
    await inside.faults(drop_after_accept=1)
    outcomes.append(await send(standins))
    dead = standins.slack_webhook_url.replace(standins.page_url, "http://127.0.0.1:9")
    outcomes.append(await send(standins, slack_webhook_url=dead))
    # uvicorn is the receiver's side, in the same process.
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("uvicorn")]
    assert KEY not in repr(outcomes) + "".join(ours)
    assert len(outcomes) == 4
