from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from onelead.standins.app import web_app
from onelead.standins.archive import Archive
from onelead.standins.faults import Faults
from onelead.standins.settings import StandinSettings

pytestmark = pytest.mark.usefixtures("set_clock")
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


@pytest.fixture
def archive() -> Archive:
    return Archive(20_000)


@pytest.fixture
async def page(archive: Archive) -> AsyncIterator[httpx.AsyncClient]:
    app = web_app(StandinSettings(), archive, Faults())
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://standins", follow_redirects=True
    ) as client:
        yield client


def mail(html: str = "<head></head><p>Hello</p>") -> dict[str, object]:
    headers = {"Subject": HOSTILE, "From": HOSTILE}
    return {"headers": headers, "recipients": HOSTILE, "text": HOSTILE, "html": html, "bytes": 9}


def opportunity(**changes: object) -> dict[str, object]:
    record = {"Id": "006", "OneLead_ID__c": "l", "Name": HOSTILE, "Description": HOSTILE} | changes
    return {"created": True, "sent": {"Name": HOSTILE}, "record": record}


def card() -> dict[str, object]:
    """A card with every element that the page knows, and one that it does not."""
    text = {"type": "TextBlock", "text": HOSTILE, "weight": "Bolder", "size": "Large"}
    run = {"type": "TextRun", "text": HOSTILE}
    actions = [{"type": "Action.OpenUrl", "title": HOSTILE, "url": "javascript:alert(3)"}]
    return {
        "body": [
            text,
            {"type": "RichTextBlock", "inlines": [HOSTILE, run]},
            {"type": "FactSet", "facts": [{"title": HOSTILE, "value": HOSTILE}]},
            {"type": "ColumnSet", "columns": [{"items": [text]}]},
            {"type": "Container", "items": [text]},
            {"type": "ActionSet", "actions": actions},
            {"type": "Image", "url": HOSTILE},
        ],
        "actions": [*actions, {"type": "Action.Submit", "title": HOSTILE}],
    }


async def test_what_was_received_cannot_run(page: httpx.AsyncClient, archive: Archive) -> None:
    text = {"type": "mrkdwn", "text": HOSTILE}
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": HOSTILE}},
        {"type": "section", "text": text, "fields": [text]},
        {"type": "context", "elements": [text]},
        {"type": "image", "image_url": "https://x.y/z.png", "alt_text": HOSTILE},
        {
            "type": "actions",
            "elements": [{"type": "button", "text": text, "url": "javascript:alert(3)"}],
        },
    ]
    archive.accept("slack", "1", {"text": HOSTILE, "blocks": blocks})
    archive.accept("slack", "2", {"text": HOSTILE})
    archive.accept("email", "3", mail())
    archive.accept("salesforce", "4", opportunity(Account=HOSTILE, StageName=HOSTILE))
    archive.accept("slack_bot", "5", {"text": HOSTILE}, sink=HOSTILE, post="C/1")
    archive.accept("slack_bot", "6", {"text": HOSTILE, "blocks": blocks}, answers="C/1")
    archive.accept("teams", "7", {"attachments": [{"content": card()}]})
    archive.accept("webhook", "8", {"name": HOSTILE, "headers": {"a": HOSTILE}, "body": [HOSTILE]})
    archive.accept("salesforce", "9", opportunity(Subject=HOSTILE) | {"kind": "Task"})
    archive.reject("slack", HOSTILE, {"raw": HOSTILE})
    answer = await page.get("/", params={"q": ""})
    assert answer.status_code == 200
    assert answer.text.count("<script") == 1, "only the page's own"
    assert "onerror=alert" not in answer.text.replace("onerror=alert(2)&gt;", "")
    assert 'href="javascript:' not in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]


async def test_the_search_text_is_escaped_too(page: httpx.AsyncClient) -> None:
    answer = await page.get("/", params={"q": HOSTILE})
    assert "<script>alert" not in answer.text


async def test_a_mails_html_is_framed_in_a_sandbox(
    page: httpx.AsyncClient, archive: Archive
) -> None:
    number = archive.accept("email", "1", mail(f"<head></head>{HOSTILE}")).number
    shown = (await page.get("/")).text
    assert f'src="/messages/{number}/html" sandbox="allow-popups' in shown
    framed = await page.get(f"/messages/{number}/html")
    policy = framed.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-popups")
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy
    assert (await page.get("/messages/999/html")).status_code == 404


async def test_thousands_of_messages_are_shown_page_by_page(
    page: httpx.AsyncClient, archive: Archive
) -> None:
    for number in range(5_000):
        archive.accept("slack", str(number), {"text": f"message-{number};"})
    first = (await page.get("/")).text
    assert first.count("<article") == 25
    assert "message-4999;" in first
    assert "page 1 of 200" in first
    last = (await page.get("/", params={"page": "200"})).text
    assert "message-0;" in last
    assert (await page.get("/", params={"page": "9999"})).status_code == 200
    assert (await page.get("/", params={"page": "x"})).status_code == 200


async def test_a_channel_is_shown_alone(page: httpx.AsyncClient, archive: Archive) -> None:
    archive.accept("slack", "1", {"text": "from slack"})
    archive.accept("salesforce", "2", opportunity(Name="from crm", Amount=10525.0))
    shown = (await page.get("/", params={"channel": "salesforce"})).text
    assert "from slack" not in shown
    assert "from crm" in shown
    assert "10,525.00" in shown


async def test_a_link_to_a_lead_shows_its_messages(
    page: httpx.AsyncClient, archive: Archive
) -> None:
    archive.accept("slack", "1", {"text": "about lead-7"})
    archive.accept("slack", "2", {"text": "about lead-8"})
    shown = (await page.get("/leads/lead-7")).text
    assert "about lead-7" in shown
    assert "about lead-8" not in shown


async def test_an_empty_page_says_so(page: httpx.AsyncClient) -> None:
    assert "Nothing here yet" in (await page.get("/")).text


async def test_messages_are_listed_as_json_after_a_number(
    page: httpx.AsyncClient, archive: Archive
) -> None:
    for number in range(3):
        archive.accept("slack", str(number), {"text": str(number)})
    found = (await page.get("/api/messages", params={"after": "1", "channel": "slack"})).json()[
        "messages"
    ]
    assert [message["content"]["text"] for message in found] == ["1", "2"]


async def test_wrong_faults_are_refused(page: httpx.AsyncClient) -> None:
    bodies: tuple[dict[str, Any], ...] = (
        {"slack": {"status": 200}},
        {"pigeon": {}},
        {"slack": {"count": 0}},
    )
    for body in bodies:
        assert (await page.post("/api/faults", json=body)).status_code == 422
    assert (await page.post("/api/faults", content=b"x")).status_code == 422
    assert (await page.post("/api/salesforce/accounts", json={"names": "x"})).status_code == 422
