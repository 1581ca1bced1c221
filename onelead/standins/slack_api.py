"""The Slack stand-in's Web API for a bot: posting, editing, reading back; errors as Slack gives them.

Errors come as HTTP 200 with "ok": false, a rate limit as 429; what was taken shows in history.
"""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from onelead.standins.archive import Archive
from onelead.standins.faults import Answer, Faults
from onelead.standins.limits import Buckets
from onelead.standins.settings import StandinSettings
from onelead.standins.slack import content_hash
from onelead.standins.slack_arguments import (
    SlackError,
    read_arguments,
    read_flag,
    read_message,
    read_ts,
    read_window,
)
from onelead.standins.slack_conversation import Conversation, Page
from shared import clock

CHANNEL = "slack_bot"
NOT_JOINED = "C0PRIVATE"
ARCHIVED = "C0ARCHIVED"
_SPEAKS = frozenset({"chat.postMessage", "chat.update"})
_READS = "conversations."
_BOT = {"user": "U0ONELEAD", "bot_id": "B0ONELEAD", "app_id": "A0ONELEAD", "team": "T0STANDIN"}
_SHOWN = 4_000


class SlackApi:
    """One workspace with a bot in some conversations; two more refuse it, as NOT_JOINED, ARCHIVED."""

    def __init__(self, settings: StandinSettings, archive: Archive, faults: Faults) -> None:
        self._token = settings.slack_bot_token
        self._conversations = {
            name: Conversation(name, settings.kept_messages)
            for name in settings.slack_conversation.split(",")
        }
        self._posts = Buckets(settings.slack_burst, settings.slack_per_second)
        per_minute = settings.slack_reads_per_minute
        self._reads = Buckets(per_minute, per_minute / 60)
        self._archive = archive
        self._faults = faults
        self._methods: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
        }

    async def call(self, request: Request) -> Response:
        """GET and POST /slack/api/{method}."""
        method, raw = request.path_params["method"], await request.body()
        speaks, sink, fault = method in _SPEAKS, "", None
        try:
            arguments = read_arguments(request, raw, json=not method.startswith(_READS))
            sink = str(arguments.get("channel", ""))
            called = f"{request.scope['path']}?channel={sink}"
            fault = await self._faults.take(CHANNEL, called, message=speaks)
            _fail_if_told(fault)
            self._authenticate(request, arguments)
            body = self._answer(method, arguments)
        except SlackError as refused:
            if speaks:
                shown = {"raw": raw[:_SHOWN].decode(errors="replace")}
                self._archive.reject(CHANNEL, str(refused), shown, sink=sink)
            return _refusal(refused)
        if speaks or (fault is not None and fault.drop):
            await self._faults.drop_if_told(CHANNEL, request, fault)
        return JSONResponse({"ok": True, **body})

    def _authenticate(self, request: Request, arguments: dict[str, Any]) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        given = token if scheme == "Bearer" else arguments.get("token")
        if not given:
            raise SlackError("not_authed")
        if given != self._token:
            raise SlackError("invalid_auth")

    def _answer(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if method not in self._methods:
            raise SlackError("unknown_method")
        if method == "chat.postMessage":
            wait_s = self._posts.take(str(arguments.get("channel")))
        else:
            wait_s = 0 if method == "auth.test" else self._reads.take(method)
        if wait_s:
            raise SlackError("ratelimited", status=429, headers={"Retry-After": str(wait_s)})
        return self._methods[method](arguments)

    def _conversation(self, arguments: dict[str, Any]) -> Conversation:
        name = str(arguments.get("channel") or "")
        if not name:
            raise SlackError("invalid_arguments", "missing required field: channel")
        if name == NOT_JOINED:
            raise SlackError("not_in_channel")
        if name == ARCHIVED:
            raise SlackError("is_archived")
        if name not in self._conversations:
            raise SlackError("channel_not_found")
        return self._conversations[name]

    def _post(self, arguments: dict[str, Any]) -> dict[str, Any]:
        conversation = self._conversation(arguments)
        message = {**read_message(arguments), **_BOT}
        if not any(message.get(part) for part in ("text", "blocks", "attachments")):
            raise SlackError("no_text")
        message.setdefault("text", "")
        if arguments.get("thread_ts"):
            message["thread_ts"] = read_ts(arguments, "thread_ts", None, "thread_not_found")
        broadcast = read_flag(arguments, "reply_broadcast")
        try:
            ts = conversation.post(message, clock.now(), broadcast=broadcast)
        except KeyError:
            raise SlackError("thread_not_found") from None
        thread = message.get("thread_ts", "")
        self._keep(conversation, message, ts, answers=thread)
        return {"channel": conversation.name, "ts": ts, "message": dict(message)}

    def _update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        conversation = self._conversation(arguments)
        ts = read_ts(arguments, "ts", None, "message_not_found")
        message = conversation.find(ts)
        if message is None:
            raise SlackError("message_not_found")
        changes = read_message(arguments)
        if not changes:
            raise SlackError("no_text")
        now = f"{clock.now().timestamp():.6f}"
        message |= changes | {"edited": {"user": _BOT["user"], "ts": now}}
        self._keep(conversation, message, "", answers=message.get("thread_ts", ts))
        return {"channel": conversation.name, "ts": ts, "text": message["text"], "message": message}

    def _keep(
        self, conversation: Conversation, message: dict[str, Any], ts: str, answers: str
    ) -> None:
        """Tells the archive; an edit, which has no ts of its own, is shown under what it changed."""
        payload = message.get("metadata", {}).get("event_payload", {})
        said = {"text": message["text"], "blocks": message.get("blocks", [])}
        identity = payload.get("delivery_id") or content_hash([answers, said])
        self._archive.accept(
            CHANNEL,
            str(identity),
            {"channel": conversation.name, **message},
            sink=conversation.name,
            upsert=not ts,
            post=f"{conversation.name}/{ts}" if ts and not answers else "",
            answers=f"{conversation.name}/{answers}" if answers else "",
        )

    def _history(self, arguments: dict[str, Any]) -> dict[str, Any]:
        conversation = self._conversation(arguments)
        page = conversation.history(read_window(arguments, default_limit=100, max_limit=999))
        return _shown(page, arguments) | {"pin_count": 0}

    def _replies(self, arguments: dict[str, Any]) -> dict[str, Any]:
        conversation = self._conversation(arguments)
        ts = read_ts(arguments, "ts", None, "thread_not_found")
        try:
            page = conversation.replies(
                ts, read_window(arguments, default_limit=1_000, max_limit=1_000)
            )
        except KeyError:
            raise SlackError("thread_not_found") from None
        return _shown(page, arguments)

    def _auth_test(self, _arguments: dict[str, Any]) -> dict[str, Any]:
        return {
            "url": "https://standin.slack.com/",
            "team": "Stand-in",
            "user": "onelead",
            "team_id": _BOT["team"],
            "user_id": _BOT["user"],
            "bot_id": _BOT["bot_id"],
            "is_enterprise_install": False,
        }


def _shown(page: Page, arguments: dict[str, Any]) -> dict[str, Any]:
    """A page of messages; their metadata only for those who ask for it."""
    messages = page.messages
    if not read_flag(arguments, "include_all_metadata"):
        messages = [{k: v for k, v in m.items() if k != "metadata"} for m in messages]
    answer: dict[str, Any] = {"messages": messages, "has_more": bool(page.next_cursor)}
    if page.next_cursor:
        answer["response_metadata"] = {"next_cursor": page.next_cursor}
    return answer


def _fail_if_told(fault: Answer | None) -> None:
    if fault is None or not fault.refuses:
        return
    status = fault.status or 200
    usual = "ratelimited" if status == 429 else "internal_error"
    raise SlackError(fault.error or usual, status=status, headers=fault.headers, body=fault.body)


def _refusal(refused: SlackError) -> Response:
    if refused.body is not None:
        return Response(refused.body, refused.status, headers=refused.headers)
    return JSONResponse(refused.answer, refused.status, headers=refused.headers)
