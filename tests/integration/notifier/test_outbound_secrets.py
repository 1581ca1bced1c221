"""What is secret of a sink stands in no outcome, log line, target, wire form or error."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from urllib.parse import quote, urlsplit

import pytest
from pydantic import SecretStr

from services.notifier.channels import AnyChannel
from services.notifier.channels.slack import SlackChannel, SlackSink
from services.notifier.channels.slack_bot import SlackBotChannel, SlackBotSink
from services.notifier.channels.teams import TeamsChannel, TeamsSink
from services.notifier.channels.webhook import WebhookChannel, WebhookSink
from shared.outbound import OutboundPolicy
from tests.integration.notifier.conftest import a_delivery
from tests.support.notifier_builders import alert

HERE = OutboundPolicy(frozenset({"127.0.0.1"}))
NOBODY = OutboundPolicy()
KEY = "S3cretThatMustNotBeTold"
SIGNING = "whsec_UzNjcmV0VGhhdE11c3ROb3RCZVRvbGRUb0FueWJvZHk="
SECRETS = (KEY, SIGNING, SIGNING[6:])

Opened = Callable[[str, OutboundPolicy], AnyChannel]


def slack(base: str, policy: OutboundPolicy) -> AnyChannel:
    url = SecretStr(f"{base}/services/T0/B0/{KEY}")
    return SlackChannel.open(SlackSink(webhook_url=url), policy)


def slack_bot(base: str, policy: OutboundPolicy) -> AnyChannel:
    sink = SlackBotSink(token=SecretStr(KEY), conversation="C0", api_url=base)
    return SlackBotChannel.open(sink, policy)


def teams(base: str, policy: OutboundPolicy) -> AnyChannel:
    url = SecretStr(f"{base}/workflows/w/triggers/manual/paths/invoke?sv=1.0&sig=%2F{KEY}%2B")
    return TeamsChannel.open(TeamsSink(workflow_url=url), policy)


def webhook(base: str, policy: OutboundPolicy) -> AnyChannel:
    sink = WebhookSink(
        url=SecretStr(f"{base}/hooks/{KEY}?key={KEY}"),
        secret=SecretStr(SIGNING),
        previous_secret=SecretStr(SIGNING),
    )
    return WebhookChannel.open(sink, policy)


class Echo:
    """A server that answers with the whole request that it got, secrets and all."""

    status = 200
    heard = b""

    async def visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heard += head
        answer = f"HTTP/1.1 {self.status} Said\r\nContent-Length: {len(head)}\r\n\r\n".encode()
        if self.status:
            writer.write(answer + head)
        writer.close()


@pytest.fixture
async def echo() -> AsyncIterator[tuple[Echo, str]]:
    found = Echo()
    server = await asyncio.start_server(found.visited, "127.0.0.1", 0)
    yield found, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


async def everything_of(channel: AnyChannel) -> str:
    """All that the rest of the product gets to see of one attempt and one look-up."""
    (target,) = channel.targets
    rendered = channel.render(alert(), a_delivery(channel.name, target.address))
    seen = [repr(target), channel.wire(rendered).decode(), repr(await channel.send(rendered))]
    if channel.name == "slack_bot":
        seen.append(repr(await channel.find(rendered)))
    await channel.close()
    return " ".join(seen)


@pytest.mark.parametrize("open_channel", [slack, slack_bot, teams, webhook])
async def test_a_secret_is_told_to_its_sink_and_to_nobody_else(
    open_channel: Opened, echo: tuple[Echo, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server, base = echo
    seen = []
    for status in (200, 302, 400, 401, 403, 404, 410, 429, 500, 503, 0):
        server.status = status
        seen.append(await everything_of(open_channel(base, HERE)))
    seen.append(await everything_of(open_channel("http://127.0.0.1:9", HERE)))
    seen.append(await everything_of(open_channel("https://10.0.0.1", NOBODY)))
    seen.append(await everything_of(open_channel("https://no-such-name.invalid", NOBODY)))
    logged = " ".join(record.getMessage() for record in caplog.records)
    assert KEY.encode() in server.heard, "the sink itself must have got it"
    for secret in SECRETS:
        assert secret not in logged
        assert secret not in " ".join(seen), f"{len(seen)} attempts"
    assert len(seen) == 14


@pytest.mark.parametrize("open_channel", [slack, slack_bot, teams, webhook])
def test_a_channel_and_its_settings_print_without_their_secrets(open_channel: Opened) -> None:
    channel = open_channel("https://hooks.example", NOBODY)
    settings = getattr(channel, "_sink", channel.targets)
    for secret in (*SECRETS, quote(KEY), urlsplit(f"x:?{KEY}").query):
        assert secret not in repr(channel) + repr(settings)
