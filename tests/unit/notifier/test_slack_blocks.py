import pytest
from hypothesis import given
from hypothesis import strategies as st

from onelead.standins.block_kit import check_blocks
from services.notifier.channels.slack_blocks import escape, payload
from services.notifier.domain.delivery import Purpose
from tests.support.alert_reading import slack_texts
from tests.support.notifier_builders import alert, offer
from tests.support.told_contents import each_content

HOSTILE = '<!channel> <https://evil|click> & *bold* _x_ ~y~ `z` :smile: "q" @here <script>'


def test_an_alert_has_header_fields_description_services_and_a_button() -> None:
    blocks = payload(alert())["blocks"]
    assert [block["type"] for block in blocks] == [
        "header",
        "section",
        "section",
        "section",
        "actions",
        "context",
    ]
    labels = [field["text"].partition("\n")[0] for field in blocks[1]["fields"]]
    assert labels == ["*Account*", "*Score*", "*Value*", "*Priority*"]
    assert "OS Upgrade (HM002A1)" in blocks[3]["text"]["text"]
    assert blocks[4]["elements"][0]["url"] == alert().link


def test_exactly_the_three_characters_are_escaped() -> None:
    assert escape("& < > \" ' *", 100) == "&amp; &lt; &gt; \" ' *"


@given(st.text(max_size=300), st.integers(10, 200))
def test_a_cut_text_keeps_the_limit_and_no_half_escape(text: str, limit: int) -> None:
    escaped = escape(text, limit)
    assert 0 < len(escaped) <= limit
    for piece in escaped.split("&")[1:]:
        assert piece.startswith(("amp;", "lt;", "gt;"))
    assert "<" not in escaped
    assert ">" not in escaped


def test_hostile_text_reaches_slack_as_letters_only() -> None:
    services = (offer(service_type=HOSTILE, skus=(HOSTILE,)),)
    message = payload(
        alert(
            title=HOSTILE, account=HOSTILE, action=HOSTILE, product_name=HOSTILE, services=services
        )
    )
    check_blocks(message["blocks"])
    for text in slack_texts(message):
        assert "<" not in text["text"]
        if "evil" in text["text"]:
            assert text["type"] == "plain_text"
            assert text["emoji"] is False
    assert "<" not in message["text"]


def test_text_without_formatting_characters_gets_a_bold_label_and_is_verbatim() -> None:
    field = payload(alert(account="R&D Company"))["blocks"][1]["fields"][0]
    assert field == {"type": "mrkdwn", "verbatim": True, "text": "*Account*\nR&amp;D Company"}


@pytest.mark.parametrize("text", ["", " ", "\x00", "x" * 5_000, "&" * 5_000, "*" * 5_000])
def test_empty_and_endless_texts_make_a_valid_message(text: str) -> None:
    services = tuple(offer(rank, service_type=text, skus=(text,) * 30) for rank in (1, 2, 3))
    message = payload(alert(title=text, account=text, action=text, services=services))
    check_blocks(message["blocks"])


@given(title=st.text(), account=st.text(), action=st.text(), service=st.text())
def test_any_text_makes_a_message_that_slack_takes(
    title: str, account: str, action: str, service: str
) -> None:
    lead = alert(
        title=title, account=account, action=action, services=(offer(service_type=service),)
    )
    check_blocks(payload(lead)["blocks"])


def test_a_lead_without_services_says_why() -> None:
    message = payload(alert(services=(), bundle=None, no_service_reason="no_service_for_family"))
    assert message["blocks"][3]["text"]["text"] == "*Top services*\nNone: no service for family"


def test_a_digest_has_its_leads_each_beside_a_button_and_says_how_many_more() -> None:
    message = payload(each_content("Apple")[Purpose.WEEKLY_SUMMARY])
    check_blocks(message["blocks"])
    header, facts, territories, *leads, more, actions, footer = message["blocks"]
    assert header["text"]["text"] == "Apple"
    assert [field["text"] for field in facts["fields"]] == [
        "*Leads*\n40",
        "*Critical*\n7",
        "*Pipeline*\nUSD 5,643,341",
    ]
    assert territories["text"]["text"].splitlines()[:2] == [
        "*Territories*",
        "Apple: 12 leads, 3 critical, USD 120,000 ▂▁▅█",
    ]
    assert len(leads) == 3
    assert leads[0]["text"]["text"] == "82.5 · Apple · Apple · Apple · USD 10,525 · Apple"
    assert leads[0]["accessory"]["url"] == alert().link
    assert more["text"]["text"] == "and 37 more"
    assert actions["elements"][0]["text"]["text"] == "See all of them"
    assert footer["elements"][0]["text"] == "As of 2025-10-09 · default"


@pytest.mark.parametrize(
    ("purpose", "headline", "detail"),
    [
        (Purpose.UPDATE, "Changed: Box", "Owner: Box → Box"),
        (Purpose.WITHDRAWAL, "No longer holds: Box", "*Why*\nBox"),
        (Purpose.FOLLOW_UP, "Follow-up due: Box", "*When*\n2025-10-09 12:00 UTC"),
        (Purpose.CALL_TASK, "Please call: Box", "*Contact*\nBox"),
        (Purpose.NOTICE, "Box", "Box"),
        (Purpose.STORM_DIGEST, "Box", "and 37 more"),
        (Purpose.DAILY_DIGEST, "Box", "and 37 more"),
        (Purpose.AGEING, "Box", "and 37 more"),
    ],
)
def test_each_purpose_says_what_it_is_about(purpose: Purpose, headline: str, detail: str) -> None:
    message = payload(each_content("Box")[purpose])
    check_blocks(message["blocks"])
    assert message["blocks"][0]["text"]["text"] == headline
    assert any(detail in text["text"] for text in slack_texts(message["blocks"][1:]))
    assert message["text"].startswith(headline)
