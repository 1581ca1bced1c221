from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from html.parser import HTMLParser
from typing import Any

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.channels.mail.samples import digest, samples
from services.notifier.channels.mail.smtp import MailSink, SmtpChannel
from services.notifier.domain.contents import (
    CONTENTS,
    Content,
    FollowUp,
    Notice,
    Outreach,
    Update,
    Withdrawal,
)
from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.domain.message import Alert
from shared.outbound import OutboundPolicy
from tests.support.notifier_builders import alert, offer

SERVER: dict[str, Any] = {
    "host": "localhost",
    "security": "none",
    "sender": "sales@onelead.example",
}
CHANNEL = SmtpChannel.open(
    MailSink(**SERVER, recipients=("rep@example.com", "boss@example.com")), OutboundPolicy()
)
CUSTOMERS = SmtpChannel.open(
    MailSink(**SERVER, sender_name="Acme Services", outreach=True), OutboundPolicy()
)
OUTREACH = Outreach(
    tenant_id="default",
    lead_id="lead-1",
    campaign="drip",
    step=0,
    subject="Support for your server has ended",
    text="Good day\n",
    html="<p>Good day</p>",
    unsubscribe_url="https://onelead.example/u/1",
    to="it@customer.example",
)


def delivery(purpose: Purpose = Purpose.ALERT, number: int = 0, **changes: Any) -> Delivery:
    values: dict[str, Any] = {
        "tenant_id": "default",
        "lead_id": "lead-1",
        "episode": 1,
        "channel": "email",
        "target": "rep@example.com",
        "created_at": datetime(2025, 10, 9, 8, 30, tzinfo=UTC),
    }
    return Delivery(purpose=purpose, number=number, **(values | changes))


def mail(
    content: Content, of: Delivery | None = None, channel: SmtpChannel = CHANNEL
) -> EmailMessage:
    """The mail as its receiver's program reads it."""
    purpose = next(p for p, kind in CONTENTS.items() if kind is type(content))
    raw = channel.wire(channel.render(content, of or delivery(purpose)))
    return message_from_bytes(raw, policy=default_policy)


def body(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    assert part is not None
    return str(part.get_content())


class Reader(HTMLParser):
    """What Python's own parser finds in HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action"}]
        assert not any(name.startswith("on") for name, _ in attrs)


def elements(html: str) -> Iterator[Any]:
    """Every element a browser would make of HTML."""
    yield from html5lib.parse(html, namespaceHTMLElements=False).iter()


def test_an_alert_has_subject_text_and_html() -> None:
    message = mail(alert())
    title = "Support Renewal: HP DL360p Gen8 8-SFF CTO Server"
    assert message["Subject"] == f"Action Required: {title}"
    assert message["From"] == "OneLead <sales@onelead.example>"
    assert message["To"] == "rep@example.com"
    assert message["Date"] == "Thu, 09 Oct 2025 08:30:00 +0000"
    assert message["Message-ID"] == f"<{delivery().id}@onelead.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["In-Reply-To"] is None
    for subtype in ("plain", "html"):
        text = body(message, subtype)
        for fact in ("Apple Inc", "82.5", "USD 5,613 – 10,525", "OS Upgrade", alert().link):
            assert fact in text


@pytest.mark.parametrize(("name", "content"), list(samples()))
def test_every_kind_of_content_is_the_same_mail_each_time(name: str, content: Content) -> None:
    purpose = next(p for p, kind in CONTENTS.items() if kind is type(content))
    first, second = (CHANNEL.wire(CHANNEL.render(content, delivery(purpose, 7))) for _ in range(2))
    assert first == second
    message = message_from_bytes(first, policy=default_policy)
    assert [part.get_content_type() for part in message.iter_parts()][:2] == [
        "text/plain",
        "text/html",
    ]
    assert message.defects == []
    tags = {
        element.tag for element in elements(body(message, "html")) if isinstance(element.tag, str)
    }
    assert tags.isdisjoint({"script", "img", "svg", "iframe", "form", "link", "div div"})


def test_each_recipient_is_a_target_of_its_own() -> None:
    assert [target.address for target in CHANNEL.targets] == ["rep@example.com", "boss@example.com"]


def test_news_of_a_lead_stand_in_its_alerts_thread() -> None:
    first = mail(alert())
    for content in (
        Update(alert=alert(), changes=()),
        Withdrawal(alert=alert(), reason="support was renewed"),
    ):
        purpose = Purpose.UPDATE if isinstance(content, Update) else Purpose.WITHDRAWAL
        later = mail(content, delivery(purpose, number=1_760_000_000_000_000))
        assert later["In-Reply-To"] == later["References"] == first["Message-ID"]
        assert later["Message-ID"] != first["Message-ID"]
        assert later["Subject"] == f"Re: {first['Subject']}"


def test_the_thread_of_another_recipient_or_episode_is_another() -> None:
    content = Update(alert=alert(), changes=())
    threads = {
        mail(content, delivery(Purpose.UPDATE, 5, **changes))["In-Reply-To"]
        for changes in ({}, {"target": "boss@example.com"}, {"episode": 2}, {"lead_id": "lead-2"})
    }
    assert len(threads) == 4


def test_a_weekly_summary_shows_each_territorys_weeks() -> None:
    message = mail(digest("weekly"), delivery(Purpose.WEEKLY_SUMMARY, 3, lead_id=""))
    assert "Romandie: 26 leads, 5 critical, USD 1,100,000 ▁▁▂▄▄▅▇█ (+22 %)" in body(
        message, "plain"
    )
    charts = [e for e in elements(body(message, "html")) if e.get("role") == "img"]
    heights = [
        [int(cell.get("height")) for cell in chart.iter("td") if cell.get("bgcolor")]
        for chart in charts
    ]
    assert heights[2] == [2, 2, 6, 12, 12, 20, 26, 32]
    assert message["List-Unsubscribe"] == "<mailto:sales@onelead.example?subject=unsubscribe>"
    assert message["List-Unsubscribe-Post"] is None


def test_outreach_goes_to_the_customer_with_one_click_to_unsubscribe() -> None:
    assert [t.address for t in CUSTOMERS.targets] == ["customers of sales@onelead.example"]
    target = CUSTOMERS.targets[0].address
    message = mail(OUTREACH, delivery(Purpose.OUTREACH, 100, target=target), CUSTOMERS)
    assert message["To"] == "it@customer.example"
    assert message["From"] == "Acme Services <sales@onelead.example>"
    assert message["List-Unsubscribe"] == (
        "<https://onelead.example/u/1>, <mailto:sales@onelead.example?subject=unsubscribe>"
    )
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["X-OneLead-Lead"] is None
    assert body(message, "plain").splitlines() == ["Good day"]


def test_later_mails_of_a_campaign_answer_its_first() -> None:
    first = mail(OUTREACH, delivery(Purpose.OUTREACH, 200), CUSTOMERS)
    third = OUTREACH.model_copy(update={"step": 2})
    assert (
        mail(third, delivery(Purpose.OUTREACH, 202), CUSTOMERS)["In-Reply-To"]
        == first["Message-ID"]
    )


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://x/\r\nBcc: a@b.c",
        "javascript:alert(1)",
        "https://x/> <mailto:a@b.c",
        "https://ä/",
    ],
)
def test_an_unusable_unsubscribe_address_leaves_the_way_by_mail(url: str) -> None:
    content = OUTREACH.model_copy(update={"unsubscribe_url": url})
    message = mail(content, delivery(Purpose.OUTREACH), CUSTOMERS)
    assert message["List-Unsubscribe"] == "<mailto:sales@onelead.example?subject=unsubscribe>"
    assert message["List-Unsubscribe-Post"] is None
    assert message["Bcc"] is None


@pytest.mark.parametrize("to", ["a@b.c\r\nBcc: d@e.f", "nobody", "a@b.c, d@e.f", "<a@b.c>"])
def test_an_address_that_is_none_makes_no_mail(to: str) -> None:
    content = OUTREACH.model_copy(update={"to": to})
    with pytest.raises(ValueError):  # noqa: PT011 - the standard library's words vary
        mail(content, delivery(Purpose.OUTREACH), CUSTOMERS)


@pytest.mark.parametrize(
    ("channel", "content"), [(CHANNEL, OUTREACH), (CUSTOMERS, alert())], ids=["outreach", "alert"]
)
def test_colleagues_and_customers_do_not_get_each_others_mails(
    channel: SmtpChannel, content: Content
) -> None:
    with pytest.raises(TypeError):
        mail(content, channel=channel)


def test_a_test_of_a_sink_for_customers_goes_to_its_own_sender() -> None:
    notice = Notice(tenant_id="default", title="A test", text="Nothing needs to be done")
    of = delivery(Purpose.NOTICE, target=CUSTOMERS.targets[0].address)
    assert mail(notice, of, CUSTOMERS)["To"] == "sales@onelead.example"


def test_a_sink_is_told_what_it_can_tell() -> None:
    customers = MailSink(**SERVER, outreach=True)
    colleagues = MailSink(**SERVER, recipients=("rep@example.com",))
    assert customers.sends == (Purpose.OUTREACH,)
    assert set(colleagues.sends) == set(Purpose) - {Purpose.OUTREACH}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"outreach": True, "recipients": ("rep@example.com",)},
        {"recipients": ("rep@example.com",), "sends": ("outreach",)},
        {"outreach": True, "sends": ("alert",)},
        {"recipients": ("rep@example.com",), "sender_name": "a\nb"},
    ],
)
def test_a_sink_writes_to_colleagues_or_to_customers(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        MailSink(**SERVER, **changes)


HOSTILE = 'x\r\nBcc: evil@example.com\r\n\r\n<script>alert(1)</script> & "it\'s" {{ 7 * 7 }}'


def test_hostile_text_adds_no_header_and_no_markup() -> None:
    services = (offer(service_type=HOSTILE),)
    found = alert(title=HOSTILE, account=HOSTILE, action=HOSTILE, services=services)
    message = mail(found, delivery(lead_id=HOSTILE))
    assert message["Bcc"] is None
    assert sorted(message.keys()) == sorted(mail(alert()).keys())
    html = body(message, "html")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;it&#39;s&#34;" in html
    assert Reader(html).tags.count("script") == 0
    assert "49" not in html
    assert "<script>alert(1)</script>" in body(message, "plain")


@pytest.mark.parametrize(
    "title",
    ["=?utf-8?b?PHNjcmlwdD4=?=", "=?utf-8?q?Bcc=3A?= x", "ä =?utf-8?q?x?=", "=?", "a" * 300],
)
def test_a_subject_that_looks_encoded_reads_back_as_it_was(title: str) -> None:
    expected = f"Action Required: {title}"
    assert mail(alert(title=title))["Subject"] == (
        expected if len(expected) <= 200 else expected[:199] + "…"
    )


@given(title=st.text(), account=st.text(), boundary=st.booleans())
def test_any_text_makes_a_mail_that_reads_back(title: str, account: str, boundary: bool) -> None:
    hostile = f"{title} --=_{delivery().id}--" if boundary else title
    lead = alert(title=hostile, account=account)
    message = mail(lead)
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert lead.title in body(message, "plain")
    assert (
        message["Subject"].rstrip() == f"Action Required: {lead.title}"[:200].rstrip()
        or len(lead.title) > 180
    )


def test_a_long_title_is_cut_in_the_subject_only() -> None:
    message = mail(alert(title="x" * 10_000))
    assert len(message["Subject"]) == 200
    assert "x" * 10_000 in body(message, "plain").replace("\n", "")


def test_a_link_that_leads_elsewhere_than_the_web_is_no_link() -> None:
    found: Alert = alert().model_copy(update={"link": "javascript:alert(1)"})
    assert Reader(body(mail(found), "html")).links == []


def test_a_reminder_is_no_invitation() -> None:
    at = datetime(2025, 10, 16, 14, tzinfo=UTC)
    due = FollowUp(kind="due", alert=alert(), at=at, note="", owner=None)
    kinds = [part.get_content_type() for part in mail(due).walk()]
    assert "text/calendar" not in kinds
