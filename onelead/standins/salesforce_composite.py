"""Calls about many records at once: sObject collections, and composite requests of several calls."""

import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from onelead.standins.salesforce_calls import CHANNEL, Call, Calls, Reply
from onelead.standins.salesforce_schema import EXTERNAL_ID, SalesforceRefusalError, check_values

MAX_RECORDS = 200
MAX_SUBREQUESTS = 25
MAX_COLLECTIONS = 5
_REFERENCE = re.compile(r"@\{(\w+)\.(\w+)\}")
_ROLLED_BACK = "ALL_OR_NONE_OPERATION_ROLLED_BACK"


class Collections:
    """Adds the calls about many records to those about one."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        calls.serve(
            rf"composite/sobjects/(?P<kind>\w+)/{EXTERNAL_ID}/?", PATCH=self._upsert_records
        )
        calls.serve(r"composite/sobjects/?", POST=self._create_records)
        calls.serve(r"composite/?", POST=self._composite)

    def _upsert_records(self, call: Call, path: dict[str, str]) -> Reply:
        """Upserts each record by its own; the answer says of each how it went, in the same order."""
        records, all_or_none = _records(call, path["kind"])
        seen: set[str] = set()
        problems = [self._problem(path["kind"], record, seen) for record in records]
        if all_or_none and any(problems):
            return Reply(200, self._rolled_back(records, problems))
        results = []
        for record, problem in zip(records, problems, strict=True):
            if problem is not None:
                results.append(self._refused(record, problem))
                continue
            external_id, values = _split(record)
            stored, created = self._calls.upsert(path["kind"], external_id, values)
            results.append({"id": stored["Id"], "success": True, "errors": [], "created": created})
        return Reply(200, results)

    def _problem(
        self, kind: str, record: dict[str, Any], seen: set[str]
    ) -> SalesforceRefusalError | None:
        external_id, values = _split(record)
        try:
            if external_id in seen:
                message = f"Duplicate external id specified: {external_id}"
                raise SalesforceRefusalError(400, "DUPLICATE_VALUE", message, (EXTERNAL_ID,))
            if not external_id:
                message = f"{EXTERNAL_ID} not specified"
                raise SalesforceRefusalError(400, "MISSING_ARGUMENT", message)
            self._calls.crm.check(kind, external_id, values)
        except SalesforceRefusalError as problem:
            return problem
        finally:
            seen.add(external_id)
        return None

    def _create_records(self, call: Call, _path: dict[str, str]) -> Reply:
        """Adds each record by its own."""
        records, all_or_none = _records(call, None)
        problems = [self._creation_problem(record) for record in records]
        if all_or_none and any(problems):
            return Reply(200, self._rolled_back(records, problems))
        results = []
        for record, problem in zip(records, problems, strict=True):
            if problem is not None:
                results.append(self._refused(record, problem))
                continue
            try:
                stored = self._calls.create(record["attributes"]["type"], _plain(record))
            except SalesforceRefusalError as late:
                results.append(self._refused(record, late))
            else:
                results.append({"id": stored["Id"], "success": True, "errors": []})
        return Reply(200, results)

    def _creation_problem(self, record: dict[str, Any]) -> SalesforceRefusalError | None:
        kind, ids = record["attributes"]["type"], self._calls.crm.ids
        try:
            check_values(_plain(record), new=True, kind=kind, ids=ids)
        except SalesforceRefusalError as problem:
            return problem
        return None

    def _rolled_back(
        self, records: list[dict[str, Any]], problems: list[SalesforceRefusalError | None]
    ) -> list[dict[str, Any]]:
        message = (
            "Record rolled back because not all records were valid and the request was using"
            " AllOrNone header"
        )
        others = SalesforceRefusalError(400, _ROLLED_BACK, message)
        return [self._refused(r, p or others) for r, p in zip(records, problems, strict=True)]

    def _refused(self, record: dict[str, Any], problem: SalesforceRefusalError) -> dict[str, Any]:
        kind = record["attributes"]["type"]
        self._calls.archive.reject(
            CHANNEL, f"{problem.status} {problem}", _plain(record), sink=f"sobjects/{kind}"
        )
        return problem.result

    def _composite(self, call: Call, _path: dict[str, str]) -> Reply:
        """Performs up to 25 calls in order; a later one may name what an earlier one answered.

        With allOrNone nothing after the first failure is performed; what was done before it stays here.
        """
        body = call.json()
        requests = body.get("compositeRequest") if isinstance(body, dict) else None
        if not isinstance(requests, list) or not all(isinstance(r, dict) for r in requests):
            raise SalesforceRefusalError(400, "JSON_PARSER_ERROR", "compositeRequest is missing")
        _check_sizes(requests)
        answers: dict[str, Reply] = {}
        for request in requests:
            halted = body.get("allOrNone") and any(a.status >= 400 for a in answers.values())
            answers[str(request["referenceId"])] = (
                _halted() if halted else self._perform(call, request, answers)
            )
        return Reply(
            200,
            {
                "compositeResponse": [
                    {
                        "body": answer.body,
                        "httpHeaders": dict(answer.headers),
                        "httpStatusCode": answer.status,
                        "referenceId": name,
                    }
                    for name, answer in answers.items()
                ]
            },
        )

    def _perform(self, call: Call, request: dict[str, Any], answers: dict[str, Reply]) -> Reply:
        try:
            filled = orjson.loads(_fill(orjson.dumps(request).decode(), answers))
            parts = urlsplit(str(filled.get("url", "")))
            prefix = f"/services/data/{call.version}/"
            if not parts.path.startswith(prefix):
                raise SalesforceRefusalError(404, "NOT_FOUND", "The url is of no resource")
            path = unquote(parts.path.removeprefix(prefix))
            inner = Call(
                method=str(filled.get("method", "")).upper(),
                version=call.version,
                path=path,
                query=dict(parse_qsl(parts.query)),
                raw=orjson.dumps(filled.get("body")),
                page=call.page,
            )
            return self._calls.perform(inner)
        except SalesforceRefusalError as refused:
            if request.get("method", "").upper() != "GET":
                self._calls.archive.reject(CHANNEL, f"{refused.status} {refused}", request)
            return Reply(refused.status, refused.body)


def _halted() -> Reply:
    message = "The transaction was rolled back since another operation in it failed."
    return Reply(400, SalesforceRefusalError(400, "PROCESSING_HALTED", message).body)


def _fill(text: str, answers: dict[str, Reply]) -> str:
    """The request with what it refers to, as in `@{account.id}`."""

    def value(match: re.Match[str]) -> str:
        answer = answers.get(match[1])
        if answer is None or not isinstance(answer.body, dict) or match[2] not in answer.body:
            message = f"Invalid reference specified. No value for {match[1]}.{match[2]}"
            raise SalesforceRefusalError(400, "PROCESSING_HALTED", message)
        return orjson.dumps(str(answer.body[match[2]])).decode()[1:-1]

    return _REFERENCE.sub(value, text)


def _check_sizes(requests: list[dict[str, Any]]) -> None:
    names = [str(request.get("referenceId", "")) for request in requests]
    many = [r for r in requests if re.search(r"/(composite/sobjects|query)", str(r.get("url")))]
    if len(requests) > MAX_SUBREQUESTS or len(many) > MAX_COLLECTIONS:
        message = (
            f"at most {MAX_SUBREQUESTS} subrequests, {MAX_COLLECTIONS} of them of many records"
        )
        raise SalesforceRefusalError(400, "LIMIT_EXCEEDED", message)
    if not all(re.fullmatch(r"\w+", name) for name in names) or len(set(names)) < len(names):
        message = "each referenceId must be there, unique, and of letters, digits and underscores"
        raise SalesforceRefusalError(400, "INVALID_INPUT", message)


def _records(call: Call, kind: str | None) -> tuple[list[dict[str, Any]], bool]:
    """The records of a collection and whether one failure fails all. Raises SalesforceRefusalError."""
    body = call.json()
    records = body.get("records") if isinstance(body, dict) else None
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise SalesforceRefusalError(400, "JSON_PARSER_ERROR", "records is missing")
    if len(records) > MAX_RECORDS:
        message = (
            f"record limit reached. cannot submit more than {MAX_RECORDS} records into this call"
        )
        raise SalesforceRefusalError(400, "LIMIT_EXCEEDED", message)
    for record in records:
        attributes = record.get("attributes")
        found = attributes.get("type") if isinstance(attributes, dict) else None
        if not isinstance(found, str) or (kind is not None and found != kind):
            message = f"attributes.type of each record must be {kind or 'an object'}"
            raise SalesforceRefusalError(400, "INVALID_TYPE", message)
    return records, bool(body.get("allOrNone"))


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "attributes"}


def _split(record: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The external id and the other values."""
    values = _plain(record)
    return str(values.pop(EXTERNAL_ID, None) or ""), values
