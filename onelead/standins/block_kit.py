"""Judges blocks as Slack does: slack_sdk's models check lengths, this module the rest."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

MAX_BLOCKS = 50
FIELD_LIMIT = 2_000
_TEXT_TYPES = {"plain_text": {"type", "text", "emoji"}, "mrkdwn": {"type", "text", "verbatim"}}
_IN_MESSAGES = frozenset(
    {"section", "divider", "image", "actions", "context", "header", "markdown", "rich_text"}
)
_PLAIN_ONLY = frozenset({"header", "button"})

# slack_sdk logs what it skips, with its content; here it is refused and told to the sender.
logging.getLogger("slack_sdk.models").setLevel(logging.ERROR)


class InvalidBlocksError(ValueError):
    """Slack would refuse these blocks; the text says which and why."""


def check_blocks(blocks: object) -> None:
    """Raises InvalidBlocksError for what Slack's incoming webhooks refuse as invalid_blocks."""
    if not isinstance(blocks, Sequence) or isinstance(blocks, str | bytes):
        raise InvalidBlocksError("blocks is not an array")
    if len(blocks) > MAX_BLOCKS:
        raise InvalidBlocksError(f"no more than {MAX_BLOCKS} items allowed [/blocks]")
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        try:
            _check_block(block, seen)
        except (SlackObjectFormationError, TypeError, AttributeError, KeyError) as error:
            raise InvalidBlocksError(f"{error} [/blocks/{index}]") from None


def _check_block(block: object, seen: set[str]) -> None:
    if not isinstance(block, Mapping):
        raise TypeError("must be an object")
    if block.get("type") not in _IN_MESSAGES:
        raise TypeError(f"unsupported type: {str(block.get('type'))[:50]}")
    parsed = Block.parse(dict(block))
    if parsed is None:
        raise TypeError("unsupported block")
    parsed.validate_json()
    if block["type"] != "rich_text":
        _refuse_unknown_keys(block, parsed.attributes)
    _check_block_id(block, seen)
    _check_texts(block)
    for element in block.get("elements", ()):
        _check_element(block["type"], element)


def _refuse_unknown_keys(found: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(found) - known - {"type"})
    if unknown:
        raise TypeError(f"invalid additional property: {unknown[0][:50]}")


def _check_block_id(block: Mapping[str, Any], seen: set[str]) -> None:
    block_id = block.get("block_id")
    if block_id is None:
        return
    if not isinstance(block_id, str) or block_id in seen:
        raise TypeError("block_id must be a string that no other block has")
    seen.add(block_id)


def _check_texts(holder: Mapping[str, Any]) -> None:
    if "text" in holder and holder["type"] != "markdown":
        _check_text(holder["text"], plain_only=holder["type"] in _PLAIN_ONLY)
    for field in holder.get("fields", ()):
        _check_text(field, limit=FIELD_LIMIT)
    if holder.get("accessory") is not None:
        _check_element("section", holder["accessory"])


def _check_text(text: object, *, plain_only: bool = False, limit: int | None = None) -> None:
    if not isinstance(text, Mapping) or text.get("type") not in _TEXT_TYPES:
        raise TypeError("text must be a plain_text or mrkdwn object")
    if plain_only and text["type"] != "plain_text":
        raise TypeError("text must be a plain_text object")
    _refuse_unknown_keys(text, _TEXT_TYPES[text["type"]])
    if not isinstance(text.get("text"), str) or not text["text"]:
        raise TypeError("must be more than 0 characters")
    if limit is not None and len(text["text"]) > limit:
        raise TypeError(f"must be less than {limit + 1} characters")


def _check_element(block_type: str, element: object) -> None:
    """An element of a block; rich text is slack_sdk's alone."""
    if block_type == "rich_text":
        return
    if not isinstance(element, Mapping):
        raise TypeError("an element must be an object")
    if block_type == "context" and element.get("type") in _TEXT_TYPES:
        _check_text(element)
        return
    parsed = Block.parse({"type": "actions", "elements": [dict(element)]})
    model = getattr(parsed, "elements", [None])[0]
    if model is None:
        raise TypeError(f"unsupported element: {str(element.get('type'))[:50]}")
    model.validate_json()
    if element["type"] == "button":
        _check_button(element, model.attributes)


def _check_button(button: Mapping[str, Any], known: set[str]) -> None:
    _refuse_unknown_keys(button, known)
    _check_text(button.get("text"), plain_only=True)
    url = button.get("url")
    if url is not None and not (isinstance(url, str) and urlsplit(url).scheme in {"http", "https"}):
        raise TypeError("must be a valid url")
