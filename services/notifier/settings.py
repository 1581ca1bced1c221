"""The notifier's settings: where alerts go, how fast, and from which day on.

Sinks stand in the notify file, or else in settings, one for each channel: one without settings is off,
half of its settings are refused with the name of the other half.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode, SettingsConfigDict

from services.notifier.channels.crm.salesforce_login import SalesforceSink
from services.notifier.channels.mail.smtp import MailSecurity, MailSink
from services.notifier.channels.sink import Mailbox, SinkSettings, WebAddress, WhenUnsure
from services.notifier.channels.slack import SlackSink
from services.notifier.channels.teams import TeamsSink
from services.notifier.channels.webhook import WebhookSink
from services.notifier.domain.plan import EVERY_TENANT
from services.notifier.inbound.settings import InboundSettings
from services.notifier.notify_file import Notifications, read_notify_file
from shared.errors import UserError
from shared.topics import check_tenant

DEADLINE_S = 30.0
"""Seconds that one delivery may take in all; a lease always lasts longer."""

_OF_SIMPLE_SINKS = ("slack_", "mail_", "salesforce_", "teams_", "webhook_", "notify_tenants")


def _split(text: object) -> object:
    return [p.strip() for p in text.split(",") if p.strip()] if isinstance(text, str) else text


def _tenants(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name if name == EVERY_TENANT else check_tenant(name) for name in names)


def _once(found: tuple[Mailbox, ...]) -> tuple[Mailbox, ...]:
    return tuple(dict.fromkeys(found))


CommaSeparated = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class NotifierSettings(InboundSettings):
    """Read from the environment as `ONELEAD_…`; a secret may stand in a file instead (`…_FILE`)."""

    model_config = SettingsConfigDict(env_ignore_empty=True)

    notify_file: Path | None = Field(
        None,
        description="YAML with sinks, routes, people; in place of the settings of single sinks",
    )
    notify_since: date | None = Field(
        None, description="episodes that became CRITICAL before this day are never announced"
    )
    notify_tenants: Annotated[CommaSeparated, AfterValidator(_tenants)] = Field(
        ("default",), description="the tenants these sinks belong to, comma separated; * for all"
    )
    notify_lease_s: float = Field(45.0, ge=DEADLINE_S + 10, le=3_600)
    notify_poll_s: float = Field(1.0, gt=0, le=60)
    notify_tick_s: float = Field(
        30.0, ge=0.05, le=3_600, description="how often digests and campaigns are looked after"
    )
    notify_retry_scale: float = Field(
        1.0,
        gt=0,
        le=10,
        description="what the waits between attempts are multiplied by; for trials",
    )
    notify_attempts_kept_days: int = Field(90, ge=1, le=3_650)
    console_url: WebAddress = Field(
        "http://localhost:8080", description="where the links in alerts lead"
    )

    templates_dir: Path | None = Field(
        None, description="a folder of mail templates that replace the built-in ones by file name"
    )
    outbound_trusted: CommaSeparated = Field(
        (), description="hosts that may be called by http and at private addresses, comma separated"
    )

    slack_webhook_url: SecretStr | None = None
    slack_webhook_url_file: Path | None = None
    slack_when_unsure: WhenUnsure = Field(
        "leave", description="after a lost answer: leave it (never twice) or repeat it"
    )

    teams_workflow_url: SecretStr | None = None
    teams_workflow_url_file: Path | None = None
    teams_when_unsure: WhenUnsure = "leave"

    webhook_url: SecretStr | None = None
    webhook_secret: SecretStr | None = None
    webhook_secret_file: Path | None = None

    mail_host: str | None = None
    mail_port: int | None = Field(None, ge=1, le=65_535)
    mail_security: MailSecurity = "starttls"
    mail_from: Mailbox | None = None
    mail_to: Annotated[
        tuple[Mailbox, ...], NoDecode, BeforeValidator(_split), AfterValidator(_once)
    ] = ()
    mail_username: str | None = None
    mail_password: SecretStr | None = None
    mail_password_file: Path | None = None
    mail_when_unsure: WhenUnsure = "leave"

    salesforce_url: WebAddress | None = None
    salesforce_client_id: str | None = None
    salesforce_client_secret: SecretStr | None = None
    salesforce_client_secret_file: Path | None = None
    salesforce_username: str | None = None
    salesforce_private_key: SecretStr | None = None
    salesforce_private_key_file: Path | None = None
    salesforce_api_version: str = Field("v62.0", pattern=r"^v\d{2,3}\.0$")

    def notifications(self, file: Path | None = None) -> Notifications:
        """The sinks, and who is told what: from the notify file, else one sink of each channel.

        `file` is read in place of whatever these settings say. Raises UserError for a file that cannot
        hold, for settings of sinks beside that of a file, and for half a sink.
        """
        if file is None:
            file = self._file()
        if file is None:
            return Notifications(self._with_templates(self.sinks()))
        found = read_notify_file(file)
        return replace(found, sinks=self._with_templates(found.sinks))

    def _file(self) -> Path | None:
        if self.notify_file is None:
            return None
        beside = sorted(n for n in self.model_fields_set if n.startswith(_OF_SIMPLE_SINKS))
        if beside:
            names = ", ".join(f"ONELEAD_{name.upper()}" for name in beside)
            raise UserError(
                f"ONELEAD_NOTIFY_FILE is set, and so is {names}",
                hint="the file replaces the settings of single sinks: set one or the other",
            )
        return self.notify_file

    def _with_templates(self, sinks: Mapping[str, SinkSettings]) -> dict[str, SinkSettings]:
        """The sinks, mails with the templates of these settings unless they have their own."""
        theirs = {"templates": self.templates_dir}
        return {
            name: sink.model_copy(update=theirs)
            if isinstance(sink, MailSink) and sink.templates is None
            else sink
            for name, sink in sinks.items()
        }

    def sinks(self) -> dict[str, SinkSettings]:
        """The sinks of these settings, by name. Raises UserError when only half of one is set."""
        found: dict[str, SinkSettings | None] = {
            "slack": self._slack(),
            "teams": self._teams(),
            "email": self._mail(),
            "salesforce": self._salesforce(),
            "webhook": self._webhook(),
        }
        return {name: sink for name, sink in found.items() if sink is not None}

    def _slack(self) -> SlackSink | None:
        secret = self.secret("slack_webhook_url")
        if secret is None:
            return None
        return SlackSink(
            webhook_url=secret, when_unsure=self.slack_when_unsure, tenants=self.notify_tenants
        )

    def _teams(self) -> TeamsSink | None:
        secret = self.secret("teams_workflow_url")
        if secret is None:
            return None
        return TeamsSink(
            workflow_url=secret, when_unsure=self.teams_when_unsure, tenants=self.notify_tenants
        )

    def _webhook(self) -> WebhookSink | None:
        url, secret = self.webhook_url, self.secret("webhook_secret")
        if not _all_or_nothing({"webhook_url": url, "webhook_secret": secret}):
            return None
        given = {"url": url, "secret": secret, "tenants": self.notify_tenants}
        return WebhookSink.model_validate(given)

    def _mail(self) -> MailSink | None:
        wanted = {"mail_host": self.mail_host, "mail_from": self.mail_from, "mail_to": self.mail_to}
        if not _all_or_nothing(wanted):
            return None
        return MailSink(
            host=str(self.mail_host),
            port=self.mail_port,
            security=self.mail_security,
            sender=str(self.mail_from),
            recipients=self.mail_to,
            username=self.mail_username,
            password=self.secret("mail_password"),
            when_unsure=self.mail_when_unsure,
            tenants=self.notify_tenants,
        )

    def _salesforce(self) -> SalesforceSink | None:
        secret, key = self.secret("salesforce_client_secret"), self.secret("salesforce_private_key")
        by_jwt = {"salesforce_username": self.salesforce_username, "salesforce_private_key": key}
        wanted = {
            "salesforce_url": self.salesforce_url,
            "salesforce_client_id": self.salesforce_client_id,
            **(by_jwt if any(by_jwt.values()) else {"salesforce_client_secret": secret}),
        }
        if not _all_or_nothing(wanted):
            return None
        if key is not None and secret is not None:
            raise UserError(
                "ONELEAD_SALESFORCE_CLIENT_SECRET and ONELEAD_SALESFORCE_PRIVATE_KEY are both set",
                hint="give one of them: they are two ways to log in",
            )
        return SalesforceSink(
            url=str(self.salesforce_url),
            client_id=str(self.salesforce_client_id),
            client_secret=secret,
            username=self.salesforce_username,
            private_key=key,
            api_version=self.salesforce_api_version,
            tenants=self.notify_tenants,
        )


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
