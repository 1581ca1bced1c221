"""E-mail over SMTP: hands mails to the operator's mail server, encrypted unless it is told otherwise.

SMTP is blind: once the message's last byte has left, only the server's answer tells its fate.
"""

import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

import aiosmtplib
from pydantic import AfterValidator, Field, model_validator

from services.notifier.channels.http import TIMEOUT_S
from services.notifier.channels.mail.check import checked
from services.notifier.channels.mail.messages import Sender, message_of
from services.notifier.channels.mail.templates import Templates
from services.notifier.channels.sink import Mailbox, Secret, SinkSettings
from services.notifier.domain.attempt import (
    Certainty,
    Delivered,
    Outcome,
    Rejected,
    Retryable,
    Unsure,
)
from services.notifier.domain.contents import Content
from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.domain.message import plain
from services.notifier.domain.plan import Target
from shared.errors import UserError
from shared.outbound import OutboundPolicy

MailSecurity = Literal["none", "starttls", "tls"]
_PORTS: Mapping[MailSecurity, int] = {"none": 25, "starttls": 587, "tls": 465}
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_WANTS_OTHER_CREDENTIALS = frozenset({530, 534, 535, 538})
_FAILURES = (aiosmtplib.SMTPException, OSError, ValueError)
"""ValueError: characters in the login that the server's mechanism cannot carry."""
_QUIT_S = 2.0
_HOST = re.compile(r"[\w.:-]{1,253}", re.ASCII)
_TO_COLLEAGUES = tuple(purpose for purpose in Purpose if purpose is not Purpose.OUTREACH)


def _host(name: str) -> str:
    if not _HOST.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a host like mail.example.com")
    return name


class MailSink(SinkSettings):
    """A mail server and who is written to; each recipient is a target of its own.

    With `outreach` it writes to customers instead, to the address that each campaign mail names.
    """

    channel: Literal["email"] = "email"
    host: Annotated[str, AfterValidator(_host)]
    port: int | None = Field(None, ge=1, le=65_535)
    security: MailSecurity = "starttls"
    ca_file: Path | None = Field(None, description="certificates to trust instead of the system's")
    sender: Mailbox
    sender_name: Annotated[str, Field(pattern=r"^[^\r\n\x00]{1,80}$")] = "OneLead"
    reply_to: Mailbox | None = None
    recipients: tuple[Mailbox, ...] = ()
    outreach: bool = False
    username: str | None = None
    password: Secret | None = None
    templates: Path | None = Field(
        None, description="a folder of your own templates, in place of ONELEAD_TEMPLATES_DIR"
    )

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if self.outreach and self.recipients:
            raise ValueError("outreach goes to the customers that campaigns name: no recipients")
        if not self.outreach and not self.recipients:
            raise ValueError("recipients must name at least one mail address")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together: one of them is missing")
        able = (Purpose.OUTREACH,) if self.outreach else _TO_COLLEAGUES
        if not self.outreach and Purpose.OUTREACH in self.sends:
            raise ValueError("outreach is sent by a sink of its own with `outreach: true`")
        if set(self.sends) - set(able):
            raise ValueError("a sink with `outreach: true` sends outreach only")
        object.__setattr__(self, "sends", self.sends or able)
        return self


class SmtpChannel:
    """Everything OneLead tells people, one mail for each recipient."""

    name: ClassVar[str] = "email"
    settings_class: ClassVar[type[SinkSettings]] = MailSink
    accepts: ClassVar[frozenset[Purpose]] = frozenset(Purpose)
    certainty: ClassVar[Certainty] = Certainty.BLIND

    def __init__(self, sink: MailSink) -> None:
        self._sink = sink
        self._sender = Sender(sink.sender, sink.sender_name, sink.reply_to)
        self._tls = _tls(sink)
        self._templates = checked(Templates(sink.templates))
        self.repeatable = sink.when_unsure == "repeat"
        self.concurrency = sink.concurrency or 4

    @classmethod
    def open(cls, settings: MailSink, policy: OutboundPolicy) -> Self:  # noqa: ARG003 - a mail server is the operator's own
        """The sink of a mail server. Raises UserError for settings or templates that cannot work."""
        if settings.username and settings.security == "none" and settings.host not in _HERE:
            raise UserError(
                f"mail server {settings.host}: a login in the clear can be read on its way",
                hint="security: starttls or tls; none is for a server on this machine",
            )
        return cls(settings)

    @property
    def targets(self) -> tuple[Target, ...]:
        """Each recipient; for outreach one target that stands for all customers of this sender."""
        if self._sink.outreach:
            return (Target(self.name, f"customers of {self._sink.sender}"),)
        return tuple(Target(self.name, recipient) for recipient in self._sink.recipients)

    def render(self, content: Content, delivery: Delivery) -> EmailMessage:
        """The mail, down to its id and date the same at each attempt.

        A notice to customers, which is a test of the sink, goes to its own sender. Raises TypeError
        for what is told by another sink, ValueError for an address that is none.
        """
        own = delivery.purpose is Purpose.NOTICE and self._sink.outreach
        if not own and (delivery.purpose is Purpose.OUTREACH) is not self._sink.outreach:
            raise TypeError(f"this sink is not told of {delivery.purpose.value} ({delivery.id})")
        if own:
            delivery = replace(delivery, target=self._sink.reply_to or self._sink.sender)
        return message_of(content, delivery, self._sender, self._templates)

    def wire(self, rendered: EmailMessage) -> bytes:
        """The message as the server gets it."""
        return rendered.as_bytes()

    async def find(self, rendered: EmailMessage) -> Outcome | None:
        """A mail server cannot be asked."""
        raise NotImplementedError

    async def send(self, rendered: EmailMessage) -> Outcome:
        """Hands the message to the mail server once, on a connection of its own."""
        client = self._client()
        try:
            await client.connect()
        except _FAILURES as error:
            return _no_session(error)
        try:
            outcome = await self._hand_over(client, rendered)
            with suppress(*_FAILURES):
                await client.quit(timeout=_QUIT_S)
            return outcome
        finally:
            client.close()

    async def close(self) -> None:
        """Ends the process that renders templates of one's own; keeps no connections."""
        self._templates.close()

    def _client(self) -> aiosmtplib.SMTP:
        sink, domain = self._sink, self._sender.domain
        return aiosmtplib.SMTP(
            hostname=sink.host,
            port=sink.port or _PORTS[sink.security],
            timeout=TIMEOUT_S,
            use_tls=sink.security == "tls",
            start_tls=sink.security == "starttls",
            tls_context=self._tls,
            username=sink.username,
            password=sink.password.get_secret_value() if sink.password else None,
            local_hostname=domain if domain.isascii() else "localhost",
        )

    async def _hand_over(self, client: aiosmtplib.SMTP, message: EmailMessage) -> Outcome:
        raw = message.as_bytes()
        try:
            await client.mail(self._sink.sender)
        except _FAILURES as error:
            return _refusal(error) or Retryable(f"mail session lost: {_short(error)}", error="lost")
        try:
            await client.rcpt(message["To"].addresses[0].addr_spec)
        except _FAILURES as error:
            return _refusal(error, of="recipient") or Retryable(
                f"mail session lost: {_short(error)}", error="lost"
            )
        try:
            answer = await client.data(raw)
        except _FAILURES as error:
            return _refusal(error) or Unsure(
                f"no answer to the message: {_short(error)}", error=_class_of(error, "lost")
            )
        return Delivered(status=answer.code)


def _tls(sink: MailSink) -> ssl.SSLContext | None:
    """Certificates are always checked. Raises UserError for a file that holds none."""
    if sink.security == "none":
        return None
    try:
        return ssl.create_default_context(cafile=str(sink.ca_file) if sink.ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise UserError(f"ca_file {sink.ca_file}: no certificates can be read: {error}") from None


def _no_session(error: Exception) -> Outcome:
    """Nothing has left yet; whoever runs the server or the settings can mend it."""
    status = error.code if isinstance(error, aiosmtplib.SMTPResponseException) else None
    found = "auth" if isinstance(error, aiosmtplib.SMTPAuthenticationError) else ""
    found = found or ("server" if status else _class_of(error, "connect"))
    return Retryable(f"no mail session: {_short(error)}", status=status, error=found)


def _refusal(error: Exception, of: str = "rejected") -> Outcome | None:
    """What an answer of the server means; None for a session that was lost. `of`: what a 5xx refuses."""
    if not isinstance(error, aiosmtplib.SMTPResponseException):
        return None
    said = f"the mail server answered {error.code} {plain(error.message)[:200]}"
    if error.code in _WANTS_OTHER_CREDENTIALS:
        return Retryable(said, status=error.code, error="auth")
    if error.code < 500:
        return Retryable(said, status=error.code, error="server")
    return Rejected(said, status=error.code, error=of)


def _class_of(error: Exception, otherwise: str) -> str:
    """The kind of a failure without an answer; aiosmtplib wraps what the socket said."""
    causes = (error, error.__cause__, error.__context__)
    if any(isinstance(each, ssl.SSLError) for each in causes):
        return "tls"
    late = (TimeoutError, aiosmtplib.SMTPTimeoutError)
    return "timeout" if isinstance(error, late) else otherwise


def _short(error: Exception) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {plain(error.message)[:200]}"
    if _class_of(error, "") == "tls":
        return f"{type(error).__name__}: the server's certificate or encryption is not trusted"
    return type(error).__name__
