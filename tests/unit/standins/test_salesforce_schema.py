from typing import Any

import pytest

from onelead.standins.salesforce_schema import SalesforceRefusalError, check_upsert

ACCOUNTS = {"001000000000000001": "Apple Inc"}
FULL = {"Name": "n", "StageName": "Qualification", "CloseDate": "2025-11-23"}


def test_a_whole_record_is_taken() -> None:
    values = {
        **FULL,
        "AccountId": "001000000000000001",
        "Amount": 10525.0,
        "Description": "d" * 32_000,
        "OneLead_Score__c": 82.5,
        "OneLead_Status__c": "Open",
        "NextStep": None,
    }
    assert check_upsert(values, new=True, accounts=ACCOUNTS) == values


def test_an_update_needs_only_what_it_changes() -> None:
    check_upsert({"OneLead_Status__c": "Withdrawn"}, new=False, accounts={})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Name": None}, "REQUIRED_FIELD_MISSING"),
        ({"CloseDate": ""}, "JSON_PARSER_ERROR"),
        ({"CloseDate": "23.11.2025"}, "JSON_PARSER_ERROR"),
        ({"Name": "x" * 121}, "STRING_TOO_LONG"),
        ({"Description": "x" * 32_001}, "STRING_TOO_LONG"),
        ({"Name": 5}, "JSON_PARSER_ERROR"),
        ({"Amount": "10,525"}, "JSON_PARSER_ERROR"),
        ({"Amount": True}, "JSON_PARSER_ERROR"),
        ({"AccountId": "Apple Inc"}, "MALFORMED_ID"),
        ({"AccountId": "001000000000000002"}, "INVALID_CROSS_REFERENCE_KEY"),
        ({"Colour": "red"}, "INVALID_FIELD"),
        ({"OneLead_ID__c": "x"}, "INVALID_FIELD"),
    ],
)
def test_what_salesforce_refuses_is_refused_with_its_code(
    changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(SalesforceRefusalError) as caught:
        check_upsert({**FULL, **changes}, new=True, accounts=ACCOUNTS)
    assert caught.value.body[0]["errorCode"] == code


def test_missing_fields_are_named() -> None:
    with pytest.raises(SalesforceRefusalError) as caught:
        check_upsert({"Name": "n"}, new=True, accounts={})
    assert caught.value.body[0] == {
        "message": "Required fields are missing: [StageName, CloseDate]",
        "errorCode": "REQUIRED_FIELD_MISSING",
        "fields": ["StageName", "CloseDate"],
    }


def test_a_required_field_cannot_be_emptied() -> None:
    with pytest.raises(SalesforceRefusalError, match="REQUIRED_FIELD_MISSING"):
        check_upsert({"StageName": None}, new=False, accounts={})


@pytest.mark.parametrize("body", [None, [], "x", 5])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(SalesforceRefusalError, match="JSON_PARSER_ERROR"):
        check_upsert(body, new=True, accounts={})
