"""The mail stand-in: a real SMTP server (aiosmtpd) that keeps what it takes."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, Envelope, Session

from onelead.standins.archive import Archive
from onelead.standins.faults import Answer, Faults
from onelead.standins.slack import content_hash

CHANNEL = "email"
MAX_RECIPIENTS = 100
_SHOWN_HEADERS = (
    *("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References"),
    *("List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted"),
)


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
        fault = await self._faults.take(CHANNEL, recipients, "data")
        if fault is not None and fault.refuses:
            return self._refuse(_words(fault), recipients)
        raw = envelope.content or b""
        content = read_message(raw if isinstance(raw, bytes) else raw.encode())
        content["recipients"] = recipients
        identity = content["headers"].get("Message-ID") or content_hash(content)
        message = self._archive.accept(CHANNEL, identity, content, sink=recipients)
        cut = self._faults.take_drop(CHANNEL) or (fault is not None and fault.drop)
        if cut and server.transport is not None:
            server.transport.abort()  # type: ignore[attr-defined]
        return f"250 2.0.0 OK queued as {message.number}"

    async def _refusal(self, at: Literal["mail", "rcpt"], address: str) -> str | None:
        fault = await self._faults.take(CHANNEL, address, at)
        return self._refuse(_words(fault), address) if fault and fault.refuses else None

    def _refuse(self, answer: str, address: str) -> str:
        self._archive.reject(CHANNEL, answer, {"recipients": address}, sink=address)
        return answer


def _words(fault: Answer) -> str:
    status = fault.status or 451
    kind = "4.3.2 System not accepting messages" if status < 500 else "5.7.1 Refused"
    return f"{status} {fault.body or kind}"


def read_message(raw: bytes) -> dict[str, Any]:
    """What a mail program shows of a message: headers, text and HTML, whatever the bytes hold."""
    message = message_from_bytes(raw, policy=default_policy)
    headers = {name: _header(message, name) for name in _SHOWN_HEADERS}
    return {
        "headers": {name: value for name, value in headers.items() if value},
        "text": _part(message, "plain"),
        "html": _part(message, "html"),
        "attachments": _attachments(message),
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


def _attachments(message: EmailMessage) -> list[dict[str, Any]]:
    """What hangs on the message; an invitation, which mail programs show, with its text."""
    found = []
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "text/calendar" or part.get_filename() is not None:
            raw = part.get_payload(decode=True)
            size = raw if isinstance(raw, bytes) else b""
            text = size.decode(errors="replace") if kind == "text/calendar" else ""
            name = part.get_filename() or ""
            found.append({"name": name, "type": kind, "bytes": len(size), "text": text})
    return found
