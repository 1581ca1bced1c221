from datetime import UTC, date, datetime

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from onelead.standins.salesforce_soql import Condition, parse
from services.notifier.channels.crm.base import CrmError
from services.notifier.channels.crm.salesforce import FIELDS, LENGTHS, SalesforceChannel
from services.notifier.channels.crm.salesforce_answers import (
    LIMIT_PAUSE_S,
    Usage,
    record_outcome,
    refused,
)
from services.notifier.channels.crm.salesforce_api import in_parts, literal
from services.notifier.channels.crm.salesforce_login import SalesforceSink
from services.notifier.channels.http import Answer
from services.notifier.domain.attempt import Delivered, Outcome, Rejected, Retryable
from services.notifier.domain.contents import CallTask, Content
from services.notifier.domain.crm.records import Call, Entry, Field
from services.notifier.domain.delivery import Delivery, Purpose
from shared.errors import UserError
from shared.outbound import OutboundPolicy
from tests.support.notifier_builders import alert
from tests.support.set_clock import SetClock

SINK = SalesforceSink(
    url="https://acme.my.salesforce.com", client_id="id", client_secret=SecretStr("s3cret-word")
)
CHANNEL = SalesforceChannel.open(SINK, OutboundPolicy())


def render(content: Content, purpose: Purpose = Purpose.ALERT) -> Entry | Call:
    delivery = Delivery(
        tenant_id="default",
        lead_id="lead-1",
        episode=1,
        purpose=purpose,
        channel="salesforce",
        target="acme.my.salesforce.com",
        created_at=datetime(2025, 10, 9, tzinfo=UTC),
        tries=1,
    )
    return CHANNEL.render(content, delivery)


def test_every_field_has_a_name_in_salesforce() -> None:
    assert FIELDS.keys() == set(Field)
    assert FIELDS[Field.STAGE] == "StageName"


def test_an_alert_becomes_an_opportunity_with_the_agreed_fields() -> None:
    entry = render(alert())
    assert isinstance(entry, Entry)
    assert entry.at_creation is not None
    values = {FIELDS[name]: value for name, value in {**entry.ours, **entry.at_creation}.items()}
    assert values == {
        "Name": "Support Renewal: HP DL360p Gen8 8-SFF CTO Server",
        "Amount": alert().value_max,
        "StageName": "Qualification",
        "CloseDate": date(2025, 11, 23),
        "Description": entry.ours[Field.DESCRIPTION],
        "Type": "Existing Business",
        "LeadSource": "OneLead AI",
        "OneLead_Score__c": values["OneLead_Score__c"],
        "OneLead_Status__c": "Open",
    }
    assert str(values["OneLead_Score__c"]) == "82.5"
    assert entry.account == "Apple Inc"
    assert "OS Upgrade (HM002A1)" in str(entry.ours[Field.DESCRIPTION])


def test_a_call_task_is_known_by_its_delivery() -> None:
    task = CallTask(alert=alert(), campaign="drip", contact="Kim", due=date(2025, 10, 23))
    call = render(task, Purpose.CALL_TASK)
    assert isinstance(call, Call)
    assert len(call.task_id) == 36


def test_a_crm_is_not_told_of_digests() -> None:
    with pytest.raises(TypeError, match="daily_digest"):
        render(alert(), Purpose.DAILY_DIGEST)


def test_the_wire_shows_what_is_written_and_no_secret() -> None:
    shown = CHANNEL.wire(render(alert()))
    assert b'"name":"Support Renewal' in shown
    assert b"s3cret-word" not in shown
    assert "s3cret-word" not in repr(SINK)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1))
def test_no_text_breaks_out_of_a_query(names: list[str]) -> None:
    for part in in_parts(names):
        query = parse(f"SELECT Id FROM Account WHERE Name IN ({part})")
        (condition,) = query.conditions
        assert isinstance(condition, Condition)
        assert set(condition.values) <= set(names)
    assert sum(part.count("', '") for part in in_parts(["a", "b", "c"])) == 2


def test_long_lists_are_asked_for_in_parts_that_fit_into_an_address() -> None:
    parts = list(in_parts(["株式会社" * 30] * 300))
    assert len(parts) > 10
    assert literal("株式会社" * 30) in parts[-1]


def test_lengths_are_salesforces() -> None:
    assert (LENGTHS[Field.NAME], LENGTHS[Field.DESCRIPTION]) == (120, 32_000)


@pytest.mark.parametrize(
    ("status", "body", "kind", "error"),
    [
        (503, b"", Retryable, "server"),
        (403, b'[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"m"}]', Retryable, "limited"),
        (403, b'[{"errorCode":"INSUFFICIENT_ACCESS","message":"m"}]', Retryable, "auth"),
        (400, b'[{"errorCode":"INVALID_FIELD","message":"m"}]', Retryable, "refused"),
        (400, b'[{"errorCode":"JSON_PARSER_ERROR","message":"m"}]', Rejected, "rejected"),
        (300, b'["/a", "/b"]', Rejected, "rejected"),
        (400, b"<html>", Rejected, "rejected"),
    ],
)
def test_each_refused_call_has_its_outcome(
    status: int, body: bytes, kind: type[Outcome], error: str, set_clock: SetClock
) -> None:
    outcome = refused(Answer(status, {}, body)).outcome
    assert isinstance(outcome, kind)
    assert getattr(outcome, "error", None) == error


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ({"success": True, "id": "006"}, Delivered),
        ({"success": False, "errors": [{"statusCode": "UNABLE_TO_LOCK_ROW"}]}, Retryable),
        ({"success": False, "errors": [{"statusCode": "STRING_TOO_LONG"}]}, Rejected),
        ({"success": False, "errors": []}, Rejected),
        ({"success": False, "errors": ["odd"]}, Rejected),
        ("odd", Retryable),
    ],
)
def test_each_record_of_a_call_has_its_own_outcome(result: object, outcome: type[Outcome]) -> None:
    assert isinstance(record_outcome(result, 200), outcome)


def test_two_records_with_one_id_are_said_to_be_ambiguous() -> None:
    error = {"statusCode": "DUPLICATE_EXTERNAL_ID", "message": "More than one record"}
    found = record_outcome({"success": False, "errors": [error]}, 200)
    assert isinstance(found, Rejected)
    assert found.error == "ambiguous"


def test_the_reserve_stops_asking_first_then_sending_and_looks_again_in_a_quarter_hour(
    set_clock: SetClock,
) -> None:
    usage = Usage(0.1)
    usage.check(polling=True)
    usage.note({"sforce-limit-info": "api-usage=91/100 (per-app-api-usage=1/2)"})
    usage.check(polling=False)
    with pytest.raises(CrmError) as asking:
        usage.check(polling=True)
    outcome = asking.value.outcome
    assert isinstance(outcome, Retryable)
    assert outcome.pause_s == LIMIT_PAUSE_S
    usage.note({"sforce-limit-info": "api-usage=96/100"})
    with pytest.raises(CrmError):
        usage.check(polling=False)
    set_clock.pass_s(LIMIT_PAUSE_S)
    usage.check(polling=False)


def pem() -> SecretStr:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return SecretStr(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
    )


@pytest.mark.parametrize(
    ("url", "audience"),
    [
        ("https://acme.my.salesforce.com", "https://login.salesforce.com"),
        ("https://acme--dev.sandbox.my.salesforce.com", "https://test.salesforce.com"),
    ],
)
def test_an_assertion_is_for_the_host_where_users_log_in(url: str, audience: str) -> None:
    sink = SalesforceSink(url=url, client_id="id", username="u@x.example", private_key=pem())
    assert sink.audience == audience
    assert jwt.algorithms.has_crypto


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"client_secret": SecretStr("s"), "username": "u"},
        {"username": "u"},
        {"private_key": SecretStr("k")},
    ],
)
def test_there_is_exactly_one_way_to_log_in(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SalesforceSink.model_validate({"url": SINK.url, "client_id": "id", **given})


def test_a_key_that_is_none_is_refused_without_being_told() -> None:
    sink = SalesforceSink(
        url=SINK.url, client_id="id", username="u", private_key=SecretStr("not-a-key-w0rd")
    )
    with pytest.raises(UserError, match="private_key is not an RSA key") as refusal:
        SalesforceChannel.open(sink, OutboundPolicy())
    assert "not-a-key-w0rd" not in str(refusal.value)
