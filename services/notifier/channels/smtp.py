"""E-mail over SMTP: renders text and HTML (rules.md §8), hands it to the mail server.

SMTP is blind too: once the message's last byte has left, only the server's answer tells its fate.
"""

from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from typing import Self

import aiosmtplib
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.notifier.channels.http import TIMEOUT_S
from services.notifier.domain.attempt import Delivered, Outcome, Rejected, Retryable, Unsure
from services.notifier.domain.delivery import Delivery
from services.notifier.domain.message import (
    Alert,
    Content,
    Withdrawal,
    amount_text,
    plain,
    service_text,
    value_text,
)
from services.notifier.domain.routing import Target
from services.notifier.settings import MailSink, NotifierSettings

_SUBJECT_LIMIT = 200
_WANTS_OTHER_CREDENTIALS = frozenset({530, 534, 535, 538})
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(["html.j2"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {"amount": amount_text, "service": service_text, "value": value_text}


class SmtpChannel:
    """Alerts by e-mail, one message for each recipient."""

    name = "email"
    concurrency = 4

    def __init__(self, sink: MailSink) -> None:
        self._sink = sink
        self._domain = sink.sender.rpartition("@")[2]
        self.repeatable = sink.when_unsure == "repeat"

    @classmethod
    def from_settings(cls, settings: NotifierSettings) -> Self | None:
        """The channel, or None without ONELEAD_MAIL_HOST, _FROM and _TO."""
        sink = settings.mail()
        return None if sink is None else cls(sink)

    @property
    def targets(self) -> tuple[Target, ...]:
        """Each recipient."""
        return tuple(Target(self.name, recipient) for recipient in self._sink.recipients)

    def render(self, content: Content, delivery: Delivery) -> EmailMessage:
        """The message, down to its id and date the same at each attempt.

        Raises TypeError for a withdrawal.
        """
        if isinstance(content, Withdrawal):
            raise TypeError(f"nobody is written to about withdrawals ({delivery.id})")
        message = EmailMessage(policy=SMTP_POLICY)
        message["Subject"] = _subject(content)
        message["From"] = f"OneLead <{self._sink.sender}>"
        message["To"] = delivery.target
        message["Date"] = delivery.created_at
        message["Message-ID"] = f"<{delivery.id}@{self._domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message["X-OneLead-Lead"] = plain(content.lead_id)
        _fill(message, content, delivery)
        return message

    async def send(self, rendered: EmailMessage) -> Outcome:
        """Hands the message to the mail server once, on a connection of its own."""
        client = self._client()
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            # ValueError: characters in the login that the server's mechanism cannot carry.
            return Retryable(f"no mail session: {_short(error)}")
        try:
            return await self._hand_over(client, rendered)
        finally:
            client.close()

    async def close(self) -> None:
        """Keeps no connections."""

    def _client(self) -> aiosmtplib.SMTP:
        sink = self._sink
        return aiosmtplib.SMTP(
            hostname=sink.host,
            port=sink.port,
            timeout=TIMEOUT_S,
            use_tls=sink.security == "tls",
            start_tls=sink.security == "starttls",
            username=sink.username,
            password=sink.password.get_secret_value() if sink.password else None,
            local_hostname=self._domain if self._domain.isascii() else "localhost",
        )

    async def _hand_over(self, client: aiosmtplib.SMTP, message: EmailMessage) -> Outcome:
        raw = message.as_bytes()
        try:
            await client.mail(self._sink.sender)
            await client.rcpt(message["To"].addresses[0].addr_spec)
        except aiosmtplib.SMTPResponseException as error:
            return _refusal(error)
        except (aiosmtplib.SMTPException, OSError) as error:
            return Retryable(f"mail session lost: {_short(error)}")
        try:
            await client.data(raw)
        except aiosmtplib.SMTPResponseException as error:
            return _refusal(error)
        except (aiosmtplib.SMTPException, OSError) as error:
            return Unsure(f"no answer to the message: {_short(error)}")
        return Delivered()


def _subject(alert: Alert) -> str:
    subject = plain(f"Action Required: {alert.title}")
    return subject if len(subject) <= _SUBJECT_LIMIT else subject[: _SUBJECT_LIMIT - 1] + "…"


def _fill(message: EmailMessage, alert: Alert, delivery: Delivery) -> None:
    """Text and HTML as alternatives. The boundary is fixed: quoted-printable cannot hold a `=_`."""
    text = _TEMPLATES.get_template("alert.txt.j2").render(alert=alert)
    html = _TEMPLATES.get_template("alert.html.j2").render(alert=alert)
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    message.set_boundary(f"=_{delivery.id}")


def _refusal(error: aiosmtplib.SMTPResponseException) -> Outcome:
    said = f"the mail server answered {error.code} {plain(error.message)[:200]}"
    temporary = error.code < 500 or error.code in _WANTS_OTHER_CREDENTIALS
    return Retryable(said) if temporary else Rejected(said)


def _short(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {plain(error.message)[:200]}"
    return type(error).__name__
