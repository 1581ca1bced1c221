"""Slack by incoming webhook: renders Block Kit, posts it, reads Slack's answers.

The webhook is blind: after a lost answer nobody can look whether the message stands in the channel.
"""

import re
from typing import Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

import orjson

from services.notifier.channels.http import Manners, make_client, post
from services.notifier.channels.sink import Secret, SinkSettings
from services.notifier.channels.slack_blocks import payload
from services.notifier.channels.wording import TOLD_IN_CHATS
from services.notifier.domain.attempt import Certainty, Outcome
from services.notifier.domain.contents import Content
from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.domain.plan import Target
from shared.errors import UserError
from shared.outbound import OutboundPolicy

PAUSE_UNSAID_S = 30.0
_WEBHOOK_PATH = re.compile(r"/services/(T[^/]+)/(B[^/]+)/[^/]+$")
# Other refusals are of the webhook or its channel: an operator can mend them.
_MANNERS = Manners("Slack", refuses=frozenset({400, 413, 422}), pause_s=PAUSE_UNSAID_S)


class SlackSink(SinkSettings):
    """An incoming webhook."""

    channel: Literal["slack"] = "slack"
    webhook_url: Secret

    @property
    def address(self) -> str:
        """The webhook without its secret: its team and webhook ids. Raises UserError for another address."""
        parts = urlsplit(self.webhook_url.get_secret_value())
        match = _WEBHOOK_PATH.search(parts.path)
        if parts.scheme not in {"http", "https"} or not parts.hostname or match is None:
            raise UserError(
                "the Slack webhook_url is not the address of an incoming webhook",
                hint="it looks like https://hooks.slack.com/services/T…/B…/…",
            )
        return "/".join(match.group(1, 2))


class SlackChannel:
    """Messages in one Slack channel; Slack takes about one message a second from a webhook."""

    name: ClassVar[str] = "slack"
    settings_class: ClassVar[type[SinkSettings]] = SlackSink
    accepts: ClassVar[frozenset[Purpose]] = TOLD_IN_CHATS
    certainty: ClassVar[Certainty] = Certainty.BLIND

    def __init__(self, sink: SlackSink, policy: OutboundPolicy) -> None:
        self._url = sink.webhook_url.get_secret_value()
        self._address = sink.address
        self._client = make_client(policy, keep_alive=False)
        self.repeatable = sink.when_unsure == "repeat"
        self.concurrency = sink.concurrency or 1

    @classmethod
    def open(cls, settings: SlackSink, policy: OutboundPolicy) -> Self:
        """The sink of an incoming webhook."""
        return cls(settings, policy)

    @property
    def targets(self) -> tuple[Target, ...]:
        """The webhook, named by its team and webhook ids."""
        return (Target(self.name, self._address),)

    def render(self, content: Content, delivery: Delivery) -> dict[str, Any]:
        """The webhook's JSON body (rules.md §8). Raises TypeError for what the channel is not told."""
        if delivery.purpose not in self.accepts:
            raise TypeError(f"slack is not told of {delivery.purpose.value} ({delivery.id})")
        return payload(content)

    def wire(self, rendered: dict[str, Any]) -> bytes:
        """The webhook's JSON body."""
        return orjson.dumps(rendered)

    async def send(self, rendered: dict[str, Any]) -> Outcome:
        """Posts the message once."""
        secret = self._url.rpartition("/")[2]
        return await post(self._client, self._url, self.wire(rendered), _MANNERS, secret)

    async def find(self, rendered: dict[str, Any]) -> Outcome | None:
        """A webhook cannot be asked."""
        raise NotImplementedError

    async def close(self) -> None:
        """Closes the client."""
        await self._client.aclose()
