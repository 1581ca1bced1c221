"""The Salesforce stand-in over HTTP: logins, faults and limits before every call."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from onelead.standins.archive import Archive
from onelead.standins.faults import Answer, FaultPlan, Faults
from onelead.standins.salesforce_calls import CHANNEL, Call, Calls, Reply
from onelead.standins.salesforce_composite import Collections
from onelead.standins.salesforce_schema import EXTERNAL_ID, SalesforceRefusalError
from onelead.standins.salesforce_session import Sessions
from onelead.standins.salesforce_store import Crm, Record
from onelead.standins.settings import StandinSettings

_SHOWN = 4_000
_LEAST_PAGE = 200


class SalesforceOrg:
    """One organisation: its logins, its records, and the people who work in it."""

    def __init__(self, settings: StandinSettings, archive: Archive, faults: Faults) -> None:
        self.crm = Crm(settings.salesforce_username)
        self._sessions = Sessions(settings)
        self._calls = Calls(self.crm, archive, lambda: self._sessions.limits)
        Collections(self._calls)
        self._archive = archive
        self._faults = faults
        self._page = settings.salesforce_query_page

    def switch_on(self, plan: FaultPlan) -> None:
        """Applies the part of a plan that is about tokens and limits."""
        self._sessions.switch_on(plan)

    def add_accounts(self, names: list[str]) -> None:
        """Adds an account for each name; equal names give several accounts, as in real life."""
        for name in names:
            self.crm.create("Account", {"Name": name})

    def change(self, external_id: str, values: dict[str, Any]) -> list[Record]:
        """A person changes an opportunity in the CRM. Raises SalesforceRefusalError."""
        ids = self.crm.ids_of("Opportunity", external_id)
        return [self.crm.update(record_id, values, self.crm.person) for record_id in ids]

    def copy(self, external_id: str) -> Record | None:
        """A second opportunity with the same external id, as where the field was not made unique."""
        ids = self.crm.ids_of("Opportunity", external_id)
        first = self.crm.find(ids[0]) if ids else None
        if first is None:
            return None
        names = ("Name", "StageName", "CloseDate", EXTERNAL_ID)
        values = {name: first[name] for name in names}
        return self.crm.create("Opportunity", values, unique=False)

    async def token(self, request: Request) -> Response:
        """POST /services/oauth2/token."""
        fault = await self._faults.take(CHANNEL, request.scope["path"], message=False)
        if fault is not None and fault.refuses:
            body = {"error": fault.error or "server_error", "error_description": "switched on"}
            return JSONResponse(body, fault.status or 400, headers=fault.headers)
        return await self._sessions.token(request)

    async def data(self, request: Request) -> Response:
        """Any call below /services/data/{version}/."""
        raw, path = await request.body(), request.path_params["path"]
        writes = request.method != "GET"
        fault = None
        try:
            fault = await self._faults.take(CHANNEL, request.scope["path"], message=writes)
            _fail_if_told(fault)
            self._sessions.admit(request)
            reply = self._calls.perform(self._call(request, raw))
        except SalesforceRefusalError as refused:
            if writes:
                shown = {"path": path, "raw": raw[:_SHOWN].decode(errors="replace")}
                self._archive.reject(CHANNEL, f"{refused.status} {refused}", shown, sink=path)
            return self._answer(Reply(refused.status, refused.body, refused.headers))
        if writes or (fault is not None and fault.drop):
            await self._faults.drop_if_told(CHANNEL, request, fault)
        return self._answer(reply)

    def _call(self, request: Request, raw: bytes) -> Call:
        return Call(
            method=request.method,
            version=request.path_params["version"],
            path=request.path_params["path"],
            query=dict(request.query_params),
            raw=raw,
            page=self._page_wanted(request.headers.get("sforce-query-options", "")),
        )

    def _page_wanted(self, options: str) -> int:
        name, _, size = options.partition("=")
        if name.strip().lower() != "batchsize" or not size.strip().isdecimal():
            return self._page
        return min(self._page, max(_LEAST_PAGE, int(size)))

    def _answer(self, reply: Reply) -> Response:
        headers = {**reply.headers, **self._sessions.usage}
        if reply.body is None:
            return Response(status_code=reply.status, headers=headers)
        return JSONResponse(reply.body, reply.status, headers=headers)


def _fail_if_told(fault: Answer | None) -> None:
    if fault is None or not fault.refuses:
        return
    code = fault.error or fault.body or "SERVER_UNAVAILABLE"
    refused = SalesforceRefusalError(fault.status or 400, code, "switched on")
    refused.headers = fault.headers
    raise refused
