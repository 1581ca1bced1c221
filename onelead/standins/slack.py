"""The Slack stand-in: incoming webhooks that validate Block Kit and answer as Slack does."""

import hashlib
from typing import Any
from urllib.parse import parse_qs

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from onelead.standins.archive import Archive
from onelead.standins.block_kit import InvalidBlocksError, check_blocks
from onelead.standins.faults import Answer, Faults
from onelead.standins.limits import Buckets
from onelead.standins.settings import StandinSettings

CHANNEL = "slack"
MAX_BODY_BYTES = 100_000
_SHOWN = 4_000
_USUAL_BODY = {
    403: "action_prohibited",
    404: "no_service",
    410: "channel_is_archived",
    429: "rate_limited",
    500: "rollup_error",
}


class RefusedError(Exception):
    """Slack's answer to a message it does not take: a status, a word, perhaps headers."""

    def __init__(
        self, status: int, word: str, detail: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {word} {detail}".strip())
        self.status = status
        self.word = word
        self.headers = headers or {}


class SlackReceiver:
    """The webhooks, each with Slack's rate limit: a burst, then one message a second."""

    def __init__(self, settings: StandinSettings, archive: Archive, faults: Faults) -> None:
        known = (webhook.rpartition("/") for webhook in settings.slack_webhook.split(","))
        self._secrets = {name: secret for name, _, secret in known}
        self._buckets = Buckets(settings.slack_burst, settings.slack_per_second)
        self._archive = archive
        self._faults = faults

    async def receive(self, request: Request) -> Response:
        """POST /slack/services/{team}/{webhook}/{secret}."""
        raw = await request.body()
        name = f"{request.path_params['team']}/{request.path_params['webhook']}"
        try:
            fault = await self._faults.take(CHANNEL, request.scope["path"])
            _fail_if_told(fault)
            self._authenticate(name, request.path_params["secret"])
            self._limit(name)
            message = _parse(request, raw)
        except RefusedError as refused:
            shown = {"raw": raw[:_SHOWN].decode(errors="replace")}
            self._archive.reject(CHANNEL, str(refused), shown, sink=name)
            return PlainTextResponse(refused.word, refused.status, headers=refused.headers)
        self._archive.accept(CHANNEL, content_hash(message), message, sink=name)
        await self._faults.drop_if_told(CHANNEL, request, fault)
        return PlainTextResponse("ok")

    def _authenticate(self, name: str, secret: str) -> None:
        if name not in self._secrets:
            raise RefusedError(404, "no_service")
        if secret != self._secrets[name]:
            raise RefusedError(403, "invalid_token")

    def _limit(self, name: str) -> None:
        if wait_s := self._buckets.take(name):
            raise RefusedError(429, "rate_limited", headers={"Retry-After": str(wait_s)})


def content_hash(message: object) -> str:
    """The identity of a message that carries none."""
    return hashlib.sha256(orjson.dumps(message, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _fail_if_told(fault: Answer | None) -> None:
    if fault is not None and fault.refuses:
        status = fault.status or 400
        word = fault.body if fault.body is not None else fault.error or _USUAL_BODY.get(status, "")
        raise RefusedError(status, word, "(a fault switched on)", fault.headers)


def _parse(request: Request, raw: bytes) -> dict[str, Any]:
    """The message. Raises RefusedError as Slack judges it."""
    if len(raw) > MAX_BODY_BYTES:
        raise RefusedError(413, "payload_too_large")
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raw = parse_qs(raw.decode(errors="replace")).get("payload", [""])[0].encode()
    try:
        message = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise RefusedError(400, "invalid_payload") from None
    if not isinstance(message, dict) or not isinstance(message.get("text", ""), str):
        raise RefusedError(400, "invalid_payload")
    if not any(message.get(part) for part in ("text", "blocks", "attachments")):
        raise RefusedError(400, "no_text")
    if message.get("blocks") is not None:
        try:
            check_blocks(message["blocks"])
        except InvalidBlocksError as error:
            raise RefusedError(400, "invalid_blocks", str(error)) from None
    return message
