"""The Salesforce stand-in, called by simple-salesforce, a client that is not ours."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt
import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from onelead.standins.app import Addresses, running
from onelead.standins.settings import StandinSettings
from shared import clock

pytestmark = pytest.mark.filterwarnings(r"ignore:\s*If your connected app:UserWarning")
NEW = {"Name": "Renewal", "StageName": "Qualification", "CloseDate": "2026-05-01"}
OPPORTUNITIES = "composite/sobjects/Opportunity/OneLead_ID__c/"
CHANGED = (
    "SELECT Id, OneLead_ID__c, StageName, Amount, LastModifiedBy.Name FROM Opportunity"
    " WHERE OneLead_ID__c != null AND LastModifiedDate > 2020-01-01T00:00:00Z"
    " ORDER BY LastModifiedDate, Id"
)


class ToStandin(HTTPAdapter):
    """Leads https calls to Salesforce's hosts to the stand-in, which speaks http."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        parts = urlsplit(request.url or "")
        query = f"?{parts.query}" if parts.query else ""
        request.url = f"{self._base}{parts.path}{query}"
        return super().send(request, **options)


@dataclass
class Org:
    """The running stand-in with a key for JWT logins and a small page of query results."""

    addresses: Addresses
    control: httpx.AsyncClient
    key: Path

    def session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", ToStandin(self.addresses.page_url))
        return session

    async def login(self, **credentials: Any) -> Salesforce:
        at = self.addresses
        usual = {
            "username": at.salesforce_username,
            "consumer_key": at.salesforce_client_id,
            "privatekey_file": at.salesforce_private_key_file,
            "session": self.session(),
        }
        return await asyncio.to_thread(Salesforce, **(usual | credentials))

    async def faults(self, **plan: Any) -> None:
        (await self.control.post("/api/faults", json=plan)).raise_for_status()

    async def summary(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.control.get("/api/summary")).json()
        return found


@pytest.fixture
async def org(tmp_path: Path) -> AsyncIterator[Org]:
    key = tmp_path / "key.pem"
    settings = StandinSettings(salesforce_private_key_file=key, salesforce_query_page=3)
    async with (
        running(settings) as addresses,
        httpx.AsyncClient(base_url=addresses.page_url) as control,
    ):
        yield Org(addresses, control, key)


async def row(crm: Salesforce, kind: str, method: str, *arguments: Any) -> Any:
    """A call of the client about records of one kind."""
    call: Callable[..., Any] = getattr(getattr(crm, kind), method)
    return await asyncio.to_thread(call, *arguments)


async def upsert(crm: Salesforce, external_id: str, **changes: Any) -> int:
    values = NEW | changes
    return int(await row(crm, "Opportunity", "upsert", f"OneLead_ID__c/{external_id}", values))


async def collect(crm: Salesforce, records: list[dict[str, Any]], **more: Any) -> Any:
    body = {"records": [{"attributes": {"type": "Opportunity"}, **r} for r in records], **more}
    return await asyncio.to_thread(crm.restful, OPPORTUNITIES, None, "PATCH", json=body)


async def test_a_login_by_jwt_and_one_by_client_credentials_both_work(org: Org) -> None:
    by_jwt = await org.login()
    secret = await org.login(
        username=None,
        privatekey_file=None,
        domain="mine.my",
        consumer_secret=org.addresses.salesforce_client_secret,
    )
    assert await upsert(by_jwt, "l-1") == 201
    assert await upsert(secret, "l-1", Name="Renewed") == 200
    found = await row(by_jwt, "Opportunity", "get_by_custom_id", "OneLead_ID__c", "l-1")
    assert found["Name"] == "Renewed"


@pytest.mark.parametrize(
    ("credentials", "said"),
    [
        ({"username": "stranger@x.y"}, "user hasn't approved this consumer"),
        ({"consumer_key": "other"}, "client identifier invalid"),
        ({"domain": "elsewhere"}, "audience is invalid"),
    ],
)
async def test_a_wrong_jwt_login_is_refused(
    org: Org, credentials: dict[str, str], said: str
) -> None:
    with pytest.raises(SalesforceAuthenticationFailed, match=said):
        await org.login(**credentials)


@pytest.mark.parametrize(("lives_s", "said"), [(-1, "expired"), (600, "expired"), (170, None)])
async def test_an_assertion_lives_three_minutes_at_most(
    org: Org, lives_s: int, said: str | None
) -> None:
    at = org.addresses
    claims = {
        "iss": at.salesforce_client_id,
        "sub": at.salesforce_username,
        "aud": at.salesforce_url,
        "exp": int(clock.now().timestamp()) + lives_s,
    }
    key = org.key.read_text()
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    for assertion, expected in (
        (jwt.encode(claims, key, algorithm="RS256"), said),
        (jwt.encode(claims, "not the key, but long enough for HS256", "HS256"), "invalid"),
    ):
        form = {"grant_type": grant, "assertion": assertion}
        answer = await org.control.post("/services/oauth2/token", data=form)
        if expected is None:
            assert answer.status_code == 200
        else:
            assert answer.status_code == 400
            assert answer.json()["error"] == "invalid_grant"
            assert expected in answer.json()["error_description"]


async def test_a_collection_is_upserted_each_record_by_its_own(org: Org) -> None:
    crm = await org.login()
    await upsert(crm, "l-1")
    results = await collect(
        crm,
        [
            {"OneLead_ID__c": "l-1", "Amount": 5},
            {"OneLead_ID__c": "l-2", **NEW},
            {"OneLead_ID__c": "l-3", "Name": "no stage"},
            {"OneLead_ID__c": "l-2", **NEW},
            {"OneLead_ID__c": "l-4", **NEW, "Colour": "red"},
            {**NEW},
        ],
    )
    assert [r["success"] for r in results] == [True, True, False, False, False, False]
    assert [r["created"] for r in results[:2]] == [False, True]
    codes = [r["errors"][0]["statusCode"] for r in results[2:]]
    assert codes == [
        "REQUIRED_FIELD_MISSING",
        "DUPLICATE_VALUE",
        "INVALID_FIELD",
        "MISSING_ARGUMENT",
    ]
    summary = await org.summary()
    assert summary["deliveries"]["salesforce"] == 2
    assert (summary["repeated"]["salesforce"], summary["updated"]["salesforce"]) == (0, 1)
    assert summary["rejected"]["salesforce"] == 4


async def test_all_or_none_writes_nothing_when_one_record_is_wrong(org: Org) -> None:
    crm = await org.login()
    records = [{"OneLead_ID__c": "l-1", **NEW}, {"OneLead_ID__c": "l-2"}]
    first, second = await collect(crm, records, allOrNone=True)
    assert first["errors"][0]["statusCode"] == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert second["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert (await org.summary())["deliveries"]["salesforce"] == 0


async def test_a_collection_has_a_size_and_a_type(org: Org) -> None:
    crm = await org.login()
    with pytest.raises(SalesforceMalformedRequest, match="200 records"):
        await collect(crm, [{"OneLead_ID__c": f"l-{n}", **NEW} for n in range(201)])
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_TYPE"):
        await collect(crm, [{"OneLead_ID__c": "l", "attributes": {"type": "Task"}}])


async def test_changes_are_queried_page_by_page_with_who_made_them(org: Org) -> None:
    crm = await org.login()
    await collect(crm, [{"OneLead_ID__c": f"l-{n}", **NEW} for n in range(7)])
    first = await asyncio.to_thread(crm.query, CHANGED)
    assert (first["totalSize"], first["done"], len(first["records"])) == (7, False, 3)
    more = await asyncio.to_thread(crm.query_more, first["nextRecordsUrl"], True)
    assert len(more["records"]) == 3
    change = {"StageName": "Closed Won", "Amount": 90}
    await org.control.post("/api/salesforce/opportunities/l-3", json=change)
    every = await asyncio.to_thread(crm.query_all, CHANGED)
    assert len(every["records"]) == 7
    by = {r["OneLead_ID__c"]: r["LastModifiedBy"]["Name"] for r in every["records"]}
    assert by.pop("l-3") == "Robin Seller"
    assert set(by.values()) == {"OneLead Integration"}
    found = await asyncio.to_thread(
        crm.query, "SELECT StageName, Amount FROM Opportunity WHERE IsWon = true"
    )
    assert [(r["StageName"], r["Amount"]) for r in found["records"]] == [("Closed Won", 90)]


async def test_an_id_that_two_records_have_is_answered_with_both(org: Org) -> None:
    crm = await org.login()
    await upsert(crm, "l-1")
    answer = await org.control.post("/api/salesforce/opportunities/l-1/copies")
    assert answer.status_code == 201
    with pytest.raises(SalesforceMoreThanOneRecord) as caught:
        await upsert(crm, "l-1")
    assert caught.value.status == 300
    assert str(answer.json()["Id"]) in str(caught.value.content)
    (result,) = await collect(crm, [{"OneLead_ID__c": "l-1", "Amount": 5}])
    assert result["errors"][0]["statusCode"] == "DUPLICATE_EXTERNAL_ID"


async def test_a_call_task_is_made_for_an_opportunity(org: Org) -> None:
    crm = await org.login()
    await upsert(crm, "l-1")
    about = (await asyncio.to_thread(crm.query, "SELECT Id FROM Opportunity"))["records"][0]["Id"]
    task = {"Subject": "Call", "WhatId": about, "TaskSubtype": "Call", "ActivityDate": "2026-05-01"}
    made = await row(crm, "Task", "create", task)
    assert made["success"]
    found = await row(crm, "Task", "get", made["id"])
    assert (found["Subject"], found["Status"]) == ("Call", "Not Started")
    assert await row(crm, "Task", "update", made["id"], {"Status": "Completed"}) == 204
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_CROSS_REFERENCE_KEY"):
        await row(crm, "Task", "create", {"WhatId": "006000000000009999"})
    with pytest.raises(SalesforceResourceNotFound):
        await row(crm, "Task", "get", "00T000000000009999")


async def test_a_composite_call_may_use_what_an_earlier_part_of_it_made(org: Org) -> None:
    crm = await org.login()
    base = f"/services/data/v{crm.sf_version}"
    parts: list[dict[str, Any]] = [
        {
            "method": "PATCH",
            "url": f"{base}/sobjects/Opportunity/OneLead_ID__c/l-1",
            "referenceId": "opportunity",
            "body": NEW,
        },
        {
            "method": "POST",
            "url": f"{base}/sobjects/Task",
            "referenceId": "task",
            "body": {"Subject": "Call", "WhatId": "@{opportunity.id}"},
        },
        {"method": "GET", "url": f"{base}/query?q=SELECT+Id+FROM+Task", "referenceId": "found"},
        {
            "method": "POST",
            "url": f"{base}/sobjects/Task",
            "referenceId": "wrong",
            "body": {"WhatId": "@{nobody.id}"},
        },
    ]
    body = {"compositeRequest": parts}
    answer = await asyncio.to_thread(crm.restful, "composite", None, "POST", json=body)
    assert answer is not None
    made, task, found, wrong = answer["compositeResponse"]
    assert [p["httpStatusCode"] for p in (made, task, found, wrong)] == [201, 201, 200, 400]
    assert found["body"]["records"][0]["Id"] == task["body"]["id"]
    many = {"compositeRequest": [{**parts[0], "referenceId": f"r{n}"} for n in range(26)]}
    with pytest.raises(SalesforceMalformedRequest, match="LIMIT_EXCEEDED"):
        await asyncio.to_thread(crm.restful, "composite", None, "POST", json=many)


async def test_the_day_is_used_up_and_every_answer_says_how_far(org: Org) -> None:
    crm = await org.login()
    await asyncio.to_thread(crm.query, CHANGED)
    usage = crm.api_usage["api-usage"]
    assert (usage.used, usage.total) == (1, 100_000)
    await org.faults(daily_calls_left=0)
    with pytest.raises(SalesforceRefusedRequest, match="REQUEST_LIMIT_EXCEEDED"):
        await upsert(crm, "l-1")
    answer = await org.control.get("/services/data/v62.0/limits")
    assert answer.headers["sforce-limit-info"] == "api-usage=1/1"


async def test_an_expired_session_is_told_and_the_client_logs_in_again(org: Org) -> None:
    crm = await org.login()
    await org.faults(expire_tokens=True)
    assert await upsert(crm, "l-1") == 201
    rest = await org.login(
        session_id=crm.session_id, instance="x.y", username=None, consumer_key=None
    )
    assert await upsert(rest, "l-1") == 200
    await org.faults(expire_tokens=True)
    with pytest.raises(SalesforceExpiredSession, match="INVALID_SESSION_ID"):
        await upsert(rest, "l-1")


async def test_a_lost_answer_to_a_collection_leaves_its_records_written(org: Org) -> None:
    crm = await org.login()
    await org.faults(salesforce={"drop": True, "match": "composite"})
    with pytest.raises(requests.ConnectionError):
        await collect(crm, [{"OneLead_ID__c": "l-1", **NEW}])
    assert (await org.summary())["deliveries"]["salesforce"] == 1


async def test_one_tenants_way_to_the_org_may_be_dead_while_anothers_lives(org: Org) -> None:
    at = org.addresses
    form = {
        "grant_type": "client_credentials",
        "client_id": at.salesforce_client_id,
        "client_secret": at.salesforce_client_secret,
    }
    await org.faults(salesforce={"status": 503, "count": 99, "match": "/org/acme/services/data"})
    for name, status in (("acme", 503), ("other", 201)):
        login = await org.control.post(f"/org/{name}/services/oauth2/token", data=form)
        session = login.json()
        assert session["instance_url"] == f"{at.salesforce_url}/org/{name}"
        url = f"{session['instance_url']}/services/data/v62.0/sobjects/Opportunity/OneLead_ID__c/l"
        headers = {"Authorization": f"Bearer {session['access_token']}"}
        answer = await org.control.patch(url, json=NEW, headers=headers)
        assert answer.status_code == status


async def test_people_change_only_what_is_there_and_only_to_what_may_be(org: Org) -> None:
    nowhere = await org.control.post("/api/salesforce/opportunities/l-9", json={"Amount": 5})
    assert nowhere.status_code == 404
    await upsert(await org.login(), "l-1")
    wrong = await org.control.post("/api/salesforce/opportunities/l-1", json={"Colour": "red"})
    assert wrong.status_code == 422
    records = (await org.control.get("/api/salesforce/records/Opportunity")).json()["records"]
    assert [r["OneLead_ID__c"] for r in records] == ["l-1"]
    assert (await org.control.get("/api/salesforce/records/Pigeon")).status_code == 404
