"""A content as an Adaptive Card for Teams: user text in text runs, which know no Markdown (rules.md §8)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from services.notifier.channels.wording import Line, Listing, Told, cut, told
from services.notifier.domain.contents import Content

MOST_BYTES = 20_000
"""Teams takes about 28 kB, counted in a way of its own; ours stay well below."""

_CARD = "application/vnd.microsoft.card.adaptive"
_LIMITS = (2_000, 1_000, 500, 250, 100, 50)
_FUNCTION = re.compile(r"(?<=\{)(?=\{(?:DATE|TIME)\()", re.IGNORECASE)
"""Between the braces of {{DATE(…)}}, which cards replace; in two runs it stays what was written."""

Element = Mapping[str, Any]


def message(content: Content) -> bytes:
    """The message to a workflow, JSON with one card; long texts are cut until it is small enough."""
    words = told(content)
    for limit in _LIMITS:
        body = orjson.dumps(_message(words, limit))
        if len(body) <= MOST_BYTES:
            break
    return body


def _message(words: Told, limit: int) -> dict[str, Any]:
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": list(_body(words, limit)),
        "actions": [_open(*words.link)] if words.link else [],
    }
    return {
        "type": "message",
        "attachments": [{"contentType": _CARD, "contentUrl": None, "content": card}],
    }


def _body(words: Told, limit: int) -> Iterator[Element]:
    yield _text(words.headline, limit, weight="Bolder", size="Large")
    for label, value in words.facts:
        yield _fact(label, value, limit)
    if words.text:
        yield {**_text(words.text, limit), "spacing": "Medium"}
    for listing in words.lists:
        yield from _listing(listing, limit)
    if words.footer:
        yield {**_text(words.footer, limit, size="Small", isSubtle=True), "separator": True}


def _fact(label: str, value: str, limit: int) -> Element:
    columns = (("90px", _text(label, limit, weight="Bolder")), ("stretch", _text(value, limit)))
    return {
        "type": "ColumnSet",
        "spacing": "Small",
        "columns": [{"type": "Column", "width": w, "items": [item]} for w, item in columns],
    }


def _listing(listing: Listing, limit: int) -> Iterator[Element]:
    yield {**_text(listing.label, limit, weight="Bolder"), "spacing": "Medium"}
    for line in listing.lines:
        yield {**_line(line, limit), "spacing": "Small"}


def _line(line: Line, limit: int) -> Element:
    style = {"selectAction": _open("Open", line.link)} if line.link else {}
    return _text(line.text, limit, **style)


def _text(text: str, limit: int, **style: Any) -> Element:
    runs = [part for part in _FUNCTION.split(cut(text, limit)) if part] or ["–"]
    inlines = [{"type": "TextRun", "text": run, **style} for run in runs]
    return {"type": "RichTextBlock", "inlines": inlines}


def _open(label: str, url: str) -> Element:
    return {"type": "Action.OpenUrl", "title": label, "url": url}
