"""The channels, all of them, in one visible tuple: a new one is a file here and a line below."""

from services.notifier.channels.base import AnyChannel, Channel
from services.notifier.channels.salesforce import SalesforceChannel
from services.notifier.channels.slack import SlackChannel
from services.notifier.channels.smtp import SmtpChannel
from services.notifier.settings import NotifierSettings

CHANNELS: tuple[type[AnyChannel], ...] = (SlackChannel, SmtpChannel, SalesforceChannel)


def open_channels(settings: NotifierSettings) -> dict[str, AnyChannel]:
    """The channels that have settings, by name. Raises UserError for wrong or half settings."""
    opened = (kind.from_settings(settings) for kind in CHANNELS)
    return {channel.name: channel for channel in opened if channel is not None}


__all__ = ["CHANNELS", "AnyChannel", "Channel", "open_channels"]
