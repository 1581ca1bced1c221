"""10,000 hostile texts through every kind of mail, read back by parsers that are not ours."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from html.parser import HTMLParser
from itertools import islice
from typing import Any

import html5lib
import pytest

from services.notifier.channels.mail.outreach import render_outreach
from services.notifier.channels.mail.samples import digest, letter_variables
from services.notifier.channels.mail.templates import Templates
from services.notifier.channels.mail.words import bounded
from services.notifier.domain.contents import (
    CONTENTS,
    CallTask,
    Change,
    Content,
    FollowUp,
    Notice,
    Outreach,
    Update,
    Withdrawal,
)
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.message import Alert
from shared.events import LeadType
from tests.support.hostile_texts import hostile_texts
from tests.support.notifier_builders import AS_OF, alert, offer
from tests.unit.notifier.test_mail_rendering import CHANNEL, CUSTOMERS, body, delivery, mail

AT_ONCE = 8


def an_alert(texts: Sequence[str]) -> Alert:
    title, account, action, product, serial, service, sku, owner = texts
    services = (offer(service_type=service, skus=(sku,)),)
    names: dict[str, Any] = {"product_name": product, "serial_number": serial or None}
    return alert(
        title=title, account=account, action=action, services=services, **names
    ).model_copy(update={"owner": owner})


def an_update(texts: Sequence[str]) -> Update:
    change = Change(what=texts[5], before=texts[6], after=texts[7])
    return Update(alert=an_alert(texts), changes=(change,), status=texts[4])


def a_withdrawal(texts: Sequence[str]) -> Withdrawal:
    return Withdrawal(alert=an_alert(texts), reason=texts[2])


def a_digest(texts: Sequence[str]) -> Content:
    title, account, note, territory, headline, *rest = texts
    found = digest("weekly")
    line = {"title": title, "account": account, "note": note, "territory": territory}
    of = {"territory": rest[0]}
    return found.model_copy(
        update={
            "title": headline,
            "tenant_id": rest[1],
            "lines": (found.lines[0].model_copy(update=line),),
            "territories": (found.territories[0].model_copy(update=of),),
        }
    )


def a_follow_up(texts: Sequence[str]) -> FollowUp:
    at = datetime(2025, 10, 16, tzinfo=UTC)
    return FollowUp(kind="set", alert=an_alert(texts), at=at, note=texts[2], owner=texts[7])


def a_call_task(texts: Sequence[str]) -> CallTask:
    return CallTask(alert=an_alert(texts), campaign=texts[6], contact=texts[7], due=AS_OF)


def a_notice(texts: Sequence[str]) -> Notice:
    return Notice(tenant_id=texts[2], title=texts[0], text=texts[1])


def a_letter(texts: Sequence[str]) -> Outreach:
    names = ("account", "serial_number", "owner", "title", "value", "years_since_end_of_life")
    known = {**letter_variables(LeadType.RENEWAL), **dict(zip(names, texts, strict=False))}
    known |= {"product": texts[6], "services": [texts[7]]}
    subject, text, html = render_outreach(Templates(), "first_outreach", known)
    return Outreach(
        tenant_id="default",
        lead_id="lead-1",
        campaign="drip",
        step=0,
        subject=subject,
        text=text,
        html=html,
        unsubscribe_url=str(known["unsubscribe_url"]),
        to="it@customer.example",
    )


Maker = Callable[[Sequence[str]], Content]
SHOWN: dict[Maker, tuple[int, ...]] = {
    an_alert: (0, 1, 2, 3, 5, 6),
    an_update: (0, 1, 4, 5, 6, 7),
    a_withdrawal: (0, 1, 2),
    a_digest: (0, 1, 2, 3, 4, 5, 6),
    a_follow_up: (0, 1, 2, 7),
    a_call_task: (1, 2, 3, 5, 6, 7),
    a_notice: (0, 1, 2),
    a_letter: (0, 1, 2, 6, 7),
}
"""Which of the texts stand in the mail's words, by kind; the others are not shown or stand in its headers."""


class Read(HTMLParser):
    """The tags, links and letters that Python's parser finds."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.letters: list[str] = []
        self.feed(html)
        self.text = "".join(self.letters)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [str(value) for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        self.letters.append(data)


def groups() -> Iterator[tuple[Maker, list[str]]]:
    """Each text once, several to a mail, the kinds of mail in turn."""
    texts, makers = hostile_texts(), list(SHOWN)
    number = 0
    while group := list(islice(texts, AT_ONCE)):
        yield makers[number % len(makers)], group
        number += 1


def harmless(texts: Sequence[str]) -> tuple[str, ...]:
    """Words in the places of texts, nothing where nothing is left of one."""
    return tuple("word" if bounded(text) else "" for text in texts)


def sent(make: Maker, texts: Sequence[str]) -> Any:
    content = make(texts)
    purpose = next(p for p, kind in CONTENTS.items() if kind is type(content))
    channel = CUSTOMERS if isinstance(content, Outreach) else CHANNEL
    return mail(content, delivery(purpose, number=9), channel)


@cache
def shape(make: Maker, texts: tuple[str, ...]) -> tuple[Any, ...]:
    """Headers, parts, tags, attributes and links of a mail."""
    return _shape(sent(make, texts))


def _shape(message: Any) -> tuple[Any, ...]:
    kinds = [part.get_content_type() for part in message.walk()]
    html = Read(body(message, "html"))
    return message.keys(), kinds, html.tags, html.attributes, html.links


@pytest.mark.slow
def test_no_text_adds_a_header_a_tag_or_a_link_and_each_reads_back() -> None:
    count = 0
    for make, texts in groups():
        message = sent(make, texts)
        assert _shape(message) == shape(make, harmless(texts))
        assert message.defects == []
        html, text = Read(body(message, "html")).text, body(message, "plain")
        for number in SHOWN[make]:
            assert bounded(texts[number]) in html
            assert bounded(texts[number]) in text
        count += len(texts)
    assert count == 10_000


@pytest.mark.slow
def test_every_subject_reads_back() -> None:
    for text in hostile_texts(600):
        expected = f"Action Required: {bounded(text)}".rstrip()
        subject = mail(alert(title=text))["Subject"]
        assert subject == (expected if len(expected) <= 200 else expected[:199] + "…")


@pytest.mark.parametrize("make", SHOWN, ids=lambda make: make.__name__)
def test_a_browser_sees_the_same_page(make: Maker) -> None:
    texts = list(islice(hostile_texts(), 400))
    for begin in range(0, len(texts), 40):
        group = texts[begin : begin + AT_ONCE]
        pages = [
            html5lib.parse(body(sent(make, each), "html"), namespaceHTMLElements=False)
            for each in (group, harmless(group))
        ]
        shapes = [[(e.tag, sorted(e.keys())) for e in page.iter()] for page in pages]
        assert shapes[0] == shapes[1]


def test_the_purposes_of_all_kinds_are_covered() -> None:
    kinds = {type(make(["x"] * AT_ONCE)) for make in SHOWN}
    assert {purpose for purpose, kind in CONTENTS.items() if kind in kinds} == set(Purpose)
