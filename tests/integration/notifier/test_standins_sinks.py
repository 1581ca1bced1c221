"""The stand-ins for Teams and for webhooks, and what all stand-ins share: faults and the log."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import httpx
import pytest
from standardwebhooks import Webhook

from onelead.standins.app import Addresses, running
from onelead.standins.settings import StandinSettings
from tests.integration.notifier.conftest import Inside

CARD = {
    "type": "AdaptiveCard",
    "version": "1.4",
    "body": [{"type": "TextBlock", "text": "<b>Apple</b> Inc", "weight": "Bolder"}],
    "actions": [{"type": "Action.OpenUrl", "title": "Open", "url": "http://x.y/leads/lead-1"}],
}


def message(card: dict[str, Any] | None = None) -> dict[str, Any]:
    kind = "application/vnd.microsoft.card.adaptive"
    attachment = {"contentType": kind, "contentUrl": None, "content": card or CARD}
    return {"type": "message", "attachments": [attachment]}


async def test_a_card_is_taken_without_a_word(standins: Addresses, inside: Inside) -> None:
    answer = await inside.client.post(standins.teams_url, json=message())
    assert (answer.status_code, answer.content) == (202, b"")
    (kept,) = await inside.messages("teams")
    assert (kept["content"], kept["lead_id"]) == (message(), "lead-1")
    page = (await inside.client.get("/?channel=teams")).text
    assert "&lt;b&gt;Apple&lt;/b&gt; Inc" in page
    assert 'href="http://x.y/leads/lead-1"' in page


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("sig=standin-signature", "sig=guess", "403 AuthorizationFailed"),
        ("&sig=standin-signature", "", "401 DirectApiAuthorizationRequired"),
        ("sv=1.0", "sv=9", "403 AuthorizationFailed"),
        ("api-version=2016-06-01", "api-version=1", "400 InvalidApiVersionParameter"),
        ("standinworkflow", "other", "404 WorkflowNotFound"),
    ],
)
async def test_a_wrong_workflow_address_is_refused(
    standins: Addresses, inside: Inside, old: str, new: str, said: str
) -> None:
    assert old in standins.teams_url
    answer = await inside.client.post(standins.teams_url.replace(old, new), json=message())
    assert f"{answer.status_code} {answer.json()['error']['code']}" == said


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"type": "message", "attachments": []}, 400),
        ({"type": "message", "attachments": [{"contentType": "text/html"}]}, 400),
        (message({**CARD, "body": [{"type": "Marquee"}]}), 400),
        (message({**CARD, "version": "1.6"}), 400),
        (message({**CARD, "body": [{"type": "TextBlock", "text": "x" * 28_672}]}), 413),
    ],
)
async def test_teams_refuses_what_it_could_not_show(
    standins: Addresses, inside: Inside, body: dict[str, Any], status: int
) -> None:
    answer = await inside.client.post(standins.teams_url, json=body)
    assert answer.status_code == status
    (kept,) = await inside.messages("teams")
    assert kept["problem"].startswith(f"{status} ")


async def test_teams_has_a_rate_limit() -> None:
    settings = StandinSettings(teams_burst=1, teams_per_second=0.5)
    async with running(settings) as addresses, httpx.AsyncClient() as client:
        answers = [await client.post(addresses.teams_url, json=message()) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 429]
    assert answers[1].headers["retry-after"] == "2"


class Sender:
    """Signs with the reference library."""

    def __init__(self, addresses: Addresses, client: httpx.AsyncClient) -> None:
        self._webhook = Webhook(addresses.webhook_secret)
        self._client = client
        self.url = addresses.webhook_url

    async def send(self, name: str, body: bytes, **changes: str) -> httpx.Response:
        now = datetime.now(UTC) - timedelta(minutes=int(changes.pop("minutes_ago", "0")))
        headers = {
            "webhook-id": name,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(name, now, body.decode()),
            "content-type": "application/json",
        }
        return await self._client.post(self.url, content=body, headers=headers | changes)


@pytest.fixture
def sender(standins: Addresses, inside: Inside) -> Sender:
    return Sender(standins, inside.client)


async def test_a_signed_webhook_is_taken_and_a_second_one_of_its_id_is_a_repeat(
    sender: Sender, inside: Inside
) -> None:
    for _ in range(2):
        assert (await sender.send("msg_1", b'{"lead_id": "lead-1"}')).status_code == 204
    summary = await inside.summary()
    assert (summary["deliveries"]["webhook"], summary["repeated"]["webhook"]) == (1, 1)
    first, second = await inside.messages("webhook")
    assert (first["repeated"], second["repeated"]) == (False, True)
    assert (first["lead_id"], first["content"]["body"]) == ("lead-1", {"lead_id": "lead-1"})
    assert "msg_1" in (await inside.client.get("/?channel=webhook")).text


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "nonsense"},
        {"webhook-id": "msg_2"},
        {"webhook-id": ""},
        {"minutes_ago": "6"},
        {"minutes_ago": "-6"},
    ],
)
async def test_what_is_not_signed_for_now_is_refused(
    sender: Sender, inside: Inside, changes: dict[str, str]
) -> None:
    assert (await sender.send("msg_1", b"{}", **changes)).status_code == 401
    assert (await inside.summary())["deliveries"]["webhook"] == 0


async def test_a_webhook_that_is_no_json_object_is_refused(sender: Sender) -> None:
    assert (await sender.send("msg_1", b"[]")).status_code == 400
    assert (await sender.send("msg_1", b"x")).status_code == 400


async def test_one_receiver_may_be_gone_while_another_lives(sender: Sender, inside: Inside) -> None:
    await inside.faults(webhook={"status": 410, "count": 99, "match": "/webhook/acme"})
    for name, status in (("acme", 410), ("other", 204), ("acme", 410)):
        sender.url = f"/webhook/{name}"
        assert (await sender.send("msg_1", b"{}")).status_code == status


async def test_what_was_taken_stands_in_the_log_before_the_answer(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    mail = EmailMessage()
    mail["Message-ID"], mail["To"], mail["From"] = "<1@x.y>", "a@x.y", "b@x.y"
    mail.set_content("see http://x.y/leads/lead-1")
    async with running(StandinSettings(log_file=log)) as addresses, httpx.AsyncClient() as client:
        await client.post(addresses.teams_url, json=message())
        await Sender(addresses, client).send("msg_1", b'{"lead_id": "lead-2"}')
        await client.post(addresses.slack_webhook_url, json={"text": "x"})
        fault = {"teams": {"drop": True}}
        await client.post(f"{addresses.page_url}/api/faults", json=fault)
        with pytest.raises(httpx.HTTPError):
            await client.post(addresses.teams_url, json=message())
        await aiosmtplib.send(mail, hostname=addresses.mail_host, port=addresses.mail_port)
        lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["channel"], line["lead_id"], line["repeated"]) for line in lines] == [
        ("teams", "lead-1", False),
        ("webhook", "lead-2", False),
        ("slack", None, False),
        ("teams", "lead-1", True),
        ("email", "lead-1", False),
    ]
    assert lines[4]["identity"] == "<1@x.y>"


async def test_a_mix_answers_shares_of_the_messages(sender: Sender, inside: Inside) -> None:
    mix = [{"share": 0.3, "status": 503}, {"share": 0.3, "status": 429, "retry_after": 0.05}]
    await inside.faults(channel="webhook", mix=[*mix, {"share": 0.2, "drop": True}], seed=7)
    seen: list[str] = []
    for number in range(100):
        try:
            answer = await sender.send(f"msg_{number}", b"{}")
            seen.append(f"{answer.status_code} {answer.headers.get('retry-after', '')}".strip())
        except httpx.HTTPError:
            seen.append("cut")
    assert set(seen) == {"503", "429 0.05", "cut", "204"}
    taken = (await inside.summary())["deliveries"]["webhook"]
    assert taken == seen.count("204") + seen.count("cut")


async def test_a_mail_may_be_taken_and_its_answer_lost(standins: Addresses, inside: Inside) -> None:
    await inside.faults(channel="email", mix=[{"share": 1, "drop": True}])
    mail = EmailMessage()
    mail["Message-ID"], mail["To"], mail["From"] = "<1@x.y>", "a@x.y", "b@x.y"
    mail.set_content("x")
    with pytest.raises(aiosmtplib.SMTPException):
        await aiosmtplib.send(mail, hostname=standins.mail_host, port=standins.mail_port)
    assert (await inside.summary())["deliveries"]["email"] == 1


async def test_every_address_is_told(standins: Addresses) -> None:
    assert re.fullmatch(
        r"http://[^/]+/workflows/\w+/triggers/manual/paths/invoke"
        r"\?api-version=2016-06-01&sp=[^&]+&sv=1\.0&sig=standin-signature",
        standins.teams_url,
    )
    assert standins.webhook_url.endswith("/webhook/onelead")
    assert standins.slack_api_url.endswith("/slack/api")


async def test_slow_answers_do_not_hold_up_other_sinks(standins: Addresses, inside: Inside) -> None:
    await inside.faults(teams={"delay_s": 5})
    slow = asyncio.create_task(inside.client.post(standins.teams_url, json=message()))
    answer = await inside.client.post(standins.slack_webhook_url, json={"text": "x"})
    assert answer.status_code == 200
    assert not slow.done()
    slow.cancel()
