"""The Teams stand-in: Workflows addresses that take Adaptive Cards and answer as Power Automate does."""

from hmac import compare_digest
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from onelead.standins.archive import Archive
from onelead.standins.faults import Answer, Faults
from onelead.standins.limits import Buckets
from onelead.standins.settings import StandinSettings
from onelead.standins.slack import content_hash
from onelead.standins.teams_card import InvalidCardError, check_card

CHANNEL = "teams"
MAX_BODY_BYTES = 28 * 1024
API_VERSION = "2016-06-01"
CARD_TYPE = "application/vnd.microsoft.card.adaptive"
_USUAL_CODE = {
    401: "DirectApiAuthorizationRequired",
    404: "WorkflowNotFound",
    410: "WorkflowNotFound",
    429: "WorkflowRunActionThrottled",
}


class WorkflowError(Exception):
    """What the workflow answers instead of taking a message."""

    def __init__(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.headers = headers or {}
        self.body = {"error": {"code": code, "message": message}}


class TeamsReceiver:
    """Workflows with the trigger "When a Teams webhook request is received"."""

    def __init__(self, settings: StandinSettings, archive: Archive, faults: Faults) -> None:
        self._workflows = frozenset(settings.teams_workflow.split(","))
        self._signature = settings.teams_signature
        self._buckets = Buckets(settings.teams_burst, settings.teams_per_second)
        self._archive = archive
        self._faults = faults

    async def receive(self, request: Request) -> Response:
        """POST /workflows/{id}/triggers/manual/paths/invoke; 202 without a body when taken."""
        raw = await request.body()
        workflow = request.path_params["workflow"]
        try:
            fault = await self._faults.take(CHANNEL, request.scope["path"])
            _fail_if_told(fault)
            self._authenticate(workflow, dict(request.query_params))
            self._limit(workflow)
            message = _parse(raw)
        except WorkflowError as refused:
            shown = {"raw": raw[:MAX_BODY_BYTES].decode(errors="replace")}
            self._archive.reject(CHANNEL, str(refused), shown, sink=workflow)
            return JSONResponse(refused.body, refused.status, headers=refused.headers)
        self._archive.accept(CHANNEL, content_hash(message), message, sink=workflow)
        await self._faults.drop_if_told(CHANNEL, request, fault)
        return Response(status_code=202)

    def _authenticate(self, workflow: str, query: dict[str, str]) -> None:
        if query.get("api-version") != API_VERSION:
            message = f"The api-version '{query.get('api-version', '')}' is invalid."
            raise WorkflowError(400, "InvalidApiVersionParameter", message)
        if not query.get("sig"):
            message = "The request must be authenticated only by Shared Access scheme."
            raise WorkflowError(401, "DirectApiAuthorizationRequired", message)
        if workflow not in self._workflows:
            message = f"The workflow '{workflow}' could not be found."
            raise WorkflowError(404, "WorkflowNotFound", message)
        genuine = compare_digest(query["sig"].encode(), self._signature.encode())
        if not genuine or not query.get("sp") or query.get("sv") != "1.0":
            message = "The request is not authorized: the shared access signature is not valid."
            raise WorkflowError(403, "AuthorizationFailed", message)

    def _limit(self, workflow: str) -> None:
        if wait_s := self._buckets.take(workflow):
            headers = {"Retry-After": str(wait_s)}
            message = "Rate limit is exceeded. Try again later."
            raise WorkflowError(429, _USUAL_CODE[429], message, headers)


def _fail_if_told(fault: Answer | None) -> None:
    if fault is not None and fault.refuses:
        status = fault.status or 400
        code = fault.error or _USUAL_CODE.get(status, "ServerError")
        raise WorkflowError(status, code, fault.body or "(a fault switched on)", fault.headers)


def _parse(raw: bytes) -> dict[str, Any]:
    """The message with its cards. Raises WorkflowError for what is no message, or no card."""
    if len(raw) > MAX_BODY_BYTES:
        raise WorkflowError(413, "RequestEntityTooLarge", "the message is larger than 28 kB")
    try:
        message = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise WorkflowError(400, "InvalidRequestContent", str(error)) from None
    if not isinstance(message, dict) or message.get("type") != "message":
        raise WorkflowError(400, "TriggerInputSchemaMismatch", "type must be message")
    attachments = message.get("attachments")
    if not isinstance(attachments, list) or not attachments:
        raise WorkflowError(400, "TriggerInputSchemaMismatch", "attachments must hold a card")
    for index, attachment in enumerate(attachments):
        try:
            _check_attachment(attachment)
        except InvalidCardError as error:
            where = f"attachments/{index}: {error}"
            raise WorkflowError(400, "TriggerInputSchemaMismatch", where) from None
    return message


def _check_attachment(attachment: object) -> None:
    if not isinstance(attachment, dict) or attachment.get("contentType") != CARD_TYPE:
        raise InvalidCardError(f"contentType must be {CARD_TYPE}")
    if attachment.get("contentUrl") is not None:
        raise InvalidCardError("contentUrl must be null")
    check_card(attachment.get("content"))
