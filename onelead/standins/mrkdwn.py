"""Slack's text as HTML: what `mrkdwn` and `plain_text` look like, with everything else escaped."""

import re

from markupsafe import Markup, escape

_CONTROL = re.compile(r"<([^<>]*)>")
_CODE = re.compile(r"`([^`\n]+)`")
_STYLES = (
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])"), "strong"),
    (re.compile(r"(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])"), "em"),
    (re.compile(r"(?<![\w~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\w~])"), "s"),
)
_SCHEMES = ("http://", "https://", "mailto:")


def plain_text(text: str) -> Markup:
    """Text exactly as written; Slack decodes its three escapes here too."""
    return Markup(_shown(text).replace("\n", "<br>"))  # noqa: S704 - escaped by _shown


def mrkdwn(text: str) -> Markup:
    """Text with Slack's formatting; a link only to a web or mail address."""
    html, end = [], 0
    for control in _CONTROL.finditer(text):
        html.append(_styled(text[end : control.start()]))
        html.append(_control(control.group(1)))
        end = control.end()
    html.append(_styled(text[end:]))
    return Markup("".join(html).replace("\n", "<br>"))  # noqa: S704 - escaped piece by piece


def _shown(text: str) -> str:
    decoded = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return str(escape(decoded))


def _styled(text: str) -> str:
    pieces = _CODE.split(_shown(text))
    for index in range(0, len(pieces), 2):
        for pattern, tag in _STYLES:
            pieces[index] = pattern.sub(rf"<{tag}>\1</{tag}>", pieces[index])
    pieces[1::2] = [f"<code>{piece}</code>" for piece in pieces[1::2]]
    return "".join(pieces)


def _control(inner: str) -> str:
    target, _, label = inner.partition("|")
    if target.startswith(("!", "@", "#")):
        name = label or target[1:].partition("^")[0]
        return f'<span class="mention">{target[0].replace("!", "@")}{_shown(name)}</span>'
    if target.lower().startswith(_SCHEMES):
        return (
            f'<a href="{_shown(target)}" target="_blank" rel="noopener noreferrer">'
            f"{_shown(label or target)}</a>"
        )
    return _shown(f"<{inner}>")
