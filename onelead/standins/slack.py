"""The Slack stand-in: an incoming webhook that validates Block Kit and answers as Slack does."""

import hashlib
import math
from typing import Any
from urllib.parse import parse_qs

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from onelead.standins.archive import Archive
from onelead.standins.block_kit import InvalidBlocksError, check_blocks
from onelead.standins.faults import Faults
from onelead.standins.settings import StandinSettings
from shared import clock

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
    """Slack's answer to a message it does not take: a status, a word, perhaps seconds to wait."""

    def __init__(
        self, status: int, word: str, detail: str = "", retry_after: int | None = None
    ) -> None:
        super().__init__(f"{status} {word} {detail}".strip())
        self.status = status
        self.word = word
        self.headers = {} if retry_after is None else {"Retry-After": str(retry_after)}


class TokenBucket:
    """Holds up to `burst` tokens, refilled at `per_second`."""

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst = burst
        self._per_second = per_second
        self._tokens = float(burst)
        self._seen_s = clock.monotonic_s()

    def take(self) -> int:
        """0 when a token was there and is taken, else whole seconds until there will be one."""
        now_s = clock.monotonic_s()
        earned = (now_s - self._seen_s) * self._per_second
        self._tokens = min(self._burst, self._tokens + earned)
        self._seen_s = now_s
        if self._tokens >= 1:
            self._tokens -= 1
            return 0
        return max(1, math.ceil((1 - self._tokens) / self._per_second))


class SlackReceiver:
    """One webhook with Slack's rate limit: a burst, then one message a second."""

    def __init__(self, settings: StandinSettings, archive: Archive, faults: Faults) -> None:
        self._team, self._webhook, self._secret = settings.slack_webhook.split("/")
        self._bucket = TokenBucket(settings.slack_burst, settings.slack_per_second)
        self._archive = archive
        self._faults = faults

    async def receive(self, request: Request) -> Response:
        """POST /slack/services/{team}/{webhook}/{secret}."""
        raw = await request.body()
        try:
            await self._fail_if_told()
            self._authenticate(request.path_params)
            self._limit()
            message = _parse(request, raw)
        except RefusedError as refused:
            shown = raw[:_SHOWN].decode(errors="replace")
            self._archive.reject(CHANNEL, str(refused), {"raw": shown})
            return PlainTextResponse(refused.word, refused.status, headers=refused.headers)
        identity = hashlib.sha256(orjson.dumps(message, option=orjson.OPT_SORT_KEYS)).hexdigest()
        self._archive.accept(CHANNEL, identity, message)
        await self._faults.drop_if_told(CHANNEL, request)
        return PlainTextResponse("ok")

    def _authenticate(self, path: dict[str, str]) -> None:
        if (path["team"], path["webhook"]) != (self._team, self._webhook):
            raise RefusedError(404, "no_service")
        if path["secret"] != self._secret:
            raise RefusedError(403, "invalid_token")

    def _limit(self) -> None:
        wait_s = self._bucket.take()
        if wait_s:
            raise RefusedError(429, "rate_limited", retry_after=wait_s)

    async def _fail_if_told(self) -> None:
        fault = await self._faults.take(CHANNEL)
        if fault is not None:
            status = fault.status or 503
            word = fault.body if fault.body is not None else _USUAL_BODY.get(status, "")
            raise RefusedError(status, word, "(a fault switched on)", fault.retry_after)


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
