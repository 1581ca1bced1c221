from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from onelead.standins.salesforce import ACCOUNT_QUERY, soql_text
from services.notifier.channels.salesforce import SalesforceChannel, Upsert, with_account
from services.notifier.channels.salesforce_api import soql_escape
from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.domain.message import Content, Withdrawal
from services.notifier.settings import SalesforceSink
from tests.support.notifier_builders import alert

CHANNEL = SalesforceChannel(
    SalesforceSink("https://acme.my.salesforce.com", "id", SecretStr("secret"), "v62.0")
)


def render(content: Content, *, episode: int = 1, tries: int = 1) -> Upsert:
    delivery = Delivery(
        tenant_id="default",
        lead_id="lead-1",
        episode=episode,
        purpose=Purpose.ALERT,
        channel="salesforce",
        target="acme.my.salesforce.com",
        created_at=datetime(2025, 10, 9, tzinfo=UTC),
        tries=tries,
    )
    return CHANNEL.render(content, delivery)


def test_an_alert_becomes_an_opportunity_with_the_agreed_fields() -> None:
    upsert = render(alert())
    assert {**upsert.fields, **(upsert.creation or {})} == {
        "Name": "Support Renewal: HP DL360p Gen8 8-SFF CTO Server",
        "Amount": 10525.0,
        "StageName": "Qualification",
        "CloseDate": "2025-11-23",
        "Description": upsert.fields["Description"],
        "Type": "Existing Business",
        "LeadSource": "OneLead AI",
        "OneLead_Score__c": 82.5,
        "OneLead_Status__c": "Open",
    }
    assert upsert.account == "Apple Inc"
    assert "OS Upgrade (HM002A1)" in upsert.fields["Description"]


@pytest.mark.parametrize(
    ("lead_type", "day"),
    [
        ("renewal", "2025-11-23"),
        ("service_attach", "2025-12-08"),
        ("hardware_refresh", "2026-01-07"),
    ],
)
def test_the_close_date_depends_on_the_type(lead_type: str, day: str) -> None:
    creation = render(alert(lead_type=lead_type)).creation
    assert creation is not None
    assert creation["CloseDate"] == day


@pytest.mark.parametrize(("episode", "tries"), [(2, 1), (1, 2)])
def test_what_people_moved_is_not_written_again(episode: int, tries: int) -> None:
    upsert = render(alert(), episode=episode, tries=tries)
    assert upsert.known
    assert not {"StageName", "CloseDate"} & upsert.fields.keys()


def test_a_withdrawal_tells_status_and_reason_and_creates_nothing() -> None:
    upsert = render(Withdrawal(alert=alert(), reason="support renewed"))
    assert upsert.creation is None
    assert upsert.account is None
    assert upsert.fields.keys() == {"OneLead_Status__c", "Description"}
    assert upsert.fields["OneLead_Status__c"] == "Withdrawn"
    assert upsert.fields["Description"].startswith("Withdrawn by OneLead: support renewed.")


@pytest.mark.parametrize(("ids", "said"), [((), "no account has"), (("1", "2"), "2 accounts have")])
def test_an_account_that_is_not_unique_is_left_open_and_said_so(
    ids: tuple[str, ...], said: str
) -> None:
    fields, note = with_account({"Description": "d"}, "Apple Inc", ids)
    assert "AccountId" not in fields
    assert note == f"account left open: {said} the name Apple Inc"
    assert said in fields["Description"]


def test_the_only_account_of_the_name_is_taken() -> None:
    assert with_account({"Description": "d"}, "Apple Inc", ("001",)) == (
        {"Description": "d", "AccountId": "001"},
        None,
    )


def test_names_and_descriptions_keep_their_limits() -> None:
    fields = render(alert(title="x" * 500, action="y" * 50_000)).fields
    assert len(fields["Name"]) == 120
    assert len(fields["Description"]) == 32_000
    full, _ = with_account(fields, "Apple Inc", ())
    assert len(full["Description"]) == 32_000


@given(st.text())
def test_a_name_inside_soql_stays_that_name(name: str) -> None:
    match = ACCOUNT_QUERY.fullmatch(f"SELECT Id FROM Account WHERE Name = '{soql_escape(name)}'")
    assert match is not None
    assert soql_text(match.group(1)) == name


def test_a_name_cannot_end_the_literal() -> None:
    assert soql_escape("O'Neil\\' OR Name != '") == "O\\'Neil\\\\\\' OR Name != \\'"
