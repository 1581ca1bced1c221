"""A content as a mail: headers, text and HTML as alternatives, an invitation where there is one.

The same delivery gives the same mail to the last byte; news of a lead stand in its alert's thread.
"""

import re
from dataclasses import dataclass, replace
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from urllib.parse import quote, urlsplit

from services.notifier.channels.mail.invitation import invitation, method_of
from services.notifier.channels.mail.templates import Templates
from services.notifier.channels.mail.views import View, view_of
from services.notifier.domain.contents import Content, Digest, FollowUp, Outreach
from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.domain.message import plain
from shared.errors import UserError
from shared.ops.logs import get_logger

_log = get_logger(__name__)
_IN_HEADERS = re.compile(r"[!-~]+")
_ADDRESS = re.compile(r"[!#-'*+\-/-9=?A-Z^-~.]{1,64}@[A-Za-z0-9.-]{1,255}")
_KINDS = ("txt", "html")
_ONE_LINE = 60
_ALONE = frozenset({Purpose.ALERT, Purpose.NOTICE, Purpose.OUTREACH})


@dataclass(frozen=True)
class Sender:
    """Whom mails come from, and where answers go."""

    address: str
    name: str
    reply_to: str | None = None

    @property
    def domain(self) -> str:
        """What ids of mails end with."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True)
class Words:
    """What a mail says."""

    subject: str
    text: str
    html: str


def words_of(content: Content, templates: Templates) -> Words:
    """Subject, text and HTML. A template of one's own that fails gives way to the built-in one."""
    if isinstance(content, Outreach):
        return Words(content.subject, content.text, content.html)
    view = view_of(content)
    try:
        return rendered_words(view, templates)
    except UserError as error:
        if not templates.own:
            raise
        _log.warning("built-in template used instead", template=view.template, error=error.message)
    found = (templates.built_in(f"{view.template}.{kind}.j2", view.variables) for kind in _KINDS)
    return Words(view.subject, *found)


def rendered_words(view: View, templates: Templates) -> Words:
    """Subject, text and HTML of a view. Raises UserError naming the template, and its line where one is
    at fault."""
    return Words(
        view.subject, *(_said(view, f"{view.template}.{kind}.j2", templates) for kind in _KINDS)
    )


def _said(view: View, name: str, templates: Templates) -> str:
    found = templates.text(name, view.variables)
    if not found.strip():
        raise UserError(f"{name}: the mail would be empty")
    return found


def message_of(
    content: Content, delivery: Delivery, sender: Sender, templates: Templates
) -> EmailMessage:
    """The mail. Raises ValueError for an address that is none."""
    words = words_of(content, templates)
    message = EmailMessage(policy=SMTP_POLICY)
    _set_text(message, "Subject", words.subject)
    message["From"] = Address(sender.name, addr_spec=sender.address)
    message["To"] = Address(addr_spec=_address(recipient(content, delivery)))
    if sender.reply_to:
        message["Reply-To"] = Address(addr_spec=sender.reply_to)
    message["Date"] = delivery.created_at
    for name, value in _headers(content, delivery, sender).items():
        message[name] = value
    message.set_content(words.text, cte="quoted-printable")
    message.add_alternative(words.html, subtype="html", cte="quoted-printable")
    if isinstance(content, FollowUp) and content.kind == "set":
        _invite(message, content, delivery, sender)
    # Fixed, so that each attempt is the same mail: quoted-printable cannot hold a `=_`.
    message.set_boundary(f"=_{delivery.id}")
    return message


def recipient(content: Content, delivery: Delivery) -> str:
    """Who is written to: the customer that an outreach names, else the delivery's target."""
    return content.to if isinstance(content, Outreach) and content.to else delivery.target


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError(f"{text[:100]!r} is not a mail address like name@example.com")
    return text


def _headers(content: Content, delivery: Delivery, sender: Sender) -> dict[str, str]:
    found = {"Message-ID": _id(delivery, sender), "Auto-Submitted": "auto-generated"}
    if delivery.lead_id and not isinstance(content, Outreach):
        found["X-OneLead-Lead"] = quote(plain(delivery.lead_id), safe="-._~")[:200]
    if (first := _answered(content, delivery)) is not None:
        found["In-Reply-To"] = found["References"] = _id(first, sender)
    return found | _ways_out(content, sender)


def _answered(content: Content, delivery: Delivery) -> Delivery | None:
    """The delivery whose mail this one answers: the lead's alert, or the first mail of the campaign."""
    if isinstance(content, Outreach) and content.step > 0:
        return replace(delivery, number=delivery.number - content.step)
    if delivery.purpose in _ALONE or isinstance(content, Digest):
        return None
    return replace(delivery, purpose=Purpose.ALERT, number=0)


def _id(delivery: Delivery, sender: Sender) -> str:
    return f"<{delivery.id}@{sender.domain}>"


def _ways_out(content: Content, sender: Sender) -> dict[str, str]:
    """How a mail program takes its reader off the list (RFC 2369), in one click where it may (RFC 8058)."""
    if not isinstance(content, Outreach | Digest):
        return {}
    by_mail = f"<mailto:{sender.reply_to or sender.address}?subject=unsubscribe>"
    url = content.unsubscribe_url if isinstance(content, Outreach) else ""
    scheme = urlsplit(url).scheme if _IN_HEADERS.fullmatch(url) else ""
    if scheme not in {"http", "https"} or "<" in url or ">" in url:
        return {"List-Unsubscribe": by_mail}
    found = {"List-Unsubscribe": f"<{url}>, {by_mail}"}
    if scheme == "https":
        found["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return found


def _invite(message: EmailMessage, content: FollowUp, delivery: Delivery, sender: Sender) -> None:
    entry = invitation(content, delivery, sender.address)
    message.add_alternative(
        entry, maintype="text", subtype="calendar", cte="base64", params={"charset": "utf-8"}
    )
    parts = message.get_payload()
    parts[-1].set_param("method", method_of(content))  # type: ignore[index,union-attr]


def _set_text(message: EmailMessage, name: str, text: str) -> None:
    """A header that reads back as `text`, even if that is long or looks like an encoded word.

    The policy would decode `=?utf-8?…?=` as it is assigned, and begin a long text on a line of its
    own; what is stored encoded it leaves alone.
    """
    text = plain(text)
    if text.isascii() and "=?" not in text and len(text) < _ONE_LINE:
        message[name] = text
    else:
        message.set_raw(name, Header(text, "utf-8", header_name=name).encode())
