"""Slack by bot token: posts to a conversation, answers in an alert's thread, looks messages up again.

Each message carries its delivery's id as metadata, so that after a lost answer it can be found.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

import httpx
import orjson
from pydantic import Field

from services.notifier.channels.http import Manners, answer_outcome, ask, make_client
from services.notifier.channels.http import transport_outcome as failed
from services.notifier.channels.sink import Secret, SinkSettings, WebAddress
from services.notifier.channels.slack import PAUSE_UNSAID_S
from services.notifier.channels.slack_blocks import payload
from services.notifier.channels.slack_words import outcome_of
from services.notifier.channels.wording import TOLD_IN_CHATS
from services.notifier.domain.attempt import Certainty, Delivered, Outcome, Unsure
from services.notifier.domain.contents import Content
from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.domain.plan import Target
from shared.outbound import OutboundPolicy

EVENT_TYPE = "onelead_delivery"
MOST_PAGES = 30
_PAGE = 15
_BEFORE = timedelta(minutes=5)
_ANSWERS = frozenset({Purpose.UPDATE, Purpose.WITHDRAWAL})
_MANNERS = Manners("Slack", refuses=frozenset({400, 413}), pause_s=PAUSE_UNSAID_S)
_POST = "chat.postMessage"
_NO_THREAD = "thread_not_found"


class SlackBotSink(SinkSettings):
    """A conversation that a bot is a member of; the token begins with xoxb-."""

    channel: Literal["slack_bot"] = "slack_bot"
    token: Secret
    conversation: Annotated[str, Field(pattern=r"^[CGD][A-Z0-9]+$")]
    api_url: WebAddress = "https://slack.com/api"


@dataclass(frozen=True)
class BotMessage:
    """The arguments of chat.postMessage, and what finds the message again. `oldest` is a Slack ts."""

    arguments: Mapping[str, Any]
    delivery_id: str
    oldest: str

    @property
    def thread(self) -> str | None:
        """The ts of the message that this one answers."""
        return self.arguments.get("thread_ts")


class _NoAnswer(Exception):  # noqa: N818 - not a fault of ours
    """Slack's method could not be called, or refused. `outcome` is what that means."""

    def __init__(self, outcome: Outcome, word: str = "") -> None:
        super().__init__(word)
        self.outcome = outcome
        self.word = word


class SlackBotChannel:
    """Messages in one conversation; changes and withdrawals of a lead answer in its alert's thread."""

    name: ClassVar[str] = "slack_bot"
    settings_class: ClassVar[type[SinkSettings]] = SlackBotSink
    accepts: ClassVar[frozenset[Purpose]] = TOLD_IN_CHATS | _ANSWERS
    certainty: ClassVar[Certainty] = Certainty.LOOK_UP
    repeatable = False

    def __init__(self, sink: SlackBotSink, policy: OutboundPolicy) -> None:
        self._sink = sink
        self._client = make_client(policy, keep_alive=True)
        self.concurrency = sink.concurrency or 1

    @classmethod
    def open(cls, settings: SlackBotSink, policy: OutboundPolicy) -> Self:
        """The sink of a conversation."""
        return cls(settings, policy)

    @property
    def targets(self) -> tuple[Target, ...]:
        """The conversation, named by its id."""
        return (Target(self.name, self._sink.conversation),)

    def render(self, content: Content, delivery: Delivery) -> BotMessage:
        """The message (rules.md §8); one that has no alert to answer stands by itself.

        Raises TypeError for what the conversation is not told.
        """
        if delivery.purpose not in self.accepts:
            raise TypeError(f"slack_bot is not told of {delivery.purpose.value} ({delivery.id})")
        about = {"delivery_id": delivery.id, "lead_id": delivery.lead_id}
        arguments = {
            "channel": self._sink.conversation,
            **payload(content),
            "metadata": {"event_type": EVENT_TYPE, "event_payload": about},
        }
        if delivery.purpose in _ANSWERS and delivery.thread is not None:
            arguments["thread_ts"] = delivery.thread["ts"]
        oldest = f"{(delivery.created_at - _BEFORE).timestamp():.6f}"
        return BotMessage(arguments, delivery.id, oldest)

    def wire(self, rendered: BotMessage) -> bytes:
        """The arguments as JSON."""
        return orjson.dumps(rendered.arguments)

    async def send(self, rendered: BotMessage) -> Outcome:
        """Posts the message once; where the thread is gone, into the conversation."""
        arguments = dict(rendered.arguments)
        try:
            try:
                answer = await self._call(_POST, json=arguments)
            except _NoAnswer as refused:
                if refused.word != _NO_THREAD or rendered.thread is None:
                    raise
                del arguments["thread_ts"]
                answer = await self._call(_POST, json=arguments)
        except _NoAnswer as refused:
            return refused.outcome
        return _delivered(self._sink.conversation, answer)

    async def find(self, rendered: BotMessage) -> Outcome | None:
        """Looks through the thread and the conversation, from shortly before the delivery was made."""
        try:
            if rendered.thread is not None:
                found = await self._look("conversations.replies", rendered, ts=rendered.thread)
                if found is not None:
                    return found
            return await self._look("conversations.history", rendered)
        except _NoAnswer as refused:
            return refused.outcome

    async def close(self) -> None:
        """Closes the client."""
        await self._client.aclose()

    async def _look(self, method: str, message: BotMessage, **where: str) -> Outcome | None:
        """Pages through one method's messages; a page too large to read is asked for in smaller ones."""
        wanted: dict[str, Any] = {
            "channel": self._sink.conversation,
            "oldest": message.oldest,
            "include_all_metadata": "true",
            "limit": _PAGE,
            **where,
        }
        for _ in range(MOST_PAGES):
            try:
                page = await self._call(method, data=wanted)
            except _NoAnswer as refused:
                if refused.word == _NO_THREAD:
                    return None
                if refused.word != "cut" or wanted["limit"] == 1:
                    raise
                wanted["limit"] = max(1, wanted["limit"] // 4)
                continue
            for found in page.get("messages", ()):
                if _delivery_id(found) == message.delivery_id:
                    return _delivered(self._sink.conversation, found)
            wanted["cursor"] = (page.get("response_metadata") or {}).get("next_cursor")
            if not wanted["cursor"]:
                return None
        return Unsure(f"not found among the last messages of {self._sink.conversation}")

    async def _call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Slack's answer when it says ok; methods that read take a form only. Raises _NoAnswer."""
        token = self._sink.token.get_secret_value()
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self._sink.api_url}/{method}"
        try:
            answer = await ask(self._client, "POST", url, headers=headers, **arguments)
        except httpx.HTTPError as error:
            raise _NoAnswer(failed(error)) from None
        if answer.status != httpx.codes.OK:
            raise _NoAnswer(answer_outcome(answer, _MANNERS, token))
        if answer.cut:
            raise _NoAnswer(Unsure("Slack's answer is too long to read"), "cut")
        try:
            said = orjson.loads(answer.body)
            word = "" if said["ok"] is True else str(said["error"])
        except (ValueError, TypeError, KeyError):
            raise _NoAnswer(Unsure("Slack's answer cannot be read", answer.status)) from None
        if word:
            raise _NoAnswer(outcome_of(word.replace(token, "…"), answer), word)
        return dict(said)


def _delivery_id(message: Mapping[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    return (metadata.get("event_payload") or {}).get("delivery_id")


def _delivered(conversation: str, message: Mapping[str, Any]) -> Outcome:
    receipt = {"channel": str(message.get("channel") or conversation), "ts": str(message["ts"])}
    return Delivered(status=httpx.codes.OK, receipt=receipt)
