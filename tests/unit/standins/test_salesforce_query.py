from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onelead.standins.salesforce_query import Queries
from onelead.standins.salesforce_schema import SalesforceRefusalError
from onelead.standins.salesforce_soql import Condition, Query, parse
from onelead.standins.salesforce_store import Crm

pytestmark = pytest.mark.usefixtures("set_clock")


@pytest.fixture
def crm() -> Crm:
    crm = Crm("onelead@standin.example")
    account = crm.create("Account", {"Name": "O'Neil & Söhne"})["Id"]
    for name, amount, owner in (("a", 10, account), ("b", 30, None), ("c", 20, account)):
        fields = {"Name": name, "StageName": "Qualification", "CloseDate": "2026-03-01"}
        crm.upsert("Opportunity", f"l-{name}", fields | {"Amount": amount, "AccountId": owner})
    crm.create("Opportunity", {"Name": "theirs", "StageName": "x", "CloseDate": "2026-05-01"})
    return crm


def names(crm: Crm, where: str) -> list[str]:
    found = Queries(crm).ask(f"SELECT Name FROM Opportunity {where}", 100)
    return [record["Name"] for record in found.records]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("", ["a", "b", "c", "theirs"]),
        ("WHERE OneLead_ID__c != null", ["a", "b", "c"]),
        ("WHERE onelead_id__c = 'L-B'", ["b"]),
        ("WHERE OneLead_ID__c IN ('l-a', 'l-c', 'l-x')", ["a", "c"]),
        ("WHERE OneLead_ID__c NOT IN ('l-a', 'l-c')", ["b", "theirs"]),
        ("WHERE Amount >= 20 ORDER BY Amount", ["c", "b"]),
        ("WHERE Amount > 9.5 ORDER BY Amount DESC LIMIT 2", ["b", "c"]),
        ("WHERE Account.Name = 'o\\'neil & söhne' AND Amount < 20", ["a"]),
        ("WHERE CloseDate > 2026-04-01", ["theirs"]),
        ("WHERE CloseDate = 2026-03-01 AND IsClosed = false", ["a", "b", "c"]),
        ("WHERE LastModifiedDate > 2000-01-01T00:00:00Z", ["a", "b", "c", "theirs"]),
        ("WHERE LastModifiedDate > 2100-01-01T00:00:00.000+00:00", []),
        ("WHERE AccountId = null ORDER BY LastModifiedDate, Id", ["b", "theirs"]),
    ],
)
def test_queries_find_what_salesforce_would(crm: Crm, where: str, found: list[str]) -> None:
    assert names(crm, where) == found


def test_a_row_shows_the_fields_that_were_asked_for_and_names_of_others(crm: Crm) -> None:
    soql = "SELECT Name, Account.Name, LastModifiedBy.Username FROM Opportunity WHERE Name = 'a'"
    (row,) = Queries(crm).ask(soql, 10).records
    assert row == {
        "attributes": {"type": "Opportunity"},
        "Name": "a",
        "Account": {"attributes": {"type": "Account"}, "Name": "O'Neil & Söhne"},
        "LastModifiedBy": {
            "attributes": {"type": "LastModifiedBy"},
            "Username": "onelead@standin.example",
        },
    }
    (other,) = Queries(crm).ask(soql.replace("'a'", "'b'"), 10).records
    assert other["Account"] is None


def test_a_long_answer_comes_page_by_page(crm: Crm) -> None:
    queries = Queries(crm)
    first = queries.ask("SELECT Id FROM Opportunity", 3)
    assert (len(first.records), first.total) == (3, 4)
    assert first.locator is not None
    body = first.body("v62.0")
    assert body["nextRecordsUrl"] == f"/services/data/v62.0/query/{first.locator}"
    rest = queries.more(first.locator, 3)
    assert (len(rest.records), rest.locator) == (1, None)
    assert rest.body("v62.0")["done"]
    with pytest.raises(SalesforceRefusalError, match="INVALID_QUERY_LOCATOR"):
        queries.more("01gunknown-3", 3)


@pytest.mark.parametrize(
    ("soql", "code"),
    [
        ("", "MALFORMED_QUERY"),
        ("SELECT", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 'O'Neil'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 'x' OR Name = 'y'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name ~ 'x'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account LIMIT 'x'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account; DELETE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Opportunity WHERE LastModifiedDate > 'today'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Pigeon", "INVALID_TYPE"),
        ("SELECT Colour FROM Account", "INVALID_FIELD"),
        ("SELECT Id FROM Opportunity WHERE Owner.Colour = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Opportunity WHERE Boss.Name = 'x'", "INVALID_FIELD"),
    ],
)
def test_a_query_that_is_none_is_refused_with_its_code(crm: Crm, soql: str, code: str) -> None:
    with pytest.raises(SalesforceRefusalError) as caught:
        Queries(crm).ask(soql, 10)
    assert caught.value.code == code


@given(st.text())
def test_a_text_inside_a_query_stays_that_text(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    query = parse(f"SELECT Id FROM Account WHERE Name = '{escaped}'")
    assert query.conditions == (Condition("Name", "=", (text,)),)


def test_names_are_spelt_as_the_schema_spells_them() -> None:
    assert parse("select ID from OPPORTUNITY where lastmodifieddate >= 2026-03-01") == Query(
        ("Id",),
        "Opportunity",
        (Condition("LastModifiedDate", ">=", (datetime(2026, 3, 1, tzinfo=UTC),)),),
    )
