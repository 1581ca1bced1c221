"""The notifier's settings: where alerts go, how fast, and from which day on.

A channel without settings is off; half of its settings are refused with the name of the other half.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode, SettingsConfigDict

from services.notifier.domain.routing import EVERY_TENANT
from shared.errors import UserError
from shared.settings import ServiceSettings
from shared.topics import check_tenant

DEADLINE_S = 30.0
"""Seconds that one delivery may take in all; a lease always lasts longer."""

_WEBHOOK_PATH = re.compile(r"/services/(T[^/]+)/(B[^/]+)/[^/]+$")
_MAILBOX = re.compile(
    r"[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*@[a-z\d-]+(\.[a-z\d-]+)*", re.A | re.I
)
_API_VERSION = re.compile(r"v\d{2,3}\.0")
_MAIL_PORTS = {"none": 25, "starttls": 587, "tls": 465}

MailSecurity = Literal["none", "starttls", "tls"]
WhenUnsure = Literal["leave", "repeat"]


def _split(text: object) -> object:
    return [p.strip() for p in text.split(",") if p.strip()] if isinstance(text, str) else text


def _tenants(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name if name == EVERY_TENANT else check_tenant(name) for name in names)


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http:// or https:// address")
    return text.rstrip("/")


def _mailbox(text: str) -> str:
    if not _MAILBOX.fullmatch(text):
        raise ValueError(f"{text!r} is not a mail address like name@example.com")
    return text


def _mailboxes(found: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_mailbox(text) for text in found))


def _api_version(text: str) -> str:
    if not _API_VERSION.fullmatch(text):
        raise ValueError("must look like v62.0")
    return text


Mailbox = Annotated[str, AfterValidator(_mailbox)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


@dataclass(frozen=True)
class SlackSink:
    """An incoming webhook. The address names it without its secret."""

    url: SecretStr
    address: str
    when_unsure: WhenUnsure


@dataclass(frozen=True)
class MailSink:
    """A mail server and who is written to; each recipient is a target of its own."""

    host: str
    port: int
    security: MailSecurity
    sender: str
    recipients: tuple[str, ...]
    username: str | None
    password: SecretStr | None
    when_unsure: WhenUnsure


@dataclass(frozen=True)
class SalesforceSink:
    """An organisation's REST API, entered with client credentials."""

    url: str
    client_id: str
    client_secret: SecretStr
    api_version: str


class NotifierSettings(ServiceSettings):
    """Read from the environment as `ONELEAD_…`; a secret may stand in a file instead (`…_FILE`)."""

    model_config = SettingsConfigDict(env_ignore_empty=True)

    notify_since: date | None = Field(
        None, description="episodes that became CRITICAL before this day are never announced"
    )
    notify_tenants: Annotated[CommaSeparated, AfterValidator(_tenants)] = Field(
        ("default",), description="the tenants these sinks belong to, comma separated; * for all"
    )
    notify_lease_s: float = Field(40.0, gt=DEADLINE_S, le=3_600)
    notify_poll_s: float = Field(1.0, gt=0, le=60)
    console_url: WebAddress = Field(
        "http://localhost:8080", description="where the links in alerts lead"
    )

    slack_webhook_url: SecretStr | None = None
    slack_webhook_url_file: Path | None = None
    slack_when_unsure: WhenUnsure = Field(
        "leave", description="after a lost answer: leave it (never twice) or repeat it"
    )

    mail_host: str | None = None
    mail_port: int | None = Field(None, ge=1, le=65_535)
    mail_security: MailSecurity = "starttls"
    mail_from: Mailbox | None = None
    mail_to: Annotated[CommaSeparated, AfterValidator(_mailboxes)] = ()
    mail_username: str | None = None
    mail_password: SecretStr | None = None
    mail_password_file: Path | None = None
    mail_when_unsure: WhenUnsure = "leave"

    salesforce_url: WebAddress | None = None
    salesforce_client_id: str | None = None
    salesforce_client_secret: SecretStr | None = None
    salesforce_client_secret_file: Path | None = None
    salesforce_api_version: Annotated[str, AfterValidator(_api_version)] = "v62.0"

    def slack(self) -> SlackSink | None:
        """The Slack sink, or None when it is off. Raises UserError for another kind of address."""
        secret = self._secret("slack_webhook_url")
        if secret is None:
            return None
        url = secret.get_secret_value()
        parts = urlsplit(url)
        match = _WEBHOOK_PATH.search(parts.path)
        if parts.scheme not in {"http", "https"} or not parts.hostname or match is None:
            raise UserError(
                "ONELEAD_SLACK_WEBHOOK_URL is not the address of an incoming webhook",
                hint="it looks like https://hooks.slack.com/services/T…/B…/…",
            )
        return SlackSink(secret, "/".join(match.group(1, 2)), self.slack_when_unsure)

    def mail(self) -> MailSink | None:
        """The mail sink, or None when it is off. Raises UserError when only half of it is set."""
        wanted = {"mail_host": self.mail_host, "mail_from": self.mail_from, "mail_to": self.mail_to}
        if not _all_or_nothing(wanted):
            return None
        return MailSink(
            host=str(self.mail_host),
            port=self.mail_port or _MAIL_PORTS[self.mail_security],
            security=self.mail_security,
            sender=str(self.mail_from),
            recipients=self.mail_to,
            username=self.mail_username,
            password=self._secret("mail_password"),
            when_unsure=self.mail_when_unsure,
        )

    def salesforce(self) -> SalesforceSink | None:
        """The CRM sink, or None when it is off. Raises UserError when only half of it is set."""
        secret = self._secret("salesforce_client_secret")
        wanted = {
            "salesforce_url": self.salesforce_url,
            "salesforce_client_id": self.salesforce_client_id,
            "salesforce_client_secret": secret,
        }
        if not _all_or_nothing(wanted) or secret is None:
            return None
        return SalesforceSink(
            url=str(self.salesforce_url),
            client_id=str(self.salesforce_client_id),
            client_secret=secret,
            api_version=self.salesforce_api_version,
        )

    def _secret(self, name: str) -> SecretStr | None:
        given: SecretStr | None = getattr(self, name)
        path: Path | None = getattr(self, f"{name}_file")
        if given is not None or path is None:
            return given
        try:
            return SecretStr(path.read_text().strip())
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(
                f"ONELEAD_{name.upper()}_FILE: cannot read {path}: {type(error).__name__}",
                hint="give the path of a readable text file that holds nothing but the secret",
            ) from None


def _all_or_nothing(wanted: Mapping[str, object]) -> bool:
    """Whether all are set. Raises UserError naming those missing when only some are."""
    missing = [f"ONELEAD_{name.upper()}" for name, value in wanted.items() if not value]
    if not missing:
        return True
    if len(missing) == len(wanted):
        return False
    given = [f"ONELEAD_{name.upper()}" for name, value in wanted.items() if value]
    raise UserError(
        f"{', '.join(missing)} not set, although {', '.join(given)} is",
        hint="set all of them, or none to switch the channel off",
    )
