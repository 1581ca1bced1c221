from typing import Any

import pytest

from onelead.standins.block_kit import InvalidBlocksError, check_blocks


def text(content: str, kind: str = "plain_text") -> dict[str, Any]:
    return {"type": kind, "text": content}


def header(content: str) -> dict[str, Any]:
    return {"type": "header", "text": text(content)}


def section(**parts: Any) -> dict[str, Any]:
    return {"type": "section", **parts}


def button(**changes: Any) -> dict[str, Any]:
    element = {"type": "button", "text": text("Open"), "url": "https://example.com"} | changes
    return {"type": "actions", "elements": [element]}


@pytest.mark.parametrize(
    "blocks",
    [
        [],
        [header("x" * 150)],
        [section(text=text("x" * 3000, "mrkdwn"))],
        [section(fields=[text("x" * 2000)] * 10)],
        [{"type": "divider"}] * 50,
        [button(), {"type": "context", "elements": [text("a"), text("b", "mrkdwn")]}],
        [section(text=text("a"), accessory=button()["elements"][0])],
        [{"type": "markdown", "text": "**b**"}],
        [{"type": "image", "image_url": "https://example.com/x.png", "alt_text": "x"}],
        [
            {
                "type": "rich_text",
                "elements": [
                    {"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}
                ],
            }
        ],
    ],
)
def test_what_slack_takes_is_taken(blocks: list[dict[str, Any]]) -> None:
    check_blocks(blocks)


@pytest.mark.parametrize(
    ("blocks", "why"),
    [
        ("text", "not an array"),
        ({"type": "divider"}, "not an array"),
        ([{"type": "divider"}] * 51, "50 items"),
        (["divider"], "must be an object"),
        ([{}], "unsupported type"),
        ([{"type": "banner"}], "unsupported type: banner"),
        ([{"type": "input", "label": text("x"), "element": {}}], "unsupported type: input"),
        ([header("x" * 151)], "150 characters"),
        ([header("")], "more than 0 characters"),
        ([{"type": "header", "text": text("x", "mrkdwn")}], "plain_text object"),
        ([{"type": "header", "text": "x"}], "plain_text or mrkdwn object"),
        ([section()], "text or fields"),
        ([section(text=text("x" * 3001))], "3000 characters"),
        ([section(fields=[text("x")] * 11)], "10 items"),
        ([section(fields=[text("x" * 2001)])], "less than 2001"),
        ([section(fields=[{"type": "html", "text": "x"}])], "plain_text or mrkdwn"),
        ([section(text={**text("x"), "verbatim": True})], "verbatim"),
        ([section(text=text("x"), colour="red")], "additional property: colour"),
        ([button(text=text("x" * 76))], "75 characters"),
        ([button(text=text("x", "mrkdwn"))], "plain_text object"),
        ([button(url="javascript:alert(1)")], "valid url"),
        ([button(url="https://x/" + "x" * 3000)], "3000 characters"),
        ([button(style="loud")], "style"),
        ([{"type": "actions", "elements": [{"type": "lever"}]}], "unsupported element: lever"),
        ([{"type": "actions", "elements": ["x"]}], "element must be an object"),
        ([{"type": "context", "elements": [text("x")] * 11}], "10 elements"),
        ([{"type": "divider", "block_id": "a"}] * 2, "block_id"),
        ([{"type": "image", "image_url": "https://x/y.png"}], "alt_text"),
    ],
)
def test_what_slack_refuses_is_refused_with_its_place(blocks: Any, why: str) -> None:
    with pytest.raises(InvalidBlocksError, match=why):
        check_blocks(blocks)


def test_the_place_of_the_bad_block_is_named() -> None:
    with pytest.raises(InvalidBlocksError, match="/blocks/1"):
        check_blocks([header("fine"), header("x" * 151)])
