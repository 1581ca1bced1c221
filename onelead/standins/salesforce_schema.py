"""What the Opportunity of the Salesforce stand-in looks like, and which values it refuses how."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

EXTERNAL_ID = "OneLead_ID__c"
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")


@dataclass(frozen=True)
class Field:
    """A field's kind and, for text, its length."""

    kind: Literal["text", "number", "date", "account"] = "text"
    length: int = 255
    required: bool = False


OPPORTUNITY: Mapping[str, Field] = {
    "Name": Field(length=120, required=True),
    "StageName": Field(length=40, required=True),
    "CloseDate": Field("date", required=True),
    "AccountId": Field("account"),
    "Amount": Field("number"),
    "Description": Field(length=32_000),
    "NextStep": Field(),
    "Type": Field(length=40),
    "LeadSource": Field(length=40),
    EXTERNAL_ID: Field(length=64),
    "OneLead_Score__c": Field("number"),
    "OneLead_Status__c": Field(length=40),
}


class SalesforceRefusalError(Exception):
    """An error as Salesforce answers it."""

    def __init__(self, status: int, code: str, message: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.body = [{"message": message, "errorCode": code, "fields": list(fields)}]
        if not fields:
            del self.body[0]["fields"]


def check_upsert(values: object, *, new: bool, accounts: Mapping[str, str]) -> dict[str, Any]:
    """The values to store. Raises SalesforceRefusalError for what Salesforce would refuse."""
    if not isinstance(values, dict):
        raise SalesforceRefusalError(
            400, "JSON_PARSER_ERROR", "The HTTP entity body is not an object"
        )
    if EXTERNAL_ID in values:
        message = f"The {EXTERNAL_ID} field should not be specified in the sobject data."
        raise SalesforceRefusalError(400, "INVALID_FIELD", message)
    for name, value in values.items():
        _check_value(name, value, accounts)
    required = [name for name, field in OPPORTUNITY.items() if field.required]
    missing = [n for n in required if (new or n in values) and values.get(n) in {None, ""}]
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise SalesforceRefusalError(400, "REQUIRED_FIELD_MISSING", message, tuple(missing))
    return values


def _check_value(name: str, value: object, accounts: Mapping[str, str]) -> None:
    field = OPPORTUNITY.get(name)
    if field is None:
        message = f"No such column '{name[:80]}' on sobject of type Opportunity"
        raise SalesforceRefusalError(400, "INVALID_FIELD", message)
    if value is None:
        return
    check = {"text": _text, "number": _number, "date": _date, "account": _account}[field.kind]
    check(name, value, field, accounts)


def _text(name: str, value: object, field: Field, _: Mapping[str, str]) -> None:
    if not isinstance(value, str):
        _refuse_type("string", value)
    elif len(value) > field.length:
        label = f"{name}: data value too large: {value[:60]} (max length={field.length})"
        raise SalesforceRefusalError(400, "STRING_TOO_LONG", label, (name,))


def _number(_name: str, value: object, _field: Field, _: Mapping[str, str]) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse_type("double", value)


def _date(_name: str, value: object, _field: Field, _: Mapping[str, str]) -> None:
    try:
        date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        _refuse_type("date", value)


def _account(name: str, value: object, _field: Field, accounts: Mapping[str, str]) -> None:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        message = f"Account ID: id value of incorrect type: {str(value)[:40]}"
        raise SalesforceRefusalError(400, "MALFORMED_ID", message, (name,))
    if value not in accounts:
        raise SalesforceRefusalError(
            400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", (name,)
        )


def _refuse_type(kind: str, value: object) -> None:
    message = f"Cannot deserialize instance of {kind} from {type(value).__name__} {str(value)[:40]}"
    raise SalesforceRefusalError(400, "JSON_PARSER_ERROR", message)
