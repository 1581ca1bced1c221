"""What tests and the demo do to the stand-ins from outside: faults, and people at work in the CRM."""

from typing import Any

import orjson
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from onelead.standins.faults import FaultPlan, Faults
from onelead.standins.salesforce import SalesforceOrg
from onelead.standins.salesforce_schema import SalesforceRefusalError, fields_of


class Control:
    """The handlers below /api that change something."""

    def __init__(self, faults: Faults, org: SalesforceOrg) -> None:
        self._faults = faults
        self._org = org

    async def faults(self, request: Request) -> Response:
        """POST /api/faults switches faults on, DELETE /api/faults all off."""
        if request.method == "DELETE":
            self._faults.clear()
            return JSONResponse({})
        try:
            plan = FaultPlan.model_validate_json(await request.body())
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            return JSONResponse({"problems": problems}, status_code=422)
        self._faults.switch_on(plan)
        self._org.switch_on(plan)
        return JSONResponse({})

    async def accounts(self, request: Request) -> Response:
        """POST /api/salesforce/accounts {"names": […]} adds accounts to the CRM."""
        names = (await _object(request)).get("names")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            return _problem('send {"names": ["…"]}')
        self._org.add_accounts(names)
        return JSONResponse({"accounts": len(list(self._org.crm.all("Account")))})

    async def records(self, request: Request) -> Response:
        """GET /api/salesforce/records/{kind}: everything the CRM holds of an object."""
        kind = request.path_params["kind"]
        try:
            fields_of(kind)
        except SalesforceRefusalError:
            return _problem(f"the CRM has no {kind}", 404)
        return JSONResponse({"records": list(self._org.crm.all(kind))})

    async def change_opportunity(self, request: Request) -> Response:
        """POST /api/salesforce/opportunities/{external_id} {"StageName": …}: a person changes it."""
        try:
            changed = self._org.change(request.path_params["external_id"], await _object(request))
        except SalesforceRefusalError as refused:
            return _problem(str(refused))
        if not changed:
            return _problem("the CRM has no such opportunity", 404)
        return JSONResponse({"records": changed})

    async def copy_opportunity(self, request: Request) -> Response:
        """POST /api/salesforce/opportunities/{external_id}/copies: a second one with the same id."""
        copy = self._org.copy(request.path_params["external_id"])
        if copy is None:
            return _problem("the CRM has no such opportunity", 404)
        return JSONResponse(copy, 201)


def _problem(text: str, status: int = 422) -> Response:
    return JSONResponse({"problems": [text]}, status_code=status)


async def _object(request: Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}
