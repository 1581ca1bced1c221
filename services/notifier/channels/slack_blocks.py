"""A content as Slack's Block Kit, within Slack's limits, user text never interpreted (rules.md §8)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from services.notifier.channels.wording import Listing, Told, told
from services.notifier.domain.contents import Content

HEADER_LIMIT = 150
TEXT_LIMIT = 2_500
LINE_LIMIT = 300
FIELD_LIMIT = 600
"""With these, a message stays below 13,200 characters in all, beyond which Slack refuses a bot's."""

_MARKUP = re.compile(r"[*_~`]|:[^\s:]+:|^>", re.MULTILINE)
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_TEXT_IS_TEXT = {"parse": "none", "unfurl_links": False, "unfurl_media": False}

Block = Mapping[str, Any]


def payload(content: Content) -> dict[str, Any]:
    """The message: blocks, and a line of text for notifications and screen readers."""
    words = told(content)
    return {
        "text": escape(words.summary, TEXT_LIMIT),
        "blocks": list(_blocks(words)),
        **_TEXT_IS_TEXT,
    }


def escape(text: str, limit: int) -> str:
    """Text with exactly `& < >` escaped, at most `limit` characters, no escape cut in half."""
    pieces = [_ESCAPES.get(character, character) for character in text[: limit + 1]]
    if sum(map(len, pieces)) <= limit:
        return "".join(pieces) or "–"
    room = limit - 1
    kept: list[str] = []
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            break
        kept.append(piece)
    return "".join(kept) + "…"


def _blocks(words: Told) -> Iterator[Block]:
    yield {"type": "header", "text": _plain(words.headline, HEADER_LIMIT)}
    if words.facts:
        fields = [_labelled(label, text, FIELD_LIMIT) for label, text in words.facts]
        yield {"type": "section", "fields": fields}
    if words.text:
        yield {"type": "section", "text": _plain(words.text, TEXT_LIMIT)}
    for listing in words.lists:
        yield from _listing(listing)
    if words.link:
        label, url = words.link
        button = {**_button(label, url), "style": "primary"}
        yield {"type": "actions", "elements": [button]}
    if words.footer:
        yield {"type": "context", "elements": [_plain(words.footer, LINE_LIMIT)]}


def _listing(listing: Listing) -> Iterator[Block]:
    """One section for lines that lead nowhere; otherwise each line beside its own button."""
    if not any(line.link for line in listing.lines):
        text = "\n".join(line.text for line in listing.lines)
        yield {"type": "section", "text": _labelled(listing.label, text, TEXT_LIMIT)}
        return
    for line in listing.lines:
        section: Block = {"type": "section", "text": _plain(line.text, LINE_LIMIT)}
        yield {**section, "accessory": _button("Open", line.link)} if line.link else section


def _button(label: str, url: str) -> Block:
    return {"type": "button", "action_id": "open_lead", "text": _plain(label, 75), "url": url}


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": escape(text, limit), "emoji": False}


def _labelled(label: str, text: str, limit: int) -> Block:
    """A bold label over its text. Text that Slack would format loses the bold, never its letters."""
    if _MARKUP.search(text):
        return _plain(f"{label}\n{text}", limit)
    return {"type": "mrkdwn", "verbatim": True, "text": f"*{label}*\n{escape(text, limit - 20)}"}
