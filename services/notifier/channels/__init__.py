"""The channels, all of them, in one visible tuple: a new one is a file here and a line below."""

from collections.abc import Iterable

import httpx
from pydantic import SecretStr

from services.notifier.channels.base import AnyChannel, Channel
from services.notifier.channels.crm.salesforce import SalesforceChannel
from services.notifier.channels.mail.smtp import SmtpChannel
from services.notifier.channels.sink import SinkSettings
from services.notifier.channels.slack import SlackChannel
from services.notifier.channels.slack_bot import SlackBotChannel
from services.notifier.channels.teams import TeamsChannel
from services.notifier.channels.webhook import WebhookChannel
from services.notifier.domain.plan import Target
from shared.errors import UserError
from shared.outbound import OutboundPolicy, RefusedAddressError, check_url

CHANNELS: tuple[type[AnyChannel], ...] = (
    SlackChannel,
    SlackBotChannel,
    TeamsChannel,
    SmtpChannel,
    SalesforceChannel,
    WebhookChannel,
)
_HINT = "https at a public host; a host of your own may be named in ONELEAD_OUTBOUND_TRUSTED"
CHANNEL_BY_NAME = {channel.name: channel for channel in CHANNELS}


def open_sink(settings: SinkSettings, policy: OutboundPolicy) -> AnyChannel:
    """The channel of one sink, ready to send. Raises UserError for settings that cannot work."""
    _refuse_what_is_never_called(settings, policy)
    return CHANNEL_BY_NAME[settings.channel].open(settings, policy)


def _refuse_what_is_never_called(settings: SinkSettings, policy: OutboundPolicy) -> None:
    for name in type(settings).model_fields:
        if name.rpartition("_")[2] != "url":
            continue
        given = getattr(settings, name)
        url = given.get_secret_value() if isinstance(given, SecretStr) else given
        try:
            check_url(policy, httpx.URL(url))
        except httpx.InvalidURL:
            raise UserError(f"{name} is not a web address") from None
        except RefusedAddressError as error:
            raise UserError(f"{name}: {error}", hint=_HINT) from None


def by_target(channels: Iterable[AnyChannel]) -> dict[Target, AnyChannel]:
    """The channel that sends to each target."""
    return {target: channel for channel in channels for target in channel.targets}


__all__ = ["CHANNELS", "CHANNEL_BY_NAME", "AnyChannel", "Channel", "by_target", "open_sink"]
