"""An address that would never be called is refused when its sink is opened, not when a lead is lost on it."""

import pytest
from pydantic import SecretStr

from services.notifier.channels import open_sink
from services.notifier.channels.crm.salesforce_login import SalesforceSink
from services.notifier.channels.sink import SinkSettings
from services.notifier.channels.teams import TeamsSink
from services.notifier.channels.webhook import WebhookSink
from shared.errors import UserError
from shared.outbound import OutboundPolicy

NOBODY = OutboundPolicy()
HERE = OutboundPolicy(frozenset({"10.0.0.1"}))
SECRET = SecretStr("whsec_" + "MTIz" * 8)


def webhook(url: str) -> WebhookSink:
    return WebhookSink(url=SecretStr(url), secret=SECRET)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/x",
        "https://10.0.0.1/x",
        "https://localhost/x",
        "https://2130706433/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://example.com:22/x",
        "https://example.com:99999/x",
        "https://exa mple.com/x",
        "https://user:s3cr3t@example.com/x",
    ],
)
def test_a_webhook_that_would_never_be_called_is_refused_by_the_setting(url: str) -> None:
    with pytest.raises(UserError, match=r"^url") as refused:
        open_sink(webhook(url), NOBODY)
    assert "s3cr3t" not in str(refused.value)


@pytest.mark.parametrize(
    "settings",
    [
        SalesforceSink(url="http://x.example.com", client_id="i", client_secret=SECRET),
        TeamsSink(
            workflow_url=SecretStr(
                "http://x.example.com/workflows/1/triggers/manual/paths/invoke?sig=s3cr3t"
            )
        ),
    ],
    ids=lambda sink: sink.channel,
)
def test_so_is_the_address_of_every_other_channel(settings: SinkSettings) -> None:
    with pytest.raises(UserError, match="only https is allowed") as refused:
        open_sink(settings, NOBODY)
    assert "s3cr3t" not in str(refused.value)


def test_a_host_that_the_operator_vouches_for_is_no_mistake() -> None:
    assert open_sink(webhook("http://10.0.0.1:8080/x"), HERE).targets
    assert open_sink(webhook("https://example.com/x"), NOBODY).targets
