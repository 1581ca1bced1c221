"""The receiver of generic webhooks: verifies Standard Webhooks signatures with the reference library."""

from typing import Any

import orjson
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from onelead.standins.archive import Archive
from onelead.standins.faults import Answer, Faults
from onelead.standins.settings import StandinSettings

CHANNEL = "webhook"
MAX_BODY_BYTES = 1_000_000
_SHOWN = 4_000
_SHOWN_HEADERS = ("content-type", "user-agent", "webhook-id", "webhook-timestamp")


class WebhookError(Exception):
    """What the receiver answers instead of taking a message."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {message}")
        self.status = status
        self.message = message
        self.headers = headers or {}


class WebhookReceiver:
    """Any number of receivers, told apart by their names, that share one secret."""

    def __init__(self, settings: StandinSettings, archive: Archive, faults: Faults) -> None:
        self._verifier = Webhook(settings.webhook_secret)
        self._archive = archive
        self._faults = faults

    async def receive(self, request: Request) -> Response:
        """POST /webhook/{name}; 204 when taken, also when the same id was taken before."""
        raw, name = await request.body(), request.path_params["name"]
        headers = {key: request.headers[key] for key in _SHOWN_HEADERS if key in request.headers}
        try:
            fault = await self._faults.take(CHANNEL, request.scope["path"])
            _fail_if_told(fault)
            self._verify(request, raw)
            body = _parse(raw)
        except WebhookError as refused:
            shown = {"raw": raw[:_SHOWN].decode(errors="replace"), "headers": headers}
            self._archive.reject(CHANNEL, str(refused), shown, sink=name)
            return JSONResponse(
                {"message": refused.message}, refused.status, headers=refused.headers
            )
        content = {"name": name, "headers": headers, "body": body}
        self._archive.accept(CHANNEL, headers["webhook-id"], content, sink=name)
        await self._faults.drop_if_told(CHANNEL, request, fault)
        return Response(status_code=204)

    def _verify(self, request: Request, raw: bytes) -> None:
        if len(raw) > MAX_BODY_BYTES:
            raise WebhookError(413, "payload too large")
        try:
            self._verifier.verify(raw, dict(request.headers), json_parse=False)
        except (WebhookVerificationError, ValueError) as error:
            # The library lets the ValueError of a malformed header through.
            raise WebhookError(401, f"not verified: {error}") from None


def _fail_if_told(fault: Answer | None) -> None:
    if fault is not None and fault.refuses:
        text = fault.body or fault.error or "(a fault switched on)"
        raise WebhookError(fault.status or 400, text, fault.headers)


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise WebhookError(400, f"not JSON: {error}") from None
    if not isinstance(body, dict):
        raise WebhookError(400, "not a JSON object")
    return body
