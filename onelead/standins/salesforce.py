"""The Salesforce stand-in: token, upsert by external id, one kind of query, limits and errors."""

import re
import secrets
from typing import Any
from urllib.parse import parse_qs

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from onelead.standins.archive import Archive
from onelead.standins.faults import FaultPlan, Faults
from onelead.standins.salesforce_schema import EXTERNAL_ID, SalesforceRefusalError, check_upsert
from onelead.standins.settings import StandinSettings
from shared import clock

CHANNEL = "salesforce"
ACCOUNT_QUERY = re.compile(
    r"\s*SELECT\s+Id\s+FROM\s+Account\s+WHERE\s+Name\s*=\s*'((?:[^'\\]|\\.)*)'\s*",
    re.IGNORECASE | re.DOTALL,
)
_UNESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_UPDATE_HAS_A_BODY_SINCE = 46


class SalesforceOrg:
    """One organisation: its tokens, accounts and opportunities."""

    def __init__(self, settings: StandinSettings, archive: Archive, faults: Faults) -> None:
        self._settings = settings
        self._archive = archive
        self._faults = faults
        self._tokens: set[str] = set()
        self._calls = 0
        self._calls_allowed = settings.salesforce_daily_calls
        self.accounts: dict[str, str] = {}
        self._opportunities: dict[str, dict[str, Any]] = {}

    def add_accounts(self, names: list[str]) -> None:
        """Adds an account for each name; equal names give several accounts, as in real life."""
        for name in names:
            self.accounts[_new_id("001")] = name

    def switch_on(self, plan: FaultPlan) -> None:
        """Applies the part of a plan that is about tokens and limits."""
        if plan.expire_tokens:
            self._tokens.clear()
        if plan.daily_calls_left is not None:
            self._calls_allowed = self._calls + plan.daily_calls_left

    async def token(self, request: Request) -> Response:
        """POST /services/oauth2/token with client credentials."""
        raw = (await request.body()).decode(errors="replace")
        form = {name: values[0] for name, values in parse_qs(raw).items()}
        if form.get("grant_type") != "client_credentials":
            return _oauth_error("unsupported_grant_type", "grant type not supported")
        known = (self._settings.salesforce_client_id, self._settings.salesforce_client_secret)
        if (form.get("client_id"), form.get("client_secret")) != known:
            return _oauth_error("invalid_client", "invalid client credentials")
        token = f"00Dstandin!{secrets.token_urlsafe(24)}"
        self._tokens.add(token)
        base = str(request.base_url).rstrip("/")
        issued = str(int(clock.now().timestamp() * 1_000))
        return JSONResponse(
            {
                "access_token": token,
                "instance_url": base,
                "id": f"{base}/id/00Dstandin/005standin",
                "token_type": "Bearer",
                "issued_at": issued,
                "scope": "api",
            }
        )

    async def query(self, request: Request) -> Response:
        """GET /services/data/{version}/query?q=SELECT Id FROM Account WHERE Name = '…'."""
        try:
            self._admit(request)
            match = ACCOUNT_QUERY.fullmatch(request.query_params.get("q", ""))
            if match is None:
                raise SalesforceRefusalError(
                    400, "MALFORMED_QUERY", "unexpected token in the query"
                )
        except SalesforceRefusalError as refused:
            return self._answer(refused.body, refused.status)
        wanted = soql_text(match.group(1)).casefold()
        found = [
            {"attributes": {"type": "Account"}, "Id": account_id}
            for account_id, name in self.accounts.items()
            if name.casefold() == wanted
        ]
        return self._answer({"totalSize": len(found), "done": True, "records": found}, 200)

    async def opportunity(self, request: Request) -> Response:
        """PATCH /services/data/{version}/sobjects/Opportunity/OneLead_ID__c/{id}; no DELETE."""
        raw = await request.body()
        external_id = request.path_params["external_id"]
        try:
            await self._fail_if_told()
            self._admit(request)
            values = self._read(request, raw, external_id)
        except SalesforceRefusalError as refused:
            shown = {EXTERNAL_ID: external_id, "raw": raw[:4_000].decode(errors="replace")}
            self._archive.reject(CHANNEL, f"{refused.status} {refused}", shown)
            return self._answer(refused.body, refused.status)
        created = external_id not in self._opportunities
        record = self._store(external_id, values)
        content = {"created": created, "sent": values, "record": self._shown(record)}
        self._archive.accept(CHANNEL, external_id, content)
        await self._faults.drop_if_told(CHANNEL, request)
        return self._upserted(request.path_params["version"], record["Id"], created)

    def _read(self, request: Request, raw: bytes, external_id: str) -> dict[str, Any]:
        if request.method != "PATCH":
            message = f"HTTP Method '{request.method}' not allowed. Allowed are HEAD,GET,PATCH"
            raise SalesforceRefusalError(405, "METHOD_NOT_ALLOWED", message)
        if len(external_id) > 64:
            raise SalesforceRefusalError(404, "NOT_FOUND", "The requested resource does not exist")
        try:
            values = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise SalesforceRefusalError(400, "JSON_PARSER_ERROR", str(error)) from None
        new = external_id not in self._opportunities
        return check_upsert(values, new=new, accounts=self.accounts)

    def _store(self, external_id: str, values: dict[str, Any]) -> dict[str, Any]:
        record = self._opportunities.setdefault(external_id, {"Id": _new_id("006")})
        record.update(values)
        record[EXTERNAL_ID] = external_id
        return record

    def _shown(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record with its account's name, as the record page shows it."""
        return {**record, "Account": self.accounts.get(record.get("AccountId", ""))}

    def _upserted(self, version: str, record_id: str, created: bool) -> Response:
        body = {"id": record_id, "success": True, "errors": [], "created": created}
        if created:
            return self._answer(body, 201)
        if int(version[1:].partition(".")[0]) < _UPDATE_HAS_A_BODY_SINCE:
            return Response(status_code=204)
        return self._answer(body, 200)

    async def _fail_if_told(self) -> None:
        fault = await self._faults.take(CHANNEL)
        if fault is not None:
            status = fault.status or 503
            raise SalesforceRefusalError(status, fault.body or "SERVER_UNAVAILABLE", "switched on")

    def _admit(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme not in {"Bearer", "OAuth"} or token not in self._tokens:
            raise SalesforceRefusalError(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if self._calls >= self._calls_allowed:
            raise SalesforceRefusalError(
                403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."
            )
        self._calls += 1

    def _answer(self, body: object, status: int) -> Response:
        usage = f"api-usage={self._calls}/{self._calls_allowed}"
        return JSONResponse(body, status_code=status, headers={"Sforce-Limit-Info": usage})


def _oauth_error(code: str, description: str) -> Response:
    return JSONResponse({"error": code, "error_description": description}, status_code=400)


def _new_id(prefix: str) -> str:
    return prefix + secrets.token_hex(8)[:15]


def soql_text(literal: str) -> str:
    """The text of a SOQL string literal, its escapes resolved."""
    return re.sub(r"\\(.)", lambda m: _UNESCAPED.get(m.group(1), m.group(1)), literal, flags=re.S)
