import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path

import httpx
import pytest

from onelead.standins.app import Addresses
from tests.integration.notifier.conftest import Inside

API = "/services/data/v62.0"


async def sign_in(inside: Inside, addresses: Addresses) -> dict[str, str]:
    """The headers of a signed-in client."""
    form = {
        "grant_type": "client_credentials",
        "client_id": addresses.salesforce_client_id,
        "client_secret": addresses.salesforce_client_secret,
    }
    answer = await inside.client.post("/services/oauth2/token", data=form)
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def start(environment: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "onelead.standins",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | environment,
    )


async def test_the_process_says_where_it_is_and_ends_on_a_signal(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    process = await start({"ONELEAD_STANDINS_READY_FILE": str(ready)})
    assert process.stdout is not None
    addresses = json.loads(await process.stdout.readline())
    assert json.loads(ready.read_text()) == addresses
    async with httpx.AsyncClient() as client:
        assert (await client.get(addresses["page_url"])).status_code == 200
        answer = await client.post(addresses["slack_webhook_url"], json={"text": "hello"})
        assert (answer.status_code, answer.text) == (200, "ok")
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 5) == 0
    assert process.stderr is not None
    assert await process.stderr.read() == b""


async def test_a_sender_that_dies_in_the_middle_of_its_message_is_forgotten() -> None:
    process = await start({})
    assert process.stdout is not None
    addresses = json.loads(await process.stdout.readline())
    url = httpx.URL(addresses["slack_webhook_url"])
    _, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(f"POST {url.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{{".encode())
    await writer.drain()
    writer.transport.abort()
    async with httpx.AsyncClient(base_url=addresses["page_url"]) as client:
        summary = (await client.get("/api/summary")).json()
    assert summary["latest"] == 0
    process.send_signal(signal.SIGTERM)
    _, errors = await asyncio.wait_for(process.communicate(), 5)
    assert errors == b""


@pytest.mark.parametrize("name", ["ONELEAD_STANDINS_HTTP_PORT", "ONELEAD_STANDINS_SMTP_PORT"])
async def test_a_port_in_use_is_named_without_a_traceback(name: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = await start({name: str(taken.getsockname()[1])})
        _, errors = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 2
    assert name in errors.decode()
    assert "Traceback" not in errors.decode()


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"{", "application/json", "400 invalid_payload"),
        (b"[]", "application/json", "400 invalid_payload"),
        (b'{"text": 5}', "application/json", "400 invalid_payload"),
        (b"{}", "application/json", "400 no_text"),
        (b'{"blocks": []}', "application/json", "400 no_text"),
        (b'{"blocks": [{"type": "x"}]}', "application/json", "400 invalid_blocks"),
        (b'{"text": "ok"}', "application/json", "200 ok"),
        (b"payload=%7B%22text%22%3A%22ok%22%7D", "application/x-www-form-urlencoded", "200 ok"),
    ],
)
async def test_slack_judges_a_body_as_slack_does(
    standins: Addresses, inside: Inside, body: bytes, kind: str, said: str
) -> None:
    answer = await inside.client.post(
        standins.slack_webhook_url, content=body, headers={"Content-Type": kind}
    )
    assert f"{answer.status_code} {answer.text}" == said
    (message,) = await inside.messages("slack")
    assert (message["problem"] is None) is (said == "200 ok")


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/slack/services/T9/B0ALERTS/standinsecret", 404, "no_service"),
        ("/slack/services/T0STANDIN/B9/standinsecret", 404, "no_service"),
        ("/slack/services/T0STANDIN/B0ALERTS/guess", 403, "invalid_token"),
    ],
)
async def test_slack_knows_its_webhooks(inside: Inside, path: str, status: int, word: str) -> None:
    answer = await inside.client.post(path, json={"text": "x"})
    assert (answer.status_code, answer.text) == (status, word)


async def test_salesforce_wants_a_valid_session(standins: Addresses, inside: Inside) -> None:
    path = f"{API}/sobjects/Opportunity/OneLead_ID__c/l1"
    for headers in ({}, {"Authorization": "Bearer guess"}):
        answer = await inside.client.patch(path, json={}, headers=headers)
        assert answer.status_code == 401
        assert answer.json()[0]["errorCode"] == "INVALID_SESSION_ID"
    form = {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}
    answer = await inside.client.post("/services/oauth2/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


async def test_salesforce_upserts_by_the_external_id(standins: Addresses, inside: Inside) -> None:
    headers = await sign_in(inside, standins)
    path = f"{API}/sobjects/Opportunity/OneLead_ID__c/l1"
    fields = {"Name": "n", "StageName": "Qualification", "CloseDate": "2025-11-23"}
    created = await inside.client.patch(path, json=fields, headers=headers)
    assert created.status_code == 201
    assert created.json() | {"id": ""} == {
        "id": "",
        "success": True,
        "errors": [],
        "created": True,
    }
    updated = await inside.client.patch(path, json={"Name": "m"}, headers=headers)
    assert (updated.status_code, updated.json()["created"]) == (200, False)
    assert updated.json()["id"] == created.json()["id"]
    old = path.replace("v62.0", "v45.0")
    assert (await inside.client.patch(old, json={}, headers=headers)).status_code == 204


@pytest.mark.parametrize("method", ["DELETE", "PUT", "POST"])
async def test_salesforce_offers_nothing_but_the_upsert(
    standins: Addresses, inside: Inside, method: str
) -> None:
    headers = await sign_in(inside, standins)
    path = f"{API}/sobjects/Opportunity/OneLead_ID__c/l1"
    answer = await inside.client.request(method, path, headers=headers)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (405, "METHOD_NOT_ALLOWED")


async def test_salesforce_finds_accounts_by_name_without_regard_to_case(
    standins: Addresses, inside: Inside
) -> None:
    headers = await sign_in(inside, standins)
    await inside.accounts("O'Neil", "Other")

    async def ask(soql: str) -> httpx.Response:
        return await inside.client.get(f"{API}/query", params={"q": soql}, headers=headers)

    found = await ask("select Id from Account where Name = 'o\\'neil'")
    assert found.json()["totalSize"] == 1
    for wrong in (
        "SELECT Id FROM Account WHERE Name = 'O'Neil'",
        "SELECT Id FROM Account WHERE Name = 'x' OR Name != 'x'",
        "",
    ):
        answer = await ask(wrong)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "MALFORMED_QUERY")


async def test_salesforce_counts_the_calls_of_the_day(standins: Addresses, inside: Inside) -> None:
    headers = await sign_in(inside, standins)
    await inside.faults(daily_calls_left=1)
    path = f"{API}/query?q=SELECT Id FROM Account WHERE Name = 'x'"
    assert (await inside.client.get(path, headers=headers)).status_code == 200
    answer = await inside.client.get(path, headers=headers)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert answer.headers["sforce-limit-info"] == "api-usage=1/1"


async def test_faults_are_switched_off_again(standins: Addresses, inside: Inside) -> None:
    await inside.faults(slack={"status": 503, "count": 9}, drop_after_accept=9)
    assert (await inside.client.delete("/api/faults")).status_code == 200
    answer = await inside.client.post(standins.slack_webhook_url, json={"text": "x"})
    assert answer.status_code == 200
