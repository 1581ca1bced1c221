"""The Slack stand-in's Web API, called by Slack's own client."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from onelead.standins.app import Addresses, running
from onelead.standins.settings import StandinSettings
from onelead.standins.slack_api import ARCHIVED, NOT_JOINED
from tests.integration.notifier.conftest import Inside

pytestmark = pytest.mark.filterwarnings("ignore:The top-level `text` argument is missing")
BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "*Apple Inc* is critical"}}]


def metadata(delivery_id: str) -> dict[str, Any]:
    payload = {"delivery_id": delivery_id, "lead_id": "lead-1"}
    return {"event_type": "onelead_alert", "event_payload": payload}


class Bot:
    """Slack's client, its blocking calls in a thread."""

    def __init__(self, addresses: Addresses, token: str | None = None) -> None:
        self.conversation = addresses.slack_conversation
        self._client = WebClient(
            token=token or addresses.slack_bot_token, base_url=f"{addresses.slack_api_url}/"
        )

    async def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        call: Callable[..., Any] = getattr(self._client, method)
        answer = await asyncio.to_thread(call, channel=self.conversation, **arguments)
        return dict(answer.data)

    async def error(self, method: str, **arguments: Any) -> str:
        with pytest.raises(SlackApiError) as caught:
            await self.call(method, **arguments)
        assert caught.value.response.status_code == 200
        return str(caught.value.response["error"])


@pytest.fixture
def bot(standins: Addresses) -> Bot:
    return Bot(standins)


async def test_what_was_posted_stands_in_the_history_with_its_metadata(
    bot: Bot, inside: Inside
) -> None:
    posted = await bot.call("chat_postMessage", text="t", blocks=BLOCKS, metadata=metadata("d-1"))
    history = await bot.call("conversations_history", include_all_metadata=True)
    (message,) = history["messages"]
    assert message["ts"] == posted["ts"]
    assert message["blocks"] == BLOCKS
    assert message["metadata"] == metadata("d-1")
    bare = await bot.call("conversations_history")
    assert "metadata" not in bare["messages"][0]
    (kept,) = await inside.messages("slack_bot")
    assert (kept["identity"], kept["lead_id"]) == ("d-1", "lead-1")


async def test_the_same_delivery_twice_is_a_repeat(bot: Bot, inside: Inside) -> None:
    for text in ("first", "a bit later"):
        await bot.call("chat_postMessage", text=text, metadata=metadata("d-1"))
    await bot.call("chat_postMessage", text="another", metadata=metadata("d-2"))
    summary = await inside.summary()
    assert summary["deliveries"]["slack_bot"] == 2
    assert summary["repeated"]["slack_bot"] == 1


async def test_answers_stand_in_their_thread(bot: Bot, inside: Inside) -> None:
    first = (await bot.call("chat_postMessage", text="alert"))["ts"]
    for text in ("one", "two"):
        await bot.call("chat_postMessage", text=text, thread_ts=first)
    thread = await bot.call("conversations_replies", ts=first, limit=2)
    assert [m["text"] for m in thread["messages"]] == ["alert", "one"]
    assert thread["has_more"]
    rest = await bot.call(
        "conversations_replies", ts=first, cursor=thread["response_metadata"]["next_cursor"]
    )
    assert [m["text"] for m in rest["messages"]] == ["two"]
    assert [m["text"] for m in (await bot.call("conversations_history"))["messages"]] == ["alert"]
    page = (await inside.client.get("/")).text
    assert page.index(">alert<") < page.index(">one<") < page.index(">two<")
    assert page.count('class="slack_bot answer"') == 2


async def test_a_message_is_edited_in_place(bot: Bot, inside: Inside) -> None:
    ts = (await bot.call("chat_postMessage", text="old", metadata=metadata("d-1")))["ts"]
    await bot.call("chat_update", ts=ts, text="new")
    (message,) = (await bot.call("conversations_history", include_all_metadata=1))["messages"]
    assert (message["text"], message["metadata"]) == ("new", metadata("d-1"))
    summary = await inside.summary()
    assert (summary["deliveries"]["slack_bot"], summary["repeated"]["slack_bot"]) == (1, 0)
    assert summary["updated"]["slack_bot"] == 1


async def test_history_is_read_between_two_times(bot: Bot) -> None:
    stamps = [(await bot.call("chat_postMessage", text=str(n)))["ts"] for n in range(5)]
    found = await bot.call("conversations_history", oldest=stamps[1], latest=stamps[3])
    assert [m["text"] for m in found["messages"]] == ["2"]
    found = await bot.call("conversations_history", oldest=stamps[3], inclusive=True)
    assert [m["text"] for m in found["messages"]] == ["4", "3"]


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("chat_postMessage", {"text": ""}, "no_text"),
        ("chat_postMessage", {"text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ("chat_postMessage", {"text": "x" * 40_001}, "msg_too_long"),
        ("chat_postMessage", {"text": "x", "blocks": [{"type": "x"}]}, "invalid_blocks"),
        ("chat_postMessage", {"text": "x", "metadata": {"a": 1}}, "invalid_metadata_schema"),
        ("chat_update", {"ts": "1.000001", "text": "x"}, "message_not_found"),
        ("conversations_replies", {"ts": "1.000001"}, "thread_not_found"),
        ("conversations_history", {"limit": 1_000}, "invalid_limit"),
        ("conversations_history", {"cursor": "guess"}, "invalid_cursor"),
        ("conversations_history", {"oldest": "never"}, "invalid_ts_oldest"),
    ],
)
async def test_wrong_calls_get_slacks_errors(
    bot: Bot, method: str, arguments: dict[str, Any], error: str
) -> None:
    assert await bot.error(method, **arguments) == error


@pytest.mark.parametrize(
    ("conversation", "error"),
    [
        ("C0NOWHERE", "channel_not_found"),
        (NOT_JOINED, "not_in_channel"),
        (ARCHIVED, "is_archived"),
    ],
)
async def test_a_conversation_the_bot_cannot_use_is_refused(
    bot: Bot, conversation: str, error: str
) -> None:
    bot.conversation = conversation
    assert await bot.error("chat_postMessage", text="x") == error
    assert await bot.error("conversations_history") == error


async def test_the_token_is_checked(standins: Addresses, inside: Inside, bot: Bot) -> None:
    assert (await bot.call("auth_test"))["bot_id"]
    assert await Bot(standins, "xoxb-guess").error("chat_postMessage", text="x") == "invalid_auth"
    answer = await inside.client.post("/slack/api/chat.postMessage", json={"text": "x"})
    assert answer.json() == {"ok": False, "error": "not_authed"}
    await inside.faults(slack_bot={"error": "token_revoked"})
    assert await bot.error("chat_postMessage", text="x") == "token_revoked"


@pytest.mark.parametrize(
    ("kind", "body", "error"),
    [
        ("application/json", b"{", "invalid_json"),
        ("application/json", b"[]", "json_not_object"),
        ("text/plain", b"x", "invalid_post_type"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(
    inside: Inside, kind: str, body: bytes, error: str
) -> None:
    answer = await inside.client.post(
        "/slack/api/chat.postMessage", content=body, headers={"Content-Type": kind}
    )
    assert (answer.status_code, answer.json()["error"]) == (200, error)


async def test_methods_that_read_overlook_json(bot: Bot, inside: Inside) -> None:
    headers = {"Authorization": "Bearer xoxb-standin-token"}
    where = {"channel": bot.conversation}
    url = "/slack/api/conversations.history"
    overlooked = await inside.client.post(url, json=where, headers=headers)
    assert overlooked.json()["error"] == "invalid_arguments"
    assert (await inside.client.post(url, data=where, headers=headers)).json()["ok"]
    assert (await inside.client.get(url, params=where, headers=headers)).json()["ok"]


async def test_posts_and_reads_have_limits_of_their_own() -> None:
    settings = StandinSettings(slack_burst=2, slack_per_second=0.1, slack_reads_per_minute=1)
    async with running(settings) as addresses, httpx.AsyncClient() as client:
        headers = {"Authorization": f"Bearer {addresses.slack_bot_token}"}

        async def call(method: str) -> httpx.Response:
            body = {"channel": addresses.slack_conversation, "text": "x"}
            url = f"{addresses.slack_api_url}/{method}"
            return await client.post(url, data=body, headers=headers)

        posts = [await call("chat.postMessage") for _ in range(3)]
        assert [answer.status_code for answer in posts] == [200, 200, 429]
        assert posts[-1].json() == {"ok": False, "error": "ratelimited"}
        assert int(posts[-1].headers["retry-after"]) == 10
        reads = [await call("conversations.history") for _ in range(2)]
        assert [answer.status_code for answer in reads] == [200, 429]


async def test_a_post_whose_answer_is_lost_was_taken_all_the_same(bot: Bot, inside: Inside) -> None:
    await inside.faults(slack_bot={"drop": True})
    body = {"channel": bot.conversation, "text": "x", "metadata": metadata("d-1")}
    headers = {"Authorization": "Bearer xoxb-standin-token"}
    with pytest.raises(httpx.HTTPError):
        await inside.client.post("/slack/api/chat.postMessage", json=body, headers=headers)
    (message,) = (await bot.call("conversations_history", include_all_metadata=True))["messages"]
    assert message["metadata"] == metadata("d-1")


async def test_one_conversation_may_be_dead_while_another_lives() -> None:
    settings = StandinSettings(slack_conversation="C0ONE,C0TWO")
    async with running(settings) as addresses, httpx.AsyncClient() as client:
        fault = {"status": 503, "count": 9, "match": "channel=C0TWO"}
        await client.post(f"{addresses.page_url}/api/faults", json={"slack_bot": fault})
        headers = {"Authorization": f"Bearer {addresses.slack_bot_token}"}
        url = f"{addresses.slack_api_url}/chat.postMessage"
        for name, status in (("C0ONE", 200), ("C0TWO", 503), ("C0ONE", 200)):
            answer = await client.post(url, json={"channel": name, "text": "x"}, headers=headers)
            assert answer.status_code == status
