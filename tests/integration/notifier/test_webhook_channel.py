import asyncio
import json
from typing import Any

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook, WebhookVerificationError

from onelead.standins.app import Addresses
from services.notifier.channels.webhook import WebhookChannel, WebhookSink
from services.notifier.domain.attempt import Delivered, Rejected, Retryable
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.message import plain
from shared.outbound import OutboundPolicy
from tests.integration.notifier.conftest import Inside, a_delivery
from tests.support.alert_reading import hostile_alert
from tests.support.hostile_texts import hostile_texts
from tests.support.notifier_builders import alert
from tests.support.told_contents import each_content

HERE = OutboundPolicy(frozenset({"127.0.0.1"}))
OLDER = "whsec_b2xkZXItc2VjcmV0LW9sZGVyLXNlY3JldC1vbGRlcg=="
NEWER = "whsec_bmV3ZXItc2VjcmV0LW5ld2VyLXNlY3JldC1uZXdlcg=="


def channel(addresses: Addresses, **changes: Any) -> WebhookChannel:
    values: dict[str, Any] = {
        "url": addresses.webhook_url,
        "secret": SecretStr(addresses.webhook_secret),
    }
    return WebhookChannel.open(WebhookSink(**(values | changes)), HERE)


@pytest.fixture
def webhook(standins: Addresses) -> WebhookChannel:
    return channel(standins)


def rendered(webhook: WebhookChannel, purpose: Purpose = Purpose.ALERT) -> tuple[str, bytes]:
    delivery = a_delivery("webhook", webhook.targets[0].address, purpose=purpose)
    return webhook.render(each_content("<Apple> & Co")[purpose], delivery)


async def test_an_alert_arrives_signed_and_a_repeat_has_the_same_id(
    inside: Inside, webhook: WebhookChannel
) -> None:
    message = rendered(webhook)
    for _ in range(2):
        assert await webhook.send(message) == Delivered(status=204)
    summary = await inside.summary()
    assert (summary["deliveries"]["webhook"], summary["repeated"]["webhook"]) == (1, 1)
    first, _ = await inside.messages("webhook")
    assert first["content"]["headers"]["webhook-id"] == message[0]
    assert first["content"]["body"] == json.loads(message[1])
    await webhook.close()


@pytest.mark.parametrize("purpose", sorted(WebhookChannel.accepts))
async def test_each_purpose_that_it_accepts_arrives(
    webhook: WebhookChannel, purpose: Purpose
) -> None:
    assert await webhook.send(rendered(webhook, purpose)) == Delivered(status=204)
    await webhook.close()


async def test_while_a_secret_is_replaced_either_verifies(standins: Addresses) -> None:
    webhook = channel(standins, secret=SecretStr(NEWER), previous_secret=SecretStr(OLDER))
    message_id, body = rendered(webhook)
    headers = webhook.signed(message_id, body)
    for secret in (NEWER, OLDER):
        assert Webhook(secret).verify(body, headers) == json.loads(body)
    with pytest.raises(WebhookVerificationError):
        Webhook(standins.webhook_secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEWER).verify(body + b" ", headers)
    await webhook.close()


@pytest.mark.slow
async def test_ten_thousand_hostile_texts_verify_and_are_read_back_equal(
    standins: Addresses, webhook: WebhookChannel
) -> None:
    verifier = Webhook(standins.webhook_secret)
    changed: list[str] = []
    texts = list(hostile_texts())
    for text in texts:
        delivery = a_delivery("webhook", webhook.targets[0].address)
        message_id, body = webhook.render(hostile_alert(text), delivery)
        headers = webhook.signed(message_id, body)
        lead = verifier.verify(body, headers)["data"]["lead"]
        whole = plain(text)
        wanted = whole if len(whole) <= 10_000 else whole[:9_999] + "…"
        held = {lead["title"], lead["account"], lead["action"], lead["services"][0]["name"]}
        if held != {wanted} or set(headers) != {f"webhook-{n}" for n in HEADERS}:
            changed.append(text[:60])
    assert changed == [], f"{len(texts)} texts, {len(changed)} read back different"
    assert len(texts) == 10_000


HEADERS = ("id", "timestamp", "signature")


async def test_hostile_texts_arrive_over_the_wire(inside: Inside, webhook: WebhookChannel) -> None:
    texts = list(hostile_texts(300))
    for text in texts:
        delivery = a_delivery("webhook", webhook.targets[0].address, lead_id=plain(text)[:50])
        outcome = await webhook.send(webhook.render(hostile_alert(text), delivery))
        assert outcome == Delivered(status=204), f"{text[:60]!r}"
    summary = await inside.summary()
    assert summary["rejected"]["webhook"] == 0
    await webhook.close()


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({"status": 400}, Rejected("400", 400)),
        ({"status": 401}, Rejected("401", 401)),
        ({"status": 404}, Rejected("404", 404)),
        ({"status": 302}, Rejected("302", 302)),
        ({"status": 410}, Rejected("410", 410, "gone", gone=True)),
        ({"status": 408}, Retryable("408", None, 408, "refused")),
        ({"status": 429, "retry_after": 7}, Retryable("429", 7.0, 429, "limited")),
        ({"status": 429}, Retryable("429", None, 429, "limited")),
        ({"status": 503, "retry_after": 9}, Retryable("503", 9.0, 503, "server")),
        ({"status": 500}, Retryable("500", None, 500, "server")),
        ({"status": 502}, Retryable("502", None, 502, "server")),
    ],
)
async def test_each_answer_of_the_receiver_has_its_outcome(
    inside: Inside, webhook: WebhookChannel, fault: dict[str, Any], outcome: Rejected | Retryable
) -> None:
    await inside.faults(webhook=fault)
    found = await webhook.send(rendered(webhook))
    assert isinstance(found, type(outcome))
    assert isinstance(found, Rejected | Retryable)
    assert found.reason.startswith(f"127.0.0.1 answered {outcome.reason}")
    assert (found.status, found.error) == (outcome.status, outcome.error)
    for name in ("pause_s", "gone"):
        assert getattr(found, name, None) == getattr(outcome, name, None)
    await webhook.close()


async def test_a_wrong_secret_is_refused(standins: Addresses) -> None:
    webhook = channel(standins, secret=SecretStr(NEWER))
    found = await webhook.send(rendered(webhook))
    assert isinstance(found, Rejected)
    assert found.status == 401
    await webhook.close()


async def test_many_at_a_time_share_connections_and_all_arrive(
    inside: Inside, webhook: WebhookChannel
) -> None:
    deliveries = [a_delivery("webhook", "x", lead_id=f"lead-{number}") for number in range(40)]
    messages = [webhook.render(alert(), delivery) for delivery in deliveries]
    outcomes = await asyncio.gather(*(webhook.send(message) for message in messages))
    assert outcomes == [Delivered(status=204)] * 40
    assert (await inside.summary())["deliveries"]["webhook"] == 40
    await webhook.close()
