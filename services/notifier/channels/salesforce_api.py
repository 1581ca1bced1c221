"""A small Salesforce REST client: one cached token, one query, one upsert, errors read as outcomes."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from services.notifier.channels.http import Answer, ask, make_client, transport_outcome
from services.notifier.domain.attempt import Outcome, Rejected, Retryable
from services.notifier.settings import SalesforceSink
from shared import clock

_LIMIT_PAUSE_S = 900.0
_MENDABLE = frozenset(
    {
        "INVALID_FIELD",
        "NOT_FOUND",
        "INVALID_SESSION_ID",
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "API_DISABLED_FOR_ORG",
        "API_CURRENTLY_DISABLED",
        "UNABLE_TO_LOCK_ROW",
        "SERVER_UNAVAILABLE",
    }
)
"""Refusals that an administrator mends (a missing field, a missing right) or that pass."""


class SalesforceError(Exception):
    """Salesforce refused, or did not answer. `outcome` is what that means for a delivery."""

    def __init__(self, outcome: Outcome, code: str = "") -> None:
        super().__init__(code)
        self.outcome = outcome
        self.code = code


class SalesforceApi:
    """One organisation. Every method raises SalesforceError."""

    def __init__(self, sink: SalesforceSink) -> None:
        self._sink = sink
        self._client = make_client(keep_alive=True)
        self._session: tuple[str, str] | None = None
        self._signing_in = asyncio.Lock()

    async def close(self) -> None:
        """Closes the client."""
        await self._client.aclose()

    async def account_ids(self, name: str) -> tuple[str, ...]:
        """The ids of the accounts with exactly this name (Salesforce compares without case)."""
        soql = f"SELECT Id FROM Account WHERE Name = '{soql_escape(name)}'"
        answer = await self._call("GET", "/query", params={"q": soql})
        if answer.status != httpx.codes.OK:
            raise _refused(answer)
        try:
            return tuple(str(record["Id"]) for record in orjson.loads(answer.body)["records"])
        except (ValueError, TypeError, KeyError) as error:
            raise SalesforceError(Retryable("Salesforce's answer is not a query result")) from error

    async def upsert_opportunity(self, lead_id: str, fields: Mapping[str, Any]) -> None:
        """Creates or updates the opportunity whose OneLead_ID__c is `lead_id`."""
        path = f"/sobjects/Opportunity/OneLead_ID__c/{quote(lead_id, safe='')}"
        answer = await self._call("PATCH", path, json=dict(fields))
        if answer.status not in {httpx.codes.OK, httpx.codes.CREATED, httpx.codes.NO_CONTENT}:
            raise _refused(answer)

    async def _call(self, method: str, path: str, **options: Any) -> Answer:
        """A request with the cached token; an expired one is replaced once."""
        session = await self._sign_in(expired=None)
        answer = await self._ask(session, method, path, options)
        if answer.status == httpx.codes.UNAUTHORIZED:
            session = await self._sign_in(expired=session)
            answer = await self._ask(session, method, path, options)
        return answer

    async def _ask(
        self, session: tuple[str, str], method: str, path: str, options: dict[str, Any]
    ) -> Answer:
        instance, token = session
        url = f"{instance}/services/data/{self._sink.api_version}{path}"
        try:
            return await ask(
                self._client, method, url, headers={"Authorization": f"Bearer {token}"}, **options
            )
        except httpx.HTTPError as error:
            raise SalesforceError(transport_outcome(error)) from None

    async def _sign_in(self, expired: tuple[str, str] | None) -> tuple[str, str]:
        async with self._signing_in:
            if self._session is None or self._session == expired:
                self._session = await self._new_session()
            return self._session

    async def _new_session(self) -> tuple[str, str]:
        """(instance address, token) for the client credentials."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self._sink.client_id,
            "client_secret": self._sink.client_secret.get_secret_value(),
        }
        try:
            address = f"{self._sink.url}/services/oauth2/token"
            answer = await ask(self._client, "POST", address, data=form)
            granted = orjson.loads(answer.body)
            return str(granted["instance_url"]).rstrip("/"), str(granted["access_token"])
        except httpx.HTTPError as error:
            raise SalesforceError(Retryable(f"no token: {type(error).__name__}")) from None
        except (ValueError, TypeError, KeyError):
            # The answer may repeat what was sent: only its status is told.
            reason = f"Salesforce gave no token, it answered {answer.status}"
            raise SalesforceError(Retryable(reason, answer.pause_s(clock.now()))) from None


def soql_escape(text: str) -> str:
    """Text inside a SOQL string literal: backslash, quotes and line ends escaped."""
    escapes = {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "".join(escapes.get(character, character) for character in text)


def _refused(answer: Answer) -> SalesforceError:
    code, message = _first_error(answer)
    said = f"Salesforce answered {answer.status} {code} {message}".strip()
    pause_s = answer.pause_s(clock.now())
    if code == "REQUEST_LIMIT_EXCEEDED" or answer.status == httpx.codes.TOO_MANY_REQUESTS:
        return SalesforceError(Retryable(said, pause_s or _LIMIT_PAUSE_S), code)
    if answer.status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return SalesforceError(Retryable(said, pause_s), code)
    if answer.status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN} or code in _MENDABLE:
        return SalesforceError(Retryable(said), code)
    return SalesforceError(Rejected(said), code)


def _first_error(answer: Answer) -> tuple[str, str]:
    try:
        first = orjson.loads(answer.body)[0]
        return str(first["errorCode"])[:80], " ".join(str(first["message"]).split())[:200]
    except (ValueError, TypeError, KeyError, IndexError):
        return "", ""
