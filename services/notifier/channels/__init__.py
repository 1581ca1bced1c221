"""The channels, all of them, in one visible tuple: a new one is a file here and a line below."""

from collections.abc import Iterable

from services.notifier.channels.base import AnyChannel, Channel
from services.notifier.channels.crm.salesforce import SalesforceChannel
from services.notifier.channels.mail.smtp import SmtpChannel
from services.notifier.channels.sink import SinkSettings
from services.notifier.channels.slack import SlackChannel
from services.notifier.channels.slack_bot import SlackBotChannel
from services.notifier.channels.teams import TeamsChannel
from services.notifier.channels.webhook import WebhookChannel
from services.notifier.domain.plan import Target
from shared.outbound import OutboundPolicy

CHANNELS: tuple[type[AnyChannel], ...] = (
    SlackChannel,
    SlackBotChannel,
    TeamsChannel,
    SmtpChannel,
    SalesforceChannel,
    WebhookChannel,
)
CHANNEL_BY_NAME = {channel.name: channel for channel in CHANNELS}


def open_sink(settings: SinkSettings, policy: OutboundPolicy) -> AnyChannel:
    """The channel of one sink, ready to send. Raises UserError for settings that cannot work."""
    return CHANNEL_BY_NAME[settings.channel].open(settings, policy)


def by_target(channels: Iterable[AnyChannel]) -> dict[Target, AnyChannel]:
    """The channel that sends to each target."""
    return {target: channel for channel in channels for target in channel.targets}


__all__ = ["CHANNELS", "CHANNEL_BY_NAME", "AnyChannel", "Channel", "by_target", "open_sink"]
