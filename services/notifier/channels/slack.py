"""Slack by incoming webhook: renders Block Kit, posts it, reads Slack's answers.

The webhook is blind: after a lost answer nobody can look whether the message stands in the channel.
"""

from typing import Any, Self

import httpx

from services.notifier.channels.http import Answer, ask, make_client, transport_outcome
from services.notifier.channels.slack_blocks import alert_payload
from services.notifier.domain.attempt import Delivered, Outcome, Rejected, Retryable, Unsure
from services.notifier.domain.delivery import Delivery
from services.notifier.domain.message import Content, Withdrawal
from services.notifier.domain.routing import Target
from services.notifier.settings import NotifierSettings, SlackSink
from shared import clock

_PAUSE_UNSAID_S = 30.0
_REFUSES_THE_MESSAGE = frozenset({400, 413, 422})


class SlackChannel:
    """Alerts in one Slack channel; Slack takes about one message a second from a webhook."""

    name = "slack"
    concurrency = 1

    def __init__(self, sink: SlackSink) -> None:
        self._sink = sink
        self._client = make_client(keep_alive=False)
        self.repeatable = sink.when_unsure == "repeat"

    @classmethod
    def from_settings(cls, settings: NotifierSettings) -> Self | None:
        """The channel, or None without ONELEAD_SLACK_WEBHOOK_URL."""
        sink = settings.slack()
        return None if sink is None else cls(sink)

    @property
    def targets(self) -> tuple[Target, ...]:
        """The webhook, named by its team and webhook ids."""
        return (Target(self.name, self._sink.address),)

    def render(self, content: Content, delivery: Delivery) -> dict[str, Any]:
        """The webhook's JSON body (rules.md §8). Raises TypeError for a withdrawal."""
        if isinstance(content, Withdrawal):
            raise TypeError(f"slack is not told of withdrawals ({delivery.id})")
        return alert_payload(content)

    async def send(self, rendered: dict[str, Any]) -> Outcome:
        """Posts the message once."""
        try:
            url = self._sink.url.get_secret_value()
            answer = await ask(self._client, "POST", url, json=rendered)
        except httpx.HTTPError as error:
            return transport_outcome(error)
        return self._outcome(answer)

    async def close(self) -> None:
        """Closes the client."""
        await self._client.aclose()

    def _outcome(self, answer: Answer) -> Outcome:
        said = f"Slack answered {answer.status} {self._without_secret(answer.text)}".strip()
        if answer.status == httpx.codes.OK:
            return Delivered()
        if answer.status in {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE}:
            pause_s = answer.pause_s(clock.now())
            limited = answer.status == httpx.codes.TOO_MANY_REQUESTS
            return Retryable(said, _PAUSE_UNSAID_S if limited and pause_s is None else pause_s)
        if answer.status in _REFUSES_THE_MESSAGE:
            return Rejected(said)
        if answer.status >= httpx.codes.INTERNAL_SERVER_ERROR:
            return Unsure(said)
        # A revoked webhook or an archived channel: it did not arrive, and an operator can mend it.
        return Retryable(said)

    def _without_secret(self, text: str) -> str:
        secret = self._sink.url.get_secret_value().rpartition("/")[2]
        return text.replace(secret, "…")
