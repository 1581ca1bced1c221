"""Turns a message as it goes out into what a person reads of it: text, or a page to open in a browser."""

import base64
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html import escape
from typing import Any, cast

import orjson
import yaml

_HEADERS = ("From", "To", "Subject")
_PARTS = ("blocks", "attachments")


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as several lines."""


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text_node)


def as_text(wire: bytes) -> str:
    """The readable parts of a message, in their order."""
    body = as_json(wire)
    if isinstance(body, str):
        return _mail_text(_mail(wire))
    parts = [body[name] for name in _PARTS if isinstance(body, dict) and name in body]
    if parts:
        return "\n".join(_texts(parts))
    return yaml.dump(body, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=90).rstrip()


def as_json(wire: bytes) -> Any:
    """The message as a JSON value: the body of a call, or the text of a mail."""
    try:
        return orjson.loads(wire)
    except orjson.JSONDecodeError:
        return wire.decode(errors="backslashreplace")


def as_page(wire: bytes, title: str) -> str:
    """A page that shows the message: a mail's own HTML with its pictures, else the text."""
    body = as_json(wire)
    html = _mail_html(_mail(wire)) if isinstance(body, str) else None
    if html is not None:
        return html
    pretty = body if isinstance(body, str) else orjson.dumps(body, option=orjson.OPT_INDENT_2)
    raw = pretty if isinstance(pretty, str) else pretty.decode()
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<pre>{escape(as_text(wire))}</pre><details><summary>as it goes out</summary>"
        f"<pre>{escape(raw)}</pre></details></html>"
    )


def _texts(node: Any) -> Iterator[str]:
    """The texts of blocks and cards; a button is its label and address."""
    match node:
        case {"title": str(title), "value": str(value)}:
            yield f"{title}: {value}"
        case {"text": {"text": str(label)}, "url": str(url)} | {
            "title": str(label),
            "url": str(url),
        }:
            yield f"[{label}] {url}"
        case {"text": str(text)}:
            yield text
        case dict():
            for value in node.values():
                yield from _texts(value)
        case list():
            for value in node:
                yield from _texts(value)


def _mail(wire: bytes) -> EmailMessage:
    return message_from_bytes(wire, policy=default)


def _mail_text(mail: EmailMessage) -> str:
    headers = [f"{name}: {mail[name]}" for name in _HEADERS if mail[name]]
    plain = mail.get_body(("plain",))
    text = plain.get_content().rstrip() if plain is not None else ""
    others = [
        part.get_content_type()
        for part in mail.walk()
        if not part.is_multipart() and part is not plain
    ]
    also = [f"(also: {', '.join(others)})"] if others else []
    return "\n".join([*headers, "", text, *also])


def _mail_html(mail: EmailMessage) -> str | None:
    found = mail.get_body(("html",))
    if found is None:
        return None
    html = str(found.get_content())
    for part in mail.walk():
        if part["Content-ID"] and not part.is_multipart():
            picture = base64.b64encode(cast(bytes, part.get_payload(decode=True))).decode()
            address = f"data:{part.get_content_type()};base64,{picture}"
            html = html.replace(f"cid:{part['Content-ID'].strip('<>')}", address)
    return html
