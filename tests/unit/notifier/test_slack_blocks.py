from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onelead.standins.block_kit import check_blocks
from services.notifier.channels.slack_blocks import alert_payload, escape
from tests.support.notifier_builders import alert, offer

HOSTILE = '<!channel> <https://evil|click> & *bold* _x_ ~y~ `z` :smile: "q" @here <script>'


def texts(payload: dict[str, Any]) -> list[dict[str, Any]]:
    """Every text object of a payload."""
    found: list[dict[str, Any]] = []

    def walk(value: object) -> None:
        if isinstance(value, dict):
            if value.get("type") in {"plain_text", "mrkdwn"}:
                found.append(value)
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                walk(inner)

    walk(payload)
    return found


def test_an_alert_has_header_fields_description_services_and_a_button() -> None:
    blocks = alert_payload(alert())["blocks"]
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
    payload = alert_payload(
        alert(
            title=HOSTILE, account=HOSTILE, action=HOSTILE, product_name=HOSTILE, services=services
        )
    )
    check_blocks(payload["blocks"])
    for text in texts(payload):
        assert "<" not in text["text"]
        if "evil" in text["text"]:
            assert text["type"] == "plain_text"
            assert text["emoji"] is False
    assert "<" not in payload["text"]


def test_text_without_formatting_characters_gets_a_bold_label_and_is_verbatim() -> None:
    field = alert_payload(alert(account="R&D Company"))["blocks"][1]["fields"][0]
    assert field == {"type": "mrkdwn", "verbatim": True, "text": "*Account*\nR&amp;D Company"}


@pytest.mark.parametrize("text", ["", " ", "\x00", "x" * 5_000, "&" * 5_000, "*" * 5_000])
def test_empty_and_endless_texts_make_a_valid_message(text: str) -> None:
    services = tuple(offer(rank, service_type=text, skus=(text,) * 30) for rank in (1, 2, 3))
    payload = alert_payload(alert(title=text, account=text, action=text, services=services))
    check_blocks(payload["blocks"])


@given(title=st.text(), account=st.text(), action=st.text(), service=st.text())
def test_any_text_makes_a_message_that_slack_takes(
    title: str, account: str, action: str, service: str
) -> None:
    lead = alert(
        title=title, account=account, action=action, services=(offer(service_type=service),)
    )
    check_blocks(alert_payload(lead)["blocks"])


def test_a_lead_without_services_says_why() -> None:
    payload = alert_payload(
        alert(services=(), bundle=None, no_service_reason="no_service_for_family")
    )
    assert payload["blocks"][3]["text"]["text"] == "*Top services*\nNone: no service for family"
