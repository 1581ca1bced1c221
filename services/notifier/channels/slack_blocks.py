"""An alert as Slack's Block Kit (rules.md §8), within Slack's limits, user text never interpreted."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from services.notifier.domain.message import Alert, service_text, value_text

HEADER_LIMIT = 150
TEXT_LIMIT = 3_000
FIELD_LIMIT = 2_000
_MARKUP = re.compile(r"[*_~`]|:[\w+-]+:|^>", re.MULTILINE)
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

Block = Mapping[str, Any]


def alert_payload(alert: Alert) -> dict[str, Any]:
    """The webhook's body: blocks, and a line of text for notifications and screen readers."""
    line = f"CRITICAL lead: {alert.title}, {alert.account}, score {alert.score}"
    return {"text": escape(line, TEXT_LIMIT), "blocks": _blocks(alert)}


def escape(text: str, limit: int) -> str:
    """Text with exactly `& < >` escaped, at most `limit` characters, no escape cut in half."""
    pieces = [_ESCAPES.get(character, character) for character in text]
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


def _blocks(alert: Alert) -> list[Block]:
    fields = [
        _labelled("Account", alert.account, FIELD_LIMIT),
        _labelled("Score", f"{alert.score} of 100", FIELD_LIMIT),
        _labelled("Value", value_text(alert), FIELD_LIMIT),
        _labelled("Priority", str(alert.priority), FIELD_LIMIT),
    ]
    button = {
        "type": "button",
        "action_id": "open_lead",
        "style": "primary",
        "text": _plain("Open the lead", 75),
        "url": alert.link,
    }
    return [
        {"type": "header", "text": _plain(f"CRITICAL lead: {alert.title}", HEADER_LIMIT)},
        {"type": "section", "fields": fields},
        {"type": "section", "text": _plain(alert.description, TEXT_LIMIT)},
        {"type": "section", "text": _services(alert)},
        {"type": "actions", "elements": [button]},
        {"type": "context", "elements": [_plain(_footer(alert), FIELD_LIMIT)]},
    ]


def _services(alert: Alert) -> Block:
    lines: Sequence[str] = [f"• {service_text(service)}" for service in alert.services]
    missing = f"None: {alert.no_service_reason or 'no service fits'}".replace("_", " ")
    return _labelled("Top services", "\n".join(lines) or missing, TEXT_LIMIT)


def _footer(alert: Alert) -> str:
    return f"Risk {alert.risk} · scored as of {alert.as_of.isoformat()} · {alert.tenant_id}"


def _plain(text: str, limit: int) -> Block:
    return {"type": "plain_text", "text": escape(text, limit), "emoji": False}


def _labelled(label: str, text: str, limit: int) -> Block:
    """A bold label over its text. Text that Slack would format loses the bold, never its letters."""
    if _MARKUP.search(text):
        return _plain(f"{label}\n{text}", limit)
    return {"type": "mrkdwn", "verbatim": True, "text": f"*{label}*\n{escape(text, limit - 20)}"}
