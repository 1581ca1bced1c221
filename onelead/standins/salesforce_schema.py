"""What the objects of the Salesforce stand-in look like, and which values they refuse how."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

EXTERNAL_ID = "OneLead_ID__c"
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")


@dataclass(frozen=True)
class Field:
    """A field's kind and, for text, its length. An `id` field names a record of one of `of`."""

    kind: Literal["text", "number", "date", "id"] = "text"
    length: int = 255
    required: bool = False
    default: str | None = None
    of: tuple[str, ...] = ()


OPPORTUNITY: Mapping[str, Field] = {
    "Name": Field(length=120, required=True),
    "StageName": Field(length=40, required=True),
    "CloseDate": Field("date", required=True),
    "AccountId": Field("id", of=("Account",)),
    "Amount": Field("number"),
    "Description": Field(length=32_000),
    "NextStep": Field(),
    "Type": Field(length=40),
    "LeadSource": Field(length=40),
    EXTERNAL_ID: Field(length=64),
    "OneLead_Score__c": Field("number"),
    "OneLead_Status__c": Field(length=40),
}
TASK: Mapping[str, Field] = {
    "Subject": Field(),
    "Status": Field(length=40, default="Not Started"),
    "Priority": Field(length=40, default="Normal"),
    "ActivityDate": Field("date"),
    "Description": Field(length=32_000),
    "TaskSubtype": Field(length=40, default="Task"),
    "WhatId": Field("id", of=("Opportunity", "Account")),
    "OwnerId": Field("id", of=("User",)),
    EXTERNAL_ID: Field(length=64),
}
ACCOUNT: Mapping[str, Field] = {"Name": Field(required=True)}
USER: Mapping[str, Field] = {"Name": Field(required=True), "Username": Field(length=80)}

OBJECTS: Mapping[str, Mapping[str, Field]] = {
    "Opportunity": OPPORTUNITY,
    "Task": TASK,
    "Account": ACCOUNT,
    "User": USER,
}
PREFIXES: Mapping[str, str] = {
    "Opportunity": "006",
    "Task": "00T",
    "Account": "001",
    "User": "005",
}


class SalesforceRefusalError(Exception):
    """An error as Salesforce answers it."""

    def __init__(self, status: int, code: str, message: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
        self.headers: dict[str, str] = {}

    @property
    def body(self) -> Any:
        """The body of the answer to a call about one record."""
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        return [error | ({"fields": list(self.fields)} if self.fields else {})]

    @property
    def result(self) -> dict[str, Any]:
        """What a call about many records says of this one."""
        error = {
            "statusCode": self.code,
            "message": self.message,
            "fields": list(self.fields),
        }
        return {"success": False, "errors": [error]}


class SeveralMatchError(SalesforceRefusalError):
    """An external id that several records have; a call about it alone is answered their list."""

    def __init__(self, kind: str, ids: list[str]) -> None:
        message = f"More than one record found for external id field: [{', '.join(ids)}]"
        super().__init__(300, "DUPLICATE_EXTERNAL_ID", message, (EXTERNAL_ID,))
        self.kind = kind
        self.ids = ids


def fields_of(kind: str) -> Mapping[str, Field]:
    """The fields of an object. Raises SalesforceRefusalError for an object the org does not have."""
    if kind not in OBJECTS:
        raise SalesforceRefusalError(404, "NOT_FOUND", "The requested resource does not exist")
    return OBJECTS[kind]


def check_upsert(
    values: object, *, new: bool, accounts: Collection[str], kind: str = "Opportunity"
) -> dict[str, Any]:
    """The values to store under an external id; it must not be among them."""
    if isinstance(values, dict) and EXTERNAL_ID in values:
        message = f"The {EXTERNAL_ID} field should not be specified in the sobject data."
        raise SalesforceRefusalError(400, "INVALID_FIELD", message)
    return check_values(values, new=new, kind=kind, ids=accounts)


def check_values(values: object, *, new: bool, kind: str, ids: Collection[str]) -> dict[str, Any]:
    """The values to store. Raises SalesforceRefusalError for what Salesforce would refuse.

    `ids`: the records that the org has, for fields that name one.
    """
    if not isinstance(values, dict):
        raise SalesforceRefusalError(
            400, "JSON_PARSER_ERROR", "The HTTP entity body is not an object"
        )
    fields = fields_of(kind)
    for name, value in values.items():
        _check_value(kind, name, value, ids)
    required = [name for name, field in fields.items() if field.required]
    missing = [n for n in required if (new or n in values) and values.get(n) in {None, ""}]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise SalesforceRefusalError(400, "REQUIRED_FIELD_MISSING", message, tuple(missing))
    return values


def _check_value(kind: str, name: str, value: object, ids: Collection[str]) -> None:
    field = OBJECTS[kind].get(name)
    if field is None:
        message = f"No such column '{name[:80]}' on sobject of type {kind}"
        raise SalesforceRefusalError(400, "INVALID_FIELD", message)
    if value is None:
        return
    check = {"text": _text, "number": _number, "date": _date, "id": _record_id}[field.kind]
    check(name, value, field, ids)


def _text(name: str, value: object, field: Field, _: Collection[str]) -> None:
    if not isinstance(value, str):
        _refuse_type("string", value)
    elif len(value) > field.length:
        label = f"{name}: data value too large: {value[:60]} (max length={field.length})"
        raise SalesforceRefusalError(400, "STRING_TOO_LONG", label, (name,))


def _number(_name: str, value: object, _field: Field, _: Collection[str]) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse_type("double", value)


def _date(_name: str, value: object, _field: Field, _: Collection[str]) -> None:
    try:
        date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        _refuse_type("date", value)


def _record_id(name: str, value: object, field: Field, ids: Collection[str]) -> None:
    label = name.removesuffix("Id")
    prefixes = tuple(PREFIXES[kind] for kind in field.of)
    if not isinstance(value, str) or not _ID.fullmatch(value) or not value.startswith(prefixes):
        message = f"{label} ID: id value of incorrect type: {str(value)[:40]}"
        raise SalesforceRefusalError(400, "MALFORMED_ID", message, (name,))
    if value not in ids:
        raise SalesforceRefusalError(
            400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", (name,)
        )


def _refuse_type(kind: str, value: object) -> None:
    message = f"Cannot deserialize instance of {kind} from {type(value).__name__} {str(value)[:40]}"
    raise SalesforceRefusalError(400, "JSON_PARSER_ERROR", message)
