"""Writes letters to customers: a text template whose first line is the subject, its paragraphs as HTML."""

import re
from collections.abc import Mapping
from typing import Any

from services.notifier.channels.mail.templates import Templates
from services.notifier.channels.mail.views import SUBJECT_LIMIT
from services.notifier.channels.mail.words import bounded, web_link
from shared.errors import UserError

_SUBJECT = re.compile(r"Subject:[ \t]*(.*\S)[ \t]*")
_BULLET = "- "


def render_outreach(
    templates: Templates, name: str, variables: Mapping[str, Any]
) -> tuple[str, str, str]:
    """(subject, text, HTML) of a campaign's template for the `lead_type` among the variables.

    The way to unsubscribe is added at the end of both. Raises UserError naming the template and line.
    """
    known = bounded(dict(variables))
    url = web_link(known.get("unsubscribe_url", ""))
    known["unsubscribe_url"] = url
    file = templates.letter_name(name, str(known.get("lead_type", "")))
    first, _, body = templates.text(file, known).partition("\n")
    said = _SUBJECT.fullmatch(first)
    if said is None or not body.strip():
        where = templates.own.get(file, file)
        raise UserError(
            f"{where}, line 1: the letter must begin with `Subject: …`, then its text",
            hint=f"it began with {first[:60]!r}",
        )
    subject, text = said[1][:SUBJECT_LIMIT], body.strip("\n") + "\n"
    page = {**known, "subject": subject, "paragraphs": _paragraphs(text)}
    return subject, f"{text}\n-- \n{_way_out(url)}\n", templates.text("letter.html.j2", page)


def _paragraphs(text: str) -> list[dict[str, list[str]]]:
    """Paragraphs as lines, or as bullets where every line of one begins with a dash."""
    found = []
    for block in filter(None, (part.strip("\n") for part in text.split("\n\n"))):
        lines = block.split("\n")
        if all(line.startswith(_BULLET) for line in lines):
            found.append({"bullets": [line.removeprefix(_BULLET) for line in lines], "lines": []})
        else:
            found.append({"bullets": [], "lines": lines})
    return found


def _way_out(url: str) -> str:
    if url:
        return f"You would rather not hear about this? Unsubscribe: {url}"
    return (
        'You would rather not hear about this? Answer "unsubscribe", and we will not write again.'
    )
