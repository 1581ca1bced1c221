from pathlib import Path
from typing import Any

import pytest

from services.notifier.channels import AnyChannel
from services.notifier.channels.slack import SlackSink
from services.notifier.planning import open_sinks
from services.notifier.settings import NotifierSettings
from shared.errors import UserError
from shared.outbound import OutboundPolicy
from shared.settings import load_settings

WEBHOOK = "https://hooks.slack.com/services/T01/B02/s3cr3t"
MAIL = {"mail_host": "mail", "mail_from": "a@b.c", "mail_to": "x@y.z"}
SALESFORCE = {
    "salesforce_url": "https://acme.my.salesforce.com",
    "salesforce_client_id": "id",
    "salesforce_client_secret": "s3cr3t",
}


def settings(**values: Any) -> NotifierSettings:
    base = {"kafka_bootstrap": "k:1", "database_url": "postgresql+asyncpg://u@h/d"}
    return load_settings(NotifierSettings, **base, **values)


def opened(**values: Any) -> dict[str, AnyChannel]:
    return open_sinks(settings(**values).notifications(), OutboundPolicy())


async def test_a_channel_without_settings_is_off() -> None:
    assert opened() == {}


async def test_channels_are_on_when_all_their_settings_are_there() -> None:
    channels = opened(slack_webhook_url=WEBHOOK, **MAIL, **SALESFORCE)
    targets = {name: channel.targets[0].address for name, channel in channels.items()}
    assert targets == {"slack": "T01/B02", "email": "x@y.z", "salesforce": "acme.my.salesforce.com"}
    assert [t.channel for c in channels.values() for t in c.targets if t.tells_withdrawals] == [
        "salesforce"
    ]
    for channel in channels.values():
        await channel.close()


@pytest.mark.parametrize("missing", [*MAIL, *SALESFORCE])
def test_half_a_channel_is_refused_with_the_missing_half(missing: str) -> None:
    given = MAIL if missing in MAIL else SALESFORCE
    values = {name: value for name, value in given.items() if name != missing}
    with pytest.raises(UserError, match=f"ONELEAD_{missing.upper()} not set, although"):
        opened(**values)


@pytest.mark.parametrize(
    "url", ["hooks.slack.com/services/T/B/x", "https://hooks.slack.com/T/B/s3cr3t", "ftp://x/y"]
)
def test_another_address_than_a_webhook_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(UserError, match="ONELEAD_ settings of sink slack: ") as caught:
        opened(slack_webhook_url=url)
    assert url not in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"mail_to": "nobody"}, "ONELEAD_MAIL_TO"),
        ({"mail_to": "a@b.c\nBcc: x@y.z"}, "ONELEAD_MAIL_TO"),
        ({"mail_to": "rep@example..com"}, "ONELEAD_MAIL_TO"),
        ({"mail_to": ".rep@example.com"}, "ONELEAD_MAIL_TO"),
        ({"mail_from": "x y@z"}, "ONELEAD_MAIL_FROM"),
        ({"mail_from": "ö@b.c"}, "ONELEAD_MAIL_FROM"),
        ({"mail_security": "ssl"}, "ONELEAD_MAIL_SECURITY"),
        ({"console_url": "javascript:alert(1)"}, "ONELEAD_CONSOLE_URL"),
        ({"salesforce_url": "acme"}, "ONELEAD_SALESFORCE_URL"),
        ({"salesforce_api_version": "62"}, "ONELEAD_SALESFORCE_API_VERSION"),
        ({"notify_since": "yesterday"}, "ONELEAD_NOTIFY_SINCE"),
        ({"notify_tenants": "Acme"}, "ONELEAD_NOTIFY_TENANTS"),
        ({"notify_lease_s": "5"}, "ONELEAD_NOTIFY_LEASE_S"),
    ],
)
def test_a_wrong_setting_is_named(values: dict[str, str], named: str) -> None:
    with pytest.raises(UserError, match=named):
        settings(**values)


def test_lists_are_read_from_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONELEAD_MAIL_TO", "a@b.c, d@e.f,a@b.c")
    monkeypatch.setenv("ONELEAD_NOTIFY_TENANTS", "acme, default")
    read = settings()
    assert read.mail_to == ("a@b.c", "d@e.f")
    assert read.notify_tenants == ("acme", "default")


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_WEBHOOK_URL", "MAIL_HOST", "MAIL_FROM", "MAIL_TO", "NOTIFY_SINCE"):
        monkeypatch.setenv(f"ONELEAD_{name}", "")
    assert opened() == {}


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "webhook"
    secret.write_text(f"{WEBHOOK}\n")
    sink = settings(slack_webhook_url_file=secret).sinks()["slack"]
    assert isinstance(sink, SlackSink)
    assert sink.webhook_url is not None
    assert sink.webhook_url.get_secret_value() == WEBHOOK


def test_an_unreadable_secret_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="ONELEAD_SLACK_WEBHOOK_URL_FILE: cannot read"):
        settings(slack_webhook_url_file=tmp_path / "missing").sinks()


def test_secrets_do_not_show_in_settings_or_sinks() -> None:
    secret = {
        "slack_webhook_url": WEBHOOK,
        "mail_username": "onelead",
        "mail_password": "s3cr3t",
    }
    read = settings(**secret, **MAIL, **SALESFORCE)
    sinks = read.sinks()
    assert sinks.keys() == {"slack", "email", "salesforce"}
    assert "s3cr3t" not in repr((read, sinks))


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"slack_webhook_url": WEBHOOK}, "ONELEAD_SLACK_WEBHOOK_URL"),
        (MAIL, "ONELEAD_MAIL_FROM, ONELEAD_MAIL_HOST, ONELEAD_MAIL_TO"),
        ({"notify_tenants": "acme"}, "ONELEAD_NOTIFY_TENANTS"),
    ],
)
def test_the_notify_file_and_settings_of_sinks_exclude_each_other(
    values: dict[str, str], named: str
) -> None:
    both = settings(notify_file="samples/notify.yaml", **values)
    with pytest.raises(UserError, match=f"ONELEAD_NOTIFY_FILE is set, and so is {named}$"):
        both.notifications()


def test_the_notify_file_is_read_instead_of_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", WEBHOOK)
    monkeypatch.setenv("ONELEAD_MAIL_HOST", "")
    file = tmp_path / "notify.yaml"
    file.write_text("sinks:\n  team: {channel: slack, webhook_url: {env: HOOK}, tenants: [acme]}\n")
    found = settings(notify_file=file).notifications()
    assert {name: sink.tenants for name, sink in found.sinks.items()} == {"team": ("acme",)}


def test_settings_alone_make_a_plan_without_routes() -> None:
    found = settings(slack_webhook_url=WEBHOOK, notify_tenants="acme").notifications()
    assert {name: sink.tenants for name, sink in found.sinks.items()} == {"slack": ("acme",)}
    assert found.file.routes == ()
    assert found.document is None
