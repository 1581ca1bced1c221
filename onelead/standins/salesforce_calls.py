"""The REST calls of the Salesforce stand-in, whatever brought them: each a method, a path and a body."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from onelead.standins.archive import Archive
from onelead.standins.salesforce_query import Queries
from onelead.standins.salesforce_schema import (
    EXTERNAL_ID,
    SalesforceRefusalError,
    SeveralMatchError,
)
from onelead.standins.salesforce_store import Crm, Record

CHANNEL = "salesforce"
_UPDATE_HAS_A_BODY_SINCE = 46
_NOT_FOUND = "The requested resource does not exist"


@dataclass(frozen=True)
class Call:
    """A call below /services/data/{version}/. `page`: the records wanted in one answer to a query."""

    method: str
    version: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = b""
    page: int = 2_000

    def json(self) -> Any:
        """The body. Raises SalesforceRefusalError for no JSON."""
        try:
            return orjson.loads(self.raw)
        except orjson.JSONDecodeError as error:
            raise SalesforceRefusalError(400, "JSON_PARSER_ERROR", str(error)) from None


@dataclass(frozen=True)
class Reply:
    """What a call is answered; no body at all where it is None."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call, dict[str, str]], Reply]


class Calls:
    """The calls about single records and queries; calls about many are added by `serve`."""

    def __init__(self, crm: Crm, archive: Archive, limits: Callable[[], dict[str, Any]]) -> None:
        self.crm = crm
        self.archive = archive
        self._queries = Queries(crm)
        self._routes: list[tuple[re.Pattern[str], dict[str, Handler]]] = []
        record = rf"sobjects/(?P<kind>\w+)/{EXTERNAL_ID}/(?P<external_id>.+)"
        row = r"sobjects/(?P<kind>\w+)/(?P<record_id>[A-Za-z0-9]{15,18})/?"
        self.serve(r"query/?", GET=self._query)
        self.serve(r"query/(?P<locator>[\w-]+)", GET=self._more)
        self.serve(r"limits/?", GET=lambda _call, _path: Reply(200, limits()))
        self.serve(record, GET=self._read_external, PATCH=self._upsert)
        self.serve(row, GET=self._read, PATCH=self._update)
        self.serve(r"sobjects/(?P<kind>\w+)/?", POST=self._create)

    def serve(self, path: str, **handlers: Handler) -> None:
        """Adds the handlers of a path, by method."""
        self._routes.append((re.compile(path, re.DOTALL), handlers))

    def perform(self, call: Call) -> Reply:
        """The answer to a call. Raises SalesforceRefusalError."""
        for pattern, handlers in self._routes:
            if (match := pattern.fullmatch(call.path)) is None:
                continue
            if call.method not in handlers:
                allowed = ",".join(["HEAD", *handlers])
                message = f"HTTP Method '{call.method}' not allowed. Allowed are {allowed}"
                raise SalesforceRefusalError(405, "METHOD_NOT_ALLOWED", message)
            try:
                return handlers[call.method](call, match.groupdict())
            except SeveralMatchError as several:
                above = f"/services/data/{call.version}/sobjects/{several.kind}"
                self.archive.reject(CHANNEL, f"300 {several}", {"path": call.path}, sink=call.path)
                return Reply(300, [f"{above}/{record_id}" for record_id in several.ids])
        raise SalesforceRefusalError(404, "NOT_FOUND", _NOT_FOUND)

    def keep(self, kind: str, record: Record, sent: Any, *, created: bool) -> None:
        """Tells the archive of a record that was written; by external id it is written as often as sent."""
        external_id = record.get(EXTERNAL_ID) or record["Id"]
        identity = external_id if kind == "Opportunity" else f"{kind}/{external_id}"
        account = self.crm.find(record.get("AccountId") or "")
        shown = {**record, "Account": account["Name"] if account else None}
        self.archive.accept(
            CHANNEL,
            identity,
            {"kind": kind, "created": created, "sent": dict(sent), "record": shown},
            sink=f"sobjects/{kind}",
            upsert=True,
        )

    def upsert(self, kind: str, external_id: str, values: Any) -> tuple[Record, bool]:
        """Writes a record by its external id; says whether it is new. Raises SalesforceRefusalError."""
        done = self.crm.upsert(kind, external_id, values)
        self.keep(kind, done.record, values, created=done.created)
        return done.record, done.created

    def create(self, kind: str, values: Any) -> Record:
        """Adds a record. Raises SalesforceRefusalError."""
        record = self.crm.create(kind, values)
        self.keep(kind, record, values, created=True)
        return record

    def _upsert(self, call: Call, path: dict[str, str]) -> Reply:
        record, created = self.upsert(path["kind"], path["external_id"], call.json())
        body = {"id": record["Id"], "success": True, "errors": [], "created": created}
        if created:
            return Reply(201, body)
        if int(call.version[1:].partition(".")[0]) < _UPDATE_HAS_A_BODY_SINCE:
            return Reply(204)
        return Reply(200, body)

    def _create(self, call: Call, path: dict[str, str]) -> Reply:
        record = self.create(path["kind"], call.json())
        location = f"/services/data/{call.version}/sobjects/{path['kind']}/{record['Id']}"
        body = {"id": record["Id"], "success": True, "errors": []}
        return Reply(201, body, {"Location": location})

    def _update(self, call: Call, path: dict[str, str]) -> Reply:
        self._row(path)
        values = call.json()
        record = self.crm.update(path["record_id"], values)
        self.keep(path["kind"], record, values, created=False)
        return Reply(204)

    def _read(self, call: Call, path: dict[str, str]) -> Reply:
        return Reply(200, _fields(self._row(path), path["kind"], call))

    def _read_external(self, call: Call, path: dict[str, str]) -> Reply:
        known = self.crm.ids_of(path["kind"], path["external_id"])
        if len(known) > 1:
            raise SeveralMatchError(path["kind"], known)
        if not known:
            raise SalesforceRefusalError(404, "NOT_FOUND", _NOT_FOUND)
        return self._read(call, {**path, "record_id": known[0]})

    def _row(self, path: dict[str, str]) -> Record:
        record = self.crm.find(path["record_id"])
        if record is None:
            raise SalesforceRefusalError(404, "NOT_FOUND", _NOT_FOUND)
        return record

    def _query(self, call: Call, _path: dict[str, str]) -> Reply:
        return Reply(200, self._queries.ask(call.query.get("q", ""), call.page).body(call.version))

    def _more(self, call: Call, path: dict[str, str]) -> Reply:
        return Reply(200, self._queries.more(path["locator"], call.page).body(call.version))


def _fields(record: Record, kind: str, call: Call) -> Record:
    """The record, or the fields of it that were asked for."""
    wanted = call.query.get("fields", "").split(",") if call.query.get("fields") else list(record)
    unknown = [name for name in wanted if name not in record]
    if unknown:
        message = f"No such column '{unknown[0][:80]}' on sobject of type {kind}"
        raise SalesforceRefusalError(400, "INVALID_FIELD", message)
    return {"attributes": {"type": kind}, **{name: record[name] for name in wanted}}
