"""Reads messages back without the product's help: what a person would see of each text in them."""

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema_rs import Draft6Validator
from slack_sdk.models.blocks import Block

from services.notifier.channels.slack_blocks import FIELD_LIMIT, HEADER_LIMIT, TEXT_LIMIT
from services.notifier.domain.message import Alert, plain
from tests.support.notifier_builders import alert, offer

SLACK_ESCAPES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
CARD_TEXT_LIMITS = frozenset((2_000, 1_000, 500, 250, 100, 50))
CARD_TYPES = frozenset(
    ("AdaptiveCard", "RichTextBlock", "TextRun", "ColumnSet", "Column", "Action.OpenUrl")
)
"""Elements that know no Markdown, and the one action that a click may have."""
_FORMATTING = re.compile(r"[*_~`]|:[^\s:]+:")
_FUNCTION = re.compile(r"\{\{\s*(DATE|TIME)\s*\(", re.IGNORECASE)


def hostile_alert(text: str) -> Alert:
    """An alert whose title, account, action and service all are that text."""
    return alert(title=text, account=text, action=text, services=(offer(1, service_type=text),))


def expected(text: str, about: Alert) -> dict[str, str]:
    """What an alert of `hostile_alert` says, by the place it says it in, before anything is cut."""
    shown = plain(text)
    return {
        "title": f"CRITICAL lead: {shown}",
        "account": shown,
        "action": about.description,
        "service": plain(f"• {shown} (HM002A1), list USD 12,000"),
    }


def is_beginning(shown: str, whole: str, limit: int) -> bool:
    """Whether `shown` is the whole, or as much of it as `limit` characters hold with an ellipsis.

    Escapes count, the last one is not cut in half, and a label takes some of the room.
    """
    if shown == (whole or "–"):
        return True
    kept = len(slack_escaped(shown))
    return shown.endswith("…") and whole.startswith(shown[:-1]) and limit - 30 <= kept <= limit


def slack_escaped(text: str) -> str:
    for escape, character in reversed(SLACK_ESCAPES):
        text = text.replace(character, escape)
    return text


def slack_read(text: str) -> str:
    """What Slack shows of a text without formatting."""
    for escape, character in SLACK_ESCAPES:
        text = text.replace(escape, character)
    return text


def slack_texts(value: Any) -> Iterator[dict[str, Any]]:
    """Every text object of a payload."""
    if isinstance(value, dict):
        if value.get("type") in {"plain_text", "mrkdwn"}:
            yield value
        for inner in value.values():
            yield from slack_texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from slack_texts(inner)


def slack_shown(blocks: list[dict[str, Any]]) -> dict[str, str]:
    """The four texts of an alert, as slack_sdk's own models of its blocks hold them."""
    parsed = [Block.parse(dict(block)) for block in blocks]
    assert None not in parsed, "a block of a kind that slack_sdk does not know"
    # Each model judges itself before it gives its values back.
    header, facts, description, services, *_ = (m.to_dict() for m in parsed if m is not None)
    return {
        "title": slack_read(header["text"]["text"]),
        "account": _unlabelled(facts["fields"][0]["text"], "Account"),
        "action": slack_read(description["text"]["text"]),
        "service": _unlabelled(services["text"]["text"], "Top services").partition("\n")[0],
    }


def slack_alive(payload: dict[str, Any], link: str) -> list[str]:
    """What a payload would make more of than letters: mentions, links, formatting, pictures of emoji."""
    found = []
    for text in slack_texts(payload["blocks"]):
        shown = text["text"]
        if text["type"] == "mrkdwn":
            shown = shown.partition("\n")[2]
            lines = slack_read(shown).splitlines()
            if not text["verbatim"] or _FORMATTING.search(shown) or any(map(_is_quote, lines)):
                found.append(shown)
        elif text["emoji"]:
            found.append(shown)
        if "<" in shown or ">" in shown:
            found.append(shown)
    if "<" in payload["text"] or ">" in payload["text"] or payload["parse"] != "none":
        found.append(payload["text"])
    return found + [url for url in slack_urls(payload) if url != link]


def slack_urls(value: Any) -> Iterator[str]:
    """Every address that a click in a payload leads to, or that is fetched for it."""
    if isinstance(value, dict):
        yield from (str(value[key]) for key in ("url", "image_url", "value") if key in value)
        for inner in value.values():
            yield from slack_urls(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from slack_urls(inner)


def _is_quote(line: str) -> bool:
    return line.startswith(">")


SLACK_LIMITS = {
    "title": HEADER_LIMIT,
    "account": FIELD_LIMIT,
    "action": TEXT_LIMIT,
    "service": TEXT_LIMIT,
}


@cache
def card_validator() -> Draft6Validator:
    """Microsoft's schema of version 1.4 cards."""
    schema = files("adaptive_cards").joinpath("schemas", "schema-1.4.json")
    return Draft6Validator(json.loads(schema.read_text()))


def card_of(message: bytes) -> dict[str, Any]:
    """The valid card of a message to a workflow."""
    (attachment,) = json.loads(message)["attachments"]
    card: dict[str, Any] = attachment["content"]
    plain_card = {name: value for name, value in card.items() if name != "msteams"}
    card_validator().validate(plain_card)
    return card


def card_elements(value: Any) -> Iterator[dict[str, Any]]:
    """Everything in a card that has a type."""
    if isinstance(value, dict):
        if "type" in value:
            yield value
        for inner in value.values():
            yield from card_elements(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from card_elements(inner)


def card_alive(card: dict[str, Any], link: str) -> list[str]:
    """What a card would make more of than letters: Markdown, mentions, functions, foreign links."""
    elements = list(card_elements(card))
    found = [e["type"] for e in elements if e["type"] not in CARD_TYPES]
    found += [e["text"] for e in elements if "text" in e and _FUNCTION.search(e["text"])]
    found += [e["url"] for e in elements if e.get("url", link) != link]
    return found + [key for key in card["msteams"] if key != "width"]


def card_line(block: dict[str, Any]) -> str:
    """The text of one rich text block: its runs, one after the other."""
    return "".join(run["text"] for run in block["inlines"])


def card_shown(card: dict[str, Any]) -> dict[str, str]:
    """The four texts of an alert."""
    title, account, _, _, _, description, _, service, *_ = card["body"]
    return {
        "title": card_line(title),
        "account": card_line(account["columns"][1]["items"][0]),
        "action": card_line(description),
        "service": card_line(service),
    }


def _unlabelled(text: str, label: str) -> str:
    for start in (f"*{label}*\n", f"{label}\n"):
        if text.startswith(start):
            return slack_read(text.removeprefix(start))
    raise AssertionError(f"no label {label}: {text[:80]!r}")
