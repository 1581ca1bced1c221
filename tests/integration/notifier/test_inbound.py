"""What is open to the outside: signed news from a CRM, and the way to say no to mail."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook

from services.notifier.inbound.pages import MOST_BYTES, Inbound
from services.notifier.inbound.server import Door, InboundServer
from services.notifier.inbound.unsubscribing import Unsubscribing
from services.notifier.repository.people import PeopleRepository
from shared.ops.composition import Base
from tests.integration.notifier.crm_worlds import commands_of, small
from tests.integration.notifier.people import LEAD, People, plan_for
from tests.support.notifier_builders import public_lead
from tests.support.set_clock import SetClock
from tests.support.waiting import wait_until

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECRET = f"whsec_{base64.b64encode(b'k' * 32).decode()}"
OTHER = f"whsec_{base64.b64encode(b'o' * 32).decode()}"
WAY_OUT = Unsubscribing(SecretStr("a-secret-of-many-letters"), "https://out.example")
MAIL = "kim@customer.example"


@dataclass
class Opened:
    """The server's application, called without a network."""

    client: httpx.AsyncClient
    base: Base
    tenant: str

    async def post(self, **changes: Any) -> httpx.Response:
        """A signed message; what is named is changed."""
        body = {"lead_id": LEAD, "stage": "Closed Won", "changed_at": NOON.isoformat()}
        raw = changes.pop("raw", None) or orjson.dumps(body | changes.pop("body", {}))
        at, key = changes.pop("at", NOON), changes.pop("key", SECRET)
        message_id = changes.pop("id", "msg-1")
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(key).sign(message_id, at, raw.decode()),
            **changes.pop("headers", {}),
        }
        path = changes.pop("path", f"/crm/{self.tenant}/crm")
        return await self.client.post(path, content=raw, headers=headers)

    async def commands(self) -> list[dict[str, Any]]:
        return await commands_of(self.base, self.tenant)

    async def suppressed(self, address: str = MAIL) -> bool:
        async with self.base.database.transaction({self.tenant}) as connection:
            key = (self.tenant, address)
            return bool(await PeopleRepository().suppressed(connection, {key}))


@pytest.fixture
async def door(base: Base, tenant_id: str, set_clock: SetClock) -> AsyncIterator[Opened]:
    set_clock.set(NOON)
    await People(base, tenant_id, plan_for(tenant_id)).hear(public_lead(version=1))
    key = SecretStr(SECRET)
    async with small(tenants=(tenant_id,), inbound_secret=key) as world, small() as shut:
        crms = {"crm": world.channel, "shut": shut.channel}
        inbound = Inbound(base, crms, WAY_OUT, PeopleRepository().unsubscribe)
        transport = httpx.ASGITransport(inbound.app())
        async with httpx.AsyncClient(transport=transport, base_url="http://in.example") as client:
            yield Opened(client, base, tenant_id)


async def test_a_signed_stage_moves_the_lead(door: Opened) -> None:
    answer = await door.post()
    assert (answer.status_code, answer.json()) == (200, {"heard": [f"{LEAD}: won"]})
    (command,) = await door.commands()
    assert (command["to"], command["actor"]) == ("won", {"kind": "crm", "id": "crm"})


async def test_a_repeat_is_answered_and_does_nothing(door: Opened) -> None:
    first, second = await door.post(), await door.post()
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json() == {"heard": []}
    assert len(await door.commands()) == 1


async def test_repeats_at_the_same_time_count_once(door: Opened) -> None:
    answers = await asyncio.gather(*(door.post() for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await door.commands()) == 1


async def test_the_same_change_under_two_ids_is_one_command(door: Opened) -> None:
    for message_id in ("msg-1", "msg-2"):
        await door.post(id=message_id)
    assert len({command["command_id"] for command in await door.commands()}) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": OTHER},
        {"at": NOON - timedelta(minutes=5, seconds=1)},
        {"at": NOON + timedelta(minutes=5, seconds=1)},
        {"headers": {"webhook-signature": "v1,"}},
        {"headers": {"webhook-signature": ""}},
        {"headers": {"webhook-timestamp": "9" * 40}},
        {"headers": {"webhook-timestamp": "soon"}},
        {"headers": {"webhook-id": "another"}},
        {"raw": b"\xff\xfe".decode("latin-1").encode(), "key": OTHER},
        {"path": "/crm/default/crm"},
        {"path": "/crm/no%20tenant/crm"},
        {"path": "/crm/default/none"},
        {"path": "/crm/default/shut"},
    ],
)
async def test_whoever_is_not_known_is_told_nothing(door: Opened, wrong: dict[str, Any]) -> None:
    answer = await door.post(**wrong)
    assert (answer.status_code, answer.content) == (401, b"")
    assert await door.commands() == []


async def test_a_body_is_bounded(door: Opened) -> None:
    answer = await door.post(raw=b"x" * (MOST_BYTES + 1))
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        {"lead_id": ""},
        {"lead_id": "a\0b"},
        {"stage": 7},
        {"changed_at": "2026-03-02T12:00:00"},
        {"changed_at": "0001-01-01T00:00:00+14:00"},
        {"changed_at": "9999-12-31T23:59:59-14:00"},
    ],
)
async def test_a_known_sender_is_told_what_is_wrong(door: Opened, body: dict[str, Any]) -> None:
    answer = await door.post(body=body)
    assert answer.status_code == 422
    assert answer.json()["fields"] == list(body)


@pytest.mark.parametrize("body", [{"stage": "Martian"}, {"lead_id": "nobody"}])
async def test_what_means_nothing_changes_nothing(door: Opened, body: dict[str, Any]) -> None:
    answer = await door.post(body=body)
    assert answer.status_code == 200
    assert await door.commands() == []


async def test_what_is_older_than_what_was_heard_changes_nothing(door: Opened) -> None:
    await door.post()
    early = (NOON - timedelta(hours=1)).isoformat()
    await door.post(id="msg-2", body={"stage": "Closed Lost", "changed_at": early})
    assert len(await door.commands()) == 1


async def test_opening_the_link_takes_nobody_off(door: Opened) -> None:
    path = WAY_OUT.url(door.tenant, MAIL).removeprefix("https://out.example")
    page = await door.client.get(path)
    assert page.status_code == 200
    assert MAIL in page.text
    assert not await door.suppressed()


@pytest.mark.parametrize("body", [b"List-Unsubscribe=One-Click", b""])
async def test_one_click_takes_the_address_off(door: Opened, body: bytes) -> None:
    path = f"/unsubscribe/{WAY_OUT.token(door.tenant, MAIL)}"
    for _ in range(2):
        assert (await door.client.post(path, content=body)).status_code == 200
    assert await door.suppressed()
    assert not await door.suppressed("lee@customer.example")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_token_that_is_not_ours_is_nothing(door: Opened, method: str) -> None:
    ours = WAY_OUT.token(door.tenant, MAIL)
    other = Unsubscribing(SecretStr("another-secret-of-letters"), "").token(door.tenant, MAIL)
    said, _, signature = ours.partition(".")
    for token in (other, said, f"{said}.", f"{said}A.{signature}", "é", "." * 50, ours[:-2]):
        answer = await door.client.request(method, f"/unsubscribe/{token}")
        assert (answer.status_code, answer.content) == (404, b"")
    assert not await door.suppressed()


async def test_a_page_shows_an_address_as_text(door: Opened) -> None:
    nasty = "<script>alert(1)</script>@x.example"
    page = await door.client.get(f"/unsubscribe/{WAY_OUT.token(door.tenant, nasty)}")
    assert "<script>" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


async def test_the_server_listens_until_it_is_cancelled(base: Base) -> None:
    inbound = Inbound(base, {}, None, PeopleRepository().unsubscribe)
    server = InboundServer(inbound, Door("127.0.0.1", 0))
    running = asyncio.create_task(server.run())
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(10):
        await wait_until(lambda: server.port, "a port")
        answer = await client.get(f"http://127.0.0.1:{server.port}/unsubscribe/x.y")
        assert answer.status_code == 404
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{server.port}/unsubscribe/x.y")
