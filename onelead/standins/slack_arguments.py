"""The arguments of Slack's Web API: JSON, form or query; judged, each wrong one with Slack's error."""

import re
from typing import Any
from urllib.parse import parse_qs

import orjson
from starlette.requests import Request

from onelead.standins.block_kit import InvalidBlocksError, check_blocks
from onelead.standins.slack_conversation import Window, decode_cursor

MAX_TEXT = 40_000
MAX_BLOCK_TEXT = 13_200
"""Undocumented: Slack says msg_blocks_too_long from about here (slackapi/bolt-js issue 2509)."""
MAX_METADATA_BYTES = 16_000
MAX_ATTACHMENTS = 100
_TS = re.compile(r"\d{1,10}(?:\.\d{1,6})?")
_EVENT_TYPE = re.compile(r"[A-Za-z0-9_]{1,255}")


class SlackError(Exception):
    """A call that Slack answers with "ok": false; `detail` says more, `status` is 200 but for limits."""

    def __init__(
        self,
        error: str,
        detail: str = "",
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        body: str | None = None,
    ) -> None:
        super().__init__(f"{error} {detail}".strip())
        self.error = error
        self.status = status
        self.headers = headers or {}
        self.body = body
        self.answer: dict[str, Any] = {"ok": False, "error": error}
        if detail:
            self.answer["response_metadata"] = {"messages": [f"[ERROR] {detail}"]}


def read_arguments(request: Request, raw: bytes, *, json: bool = True) -> dict[str, Any]:
    """The arguments of a call. Raises SlackError for a body that is not what it says it is.

    Methods that read take no JSON: Slack overlooks such a body, and then misses the arguments.
    """
    given: dict[str, Any] = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if request.method == "GET" or not raw:
        return given
    if kind == "application/x-www-form-urlencoded":
        form = parse_qs(raw.decode(errors="replace"))
        return given | {name: values[0] for name, values in form.items()}
    if kind != "application/json":
        raise SlackError("invalid_post_type", kind)
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise SlackError("invalid_json") from None
    if not isinstance(body, dict):
        raise SlackError("json_not_object")
    return given | body if json else given


def read_message(arguments: dict[str, Any]) -> dict[str, Any]:
    """The parts of a message that were given: text, blocks, attachments, metadata."""
    message: dict[str, Any] = {}
    text = arguments.get("text")
    if text is not None:
        if not isinstance(text, str):
            raise SlackError("invalid_arguments", "must be a string [json-pointer:/text]")
        if len(text) > MAX_TEXT:
            raise SlackError("msg_too_long")
        message["text"] = text
    blocks = _structure(arguments, "blocks", "invalid_blocks_format")
    if blocks is not None:
        message["blocks"] = _blocks(blocks)
    attachments = _structure(arguments, "attachments", "invalid_attachments")
    if attachments is not None:
        if isinstance(attachments, list) and len(attachments) > MAX_ATTACHMENTS:
            raise SlackError("too_many_attachments")
        message["attachments"] = attachments
    metadata = _structure(arguments, "metadata", "invalid_metadata_format")
    if metadata is not None:
        message["metadata"] = _metadata(metadata)
    return message


def read_flag(arguments: dict[str, Any], name: str) -> bool:
    """A yes or no, however it is written."""
    return str(arguments.get(name, "")).lower() in {"true", "1"}


def read_window(arguments: dict[str, Any], default_limit: int, max_limit: int) -> Window:
    """Which messages are wanted."""
    limit = str(arguments.get("limit", default_limit))
    if not limit.isdecimal() or not 0 < int(limit) <= max_limit:
        raise SlackError("invalid_limit")
    cursor = arguments.get("cursor")
    try:
        decoded = decode_cursor(str(cursor)) if cursor else None
    except ValueError:
        raise SlackError("invalid_cursor") from None
    return Window(
        oldest=read_ts(arguments, "oldest", Window.oldest, "invalid_ts_oldest"),
        latest=read_ts(arguments, "latest", Window.latest, "invalid_ts_latest"),
        inclusive=read_flag(arguments, "inclusive"),
        limit=int(limit),
        cursor=decoded,
    )


def read_ts(arguments: dict[str, Any], name: str, default: str | None, error: str) -> str:
    """A ts, filled up so that ts compare as texts."""
    given = arguments.get(name)
    if given in {None, ""} and default is not None:
        return default
    if not isinstance(given, str | int | float) or not _TS.fullmatch(str(given)):
        raise SlackError(error)
    seconds, _, micros = str(given).partition(".")
    return f"{seconds:0>10}.{micros:0<6}"


def _structure(arguments: dict[str, Any], name: str, error: str) -> Any:
    """An object or array, which a form or a careless sender gives as JSON text."""
    value = arguments.get(name)
    if isinstance(value, str):
        try:
            return orjson.loads(value) if value else None
        except orjson.JSONDecodeError:
            raise SlackError(error) from None
    return value


def _blocks(blocks: Any) -> list[Any]:
    try:
        check_blocks(blocks)
    except InvalidBlocksError as error:
        raise SlackError("invalid_blocks", str(error)) from None
    if sum(map(_text_length, blocks)) > MAX_BLOCK_TEXT:
        raise SlackError("msg_blocks_too_long")
    return list(blocks)


def _text_length(value: Any) -> int:
    """The characters a reader sees in a block."""
    if isinstance(value, dict):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(_text_length(v) for v in value.values() if not isinstance(v, str))
    return sum(map(_text_length, value)) if isinstance(value, list) else 0


def _metadata(metadata: Any) -> dict[str, Any]:
    if not isinstance(metadata, dict):
        raise SlackError("invalid_metadata_format")
    if not metadata:
        return {}
    event_type, payload = metadata.get("event_type"), metadata.get("event_payload")
    if set(metadata) - {"event_type", "event_payload", "entities"}:
        raise SlackError("invalid_metadata_schema")
    if not isinstance(event_type, str) or not _EVENT_TYPE.fullmatch(event_type):
        raise SlackError("invalid_metadata_schema", "event_type")
    if not isinstance(payload, dict) or not all(map(_is_metadata_value, payload.values())):
        raise SlackError("invalid_metadata_schema", "event_payload")
    if len(orjson.dumps(metadata)) > MAX_METADATA_BYTES:
        raise SlackError("metadata_too_large")
    return metadata


def _is_metadata_value(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_metadata_value, value.values()))
    if isinstance(value, list):
        return all(map(_is_metadata_value, value))
    return isinstance(value, str | int | float)
