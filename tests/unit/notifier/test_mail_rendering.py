from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.channels.smtp import SmtpChannel
from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.domain.message import Alert, Withdrawal
from services.notifier.settings import MailSink
from tests.support.notifier_builders import alert, offer

CHANNEL = SmtpChannel(
    MailSink(
        host="localhost",
        port=25,
        security="none",
        sender="alerts@onelead.example",
        recipients=("rep@example.com", "boss@example.com"),
        username=None,
        password=None,
        when_unsure="leave",
    )
)
DELIVERY = Delivery(
    tenant_id="default",
    lead_id="lead-1",
    episode=1,
    purpose=Purpose.ALERT,
    channel="email",
    target="rep@example.com",
    created_at=datetime(2025, 10, 9, 8, 30, tzinfo=UTC),
)


def parsed(content: Alert) -> EmailMessage:
    """The mail as its receiver's program reads it."""
    raw = CHANNEL.render(content, DELIVERY).as_bytes()
    return message_from_bytes(raw, policy=default_policy)


def body(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    assert part is not None
    return str(part.get_content())


def test_a_mail_has_subject_text_and_html() -> None:
    message = parsed(alert())
    title = "Support Renewal: HP DL360p Gen8 8-SFF CTO Server"
    assert message["Subject"] == f"Action Required: {title}"
    assert message["From"] == "OneLead <alerts@onelead.example>"
    assert message["To"] == "rep@example.com"
    assert message["Date"] == "Thu, 09 Oct 2025 08:30:00 +0000"
    assert message["Message-ID"] == f"<{DELIVERY.id}@onelead.example>"
    for subtype in ("plain", "html"):
        text = body(message, subtype)
        for fact in ("Apple Inc", "82.5", "USD 5,613 – 10,525", "OS Upgrade", alert().link):
            assert fact in text


def test_the_same_delivery_is_the_same_mail_to_the_last_byte() -> None:
    first, second = (CHANNEL.render(alert(), DELIVERY).as_bytes() for _ in range(2))
    assert first == second


def test_each_recipient_is_a_target_of_its_own() -> None:
    assert [target.address for target in CHANNEL.targets] == ["rep@example.com", "boss@example.com"]


HOSTILE = 'x\r\nBcc: evil@example.com\r\n\r\n<script>alert(1)</script> & "it\'s" {{ 7 * 7 }}'


def test_hostile_text_adds_no_header_and_no_markup() -> None:
    services = (offer(service_type=HOSTILE),)
    message = parsed(
        alert(title=HOSTILE, account=HOSTILE, action=HOSTILE, lead_id=HOSTILE, services=services)
    )
    assert message["Bcc"] is None
    assert sorted(message.keys()) == sorted(parsed(alert()).keys())
    html = body(message, "html")
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;it&#39;s&#34;" in html
    assert "49" not in html
    assert "<script>alert(1)</script>" in body(message, "plain")


@given(title=st.text(), account=st.text(), boundary=st.booleans())
def test_any_text_makes_a_mail_that_reads_back(title: str, account: str, boundary: bool) -> None:
    hostile = f"{title} --=_{DELIVERY.id}--" if boundary else title
    lead = alert(title=hostile, account=account)
    message = parsed(lead)
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert lead.title in body(message, "plain")


def test_a_long_title_is_cut_in_the_subject_only() -> None:
    message = parsed(alert(title="x" * 10_000))
    assert len(message["Subject"]) == 200
    assert "x" * 10_000 in body(message, "plain").replace("\n", "")


def test_a_withdrawal_is_no_mail() -> None:
    with pytest.raises(TypeError):
        CHANNEL.render(Withdrawal(alert=alert(), reason="gone"), DELIVERY)
