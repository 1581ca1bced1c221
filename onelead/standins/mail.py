"""The mail stand-in: a real SMTP server (aiosmtpd) that keeps what it takes."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from onelead.standins.archive import Archive
from onelead.standins.faults import Fault, Faults

CHANNEL = "email"
MAX_RECIPIENTS = 100
_SHOWN_HEADERS = ("From", "To", "Subject", "Date", "Message-ID")


class MailReceiver:
    """The hooks aiosmtpd calls; malformed addresses and sizes it refuses by itself."""

    def __init__(self, archive: Archive, faults: Faults) -> None:
        self._archive = archive
        self._faults = faults

    async def handle_MAIL(  # noqa: N802 - the name aiosmtpd looks for
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """The sender."""
        refusal = await self._refusal("mail", address)
        if refusal:
            return refusal
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Sender OK"

    async def handle_RCPT(  # noqa: N802
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """A recipient."""
        refusal = await self._refusal("rcpt", address)
        if refusal:
            return refusal
        local, _, domain = address.rpartition("@")
        if not local or not domain or ".." in address or domain.startswith((".", "-")):
            return self._refuse(f"553 5.1.3 <{address}>: recipient address is not valid", address)
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return self._refuse("452 4.5.3 Too many recipients", address)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Recipient OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """The message itself."""
        recipients = ", ".join(envelope.rcpt_tos)
        refusal = await self._refusal("data", recipients)
        if refusal:
            return refusal
        raw = envelope.content or b""
        content = read_message(raw if isinstance(raw, bytes) else raw.encode())
        content["recipients"] = recipients
        identity = f"{content['headers'].get('Message-ID', '')} {recipients}"
        message = self._archive.accept(CHANNEL, identity, content)
        if self._faults.take_drop(CHANNEL) and server.transport is not None:
            server.transport.abort()  # type: ignore[attr-defined]
        return f"250 2.0.0 OK queued as {message.number}"

    async def _refusal(self, at: str, address: str) -> str | None:
        fault: Fault | None = await self._faults.take(CHANNEL, at)
        if fault is None:
            return None
        kind = (
            "4.3.2 System not accepting messages" if (fault.status or 0) < 500 else "5.7.1 Refused"
        )
        return self._refuse(f"{fault.status} {fault.body or kind}", address)

    def _refuse(self, answer: str, address: str) -> str:
        self._archive.reject(CHANNEL, answer, {"recipients": address})
        return answer


def read_message(raw: bytes) -> dict[str, Any]:
    """What a mail program shows of a message: headers, text and HTML, whatever the bytes hold."""
    message = message_from_bytes(raw, policy=default_policy)
    headers = {name: _header(message, name) for name in _SHOWN_HEADERS}
    return {
        "headers": {name: value for name, value in headers.items() if value},
        "text": _part(message, "plain"),
        "html": _part(message, "html"),
        "bytes": len(raw),
    }


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message[name] or "")
    except (ValueError, IndexError, AttributeError, TypeError):
        return "(unreadable)"


def _part(message: EmailMessage, subtype: str) -> str:
    try:
        body = message.get_body((subtype,))
        return "" if body is None else str(body.get_content())
    except (ValueError, LookupError, AttributeError, TypeError):
        return "(unreadable)"
