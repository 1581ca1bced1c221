"""The pages that are open to the outside: signed news from CRMs, and people who unsubscribe.

Off unless ONELEAD_INBOUND_PORT is set. Whoever is not known is told nothing, not even what is there.
"""

import asyncio
import html
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from services.notifier.channels.crm.channel import CrmChannel
from services.notifier.domain.crm.records import CrmRecord
from services.notifier.domain.crm.records import Field as CrmField
from services.notifier.domain.plan import EVERY_TENANT, Plan
from services.notifier.inbound.signatures import signed
from services.notifier.inbound.stages import StageNews
from services.notifier.inbound.unsubscribing import Unsubscribing
from services.notifier.repository.crm import CrmRepository
from shared import clock
from shared.ops.composition import Base
from shared.ops.logs import get_logger
from shared.topics import check_tenant

MOST_BYTES = 64 * 1024
_READ_S = 10.0
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
}
_log = get_logger(__name__)

Unsubscribe = Callable[[AsyncConnection, str, str, datetime], Awaitable[None]]
"""(connection, tenant id, address, now): nobody writes to the address any more."""


def _plain(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a character that no text has")
    return text


Plain = Annotated[str, AfterValidator(_plain)]
_EARLIEST, _LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class StageMessage(BaseModel):
    """What a CRM posts; more fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    lead_id: Plain = Field(min_length=1, max_length=64)
    stage: Plain = Field(min_length=1, max_length=200)
    changed_at: AwareDatetime = Field(ge=_EARLIEST, le=_LATEST)
    record_id: Plain = Field("", max_length=200)


class Inbound:
    """The pages and the webhook."""

    def __init__(
        self,
        base: Base,
        crms: Mapping[str, CrmChannel],
        unsubscribing: Unsubscribing | None,
        unsubscribe: Unsubscribe,
        plan: Plan | None = None,
    ) -> None:
        self._base = base
        self._crms = crms
        self._unsubscribing = unsubscribing
        self._unsubscribe = unsubscribe
        self._repository = CrmRepository()
        self._news = StageNews(base.outbox, plan)

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route("/crm/{tenant}/{sink}", self._crm, methods=["POST"]),
                Route("/unsubscribe/{token}", self._ask, methods=["GET"]),
                Route("/unsubscribe/{token}", self._take_off, methods=["POST"]),
            ]
        )

    async def _crm(self, request: Request) -> Response:
        """A stage that changed, signed as Standard Webhooks say. A repeat does nothing."""
        tenant_id, name = request.path_params["tenant"], request.path_params["sink"]
        body = await _body(request)
        if body is None:
            return Response(status_code=413, headers=_HEADERS)
        channel = self._channel(tenant_id, name)
        secret = channel.sink.inbound_secret if channel is not None else None
        if not signed(request.headers, body, secret) or channel is None:
            return Response(status_code=401, headers=_HEADERS)
        try:
            message = StageMessage.model_validate_json(body)
        except ValidationError as error:
            places = sorted({".".join(map(str, e["loc"])) or "body" for e in error.errors()})
            return _answer({"problem": "not understood", "fields": places}, 422)
        said = await self._hear(tenant_id, (name, channel), message, request.headers["webhook-id"])
        return _answer({"heard": said})

    async def _hear(
        self, tenant_id: str, sink: tuple[str, CrmChannel], message: StageMessage, message_id: str
    ) -> list[str]:
        record = CrmRecord(
            external_id=message.record_id or message.lead_id,
            lead_id=message.lead_id,
            changed_at=message.changed_at.astimezone(UTC),
            values={CrmField.STAGE: message.stage},
        )
        async with self._base.database.transaction({tenant_id}) as connection:
            taken = await self._repository.take_message(
                connection, tenant_id, sink[0], message_id, clock.now()
            )
            return await self._news.hear(connection, tenant_id, sink, [record]) if taken else []

    def _channel(self, tenant_id: str, name: str) -> CrmChannel | None:
        """The CRM of that name, if it is this tenant's."""
        try:
            check_tenant(tenant_id)
        except ValueError:
            return None
        channel = self._crms.get(name)
        if channel is None or not {tenant_id, EVERY_TENANT} & set(channel.sink.tenants):
            return None
        return channel

    async def _ask(self, request: Request) -> Response:
        """A page that asks once more: mail scanners open every link."""
        found = self._read(request)
        if found is None:
            return Response(status_code=404, headers=_HEADERS)
        return _page(
            f"<p>No more mail to <b>{html.escape(found[1])}</b>?</p>"
            '<form method="post"><button type="submit">Unsubscribe</button></form>'
        )

    async def _take_off(self, request: Request) -> Response:
        """The form above, or a mail program's one click (RFC 8058)."""
        found = self._read(request)
        if found is None or await _body(request) is None:
            return Response(status_code=404, headers=_HEADERS)
        tenant_id, address = found
        async with self._base.database.transaction({tenant_id}) as connection:
            await self._unsubscribe(connection, tenant_id, address, clock.now())
        _log.info("unsubscribed", tenant=tenant_id)
        return _page(f"<p>{html.escape(address)} will get no more mail.</p>")

    def _read(self, request: Request) -> tuple[str, str] | None:
        if self._unsubscribing is None:
            return None
        return self._unsubscribing.read(request.path_params["token"])


async def _body(request: Request) -> bytes | None:
    """The body; None for one that is too long or does not come to its end."""
    found = bytearray()
    try:
        async with asyncio.timeout(_READ_S):
            async for chunk in request.stream():
                found += chunk
                if len(found) > MOST_BYTES:
                    return None
    except (TimeoutError, ClientDisconnect):
        return None
    return bytes(found)


def _answer(body: Mapping[str, object], status: int = 200) -> Response:
    return JSONResponse(body, status, headers=_HEADERS)


def _page(content: str) -> Response:
    title = "Unsubscribe"
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><h1>{title}</h1>{content}</html>',
        headers=_HEADERS,
    )
