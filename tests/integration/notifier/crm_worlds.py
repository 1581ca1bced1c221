"""Two CRMs behind the same handles: Salesforce's stand-in and a small one of the tests' own."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import httpx
import orjson
from pydantic import SecretStr
from sqlalchemy import text

from onelead.standins.app import running
from onelead.standins.settings import StandinSettings
from services.notifier.channels.crm.channel import CrmChannel
from services.notifier.channels.crm.salesforce import FIELDS, SalesforceChannel
from services.notifier.channels.crm.salesforce_login import SalesforceSink
from services.notifier.domain.crm.records import Field
from shared.ops.composition import Base
from shared.outbound import OutboundPolicy
from tests.support.small_crm import NAMES, SmallChannel, SmallCrm, SmallSink, SmallStandin

Values = dict[Field, Any]


class World(Protocol):
    """A CRM with people in it, and our channel to it."""

    channel: CrmChannel

    async def accounts(self, *names: str) -> None: ...
    async def records(self, lead_id: str) -> list[Values]: ...
    async def tasks(self) -> list[dict[str, Any]]: ...
    async def change(self, lead_id: str, **values: Any) -> None: ...
    async def copy(self, lead_id: str) -> None: ...


class SalesforceWorld:
    def __init__(self, channel: CrmChannel, client: httpx.AsyncClient) -> None:
        self.channel, self._client = channel, client

    async def accounts(self, *names: str) -> None:
        await self._post("accounts", {"names": names})

    async def records(self, lead_id: str) -> list[Values]:
        return [
            {field: row.get(name) for field, name in FIELDS.items()}
            for row in await self._all("Opportunity")
            if row["OneLead_ID__c"] == lead_id
        ]

    async def tasks(self) -> list[dict[str, Any]]:
        rows = await self._all("Task")
        return [{"key": r["OneLead_ID__c"], "subject": r["Subject"], **r} for r in rows]

    async def change(self, lead_id: str, **values: Any) -> None:
        named = {FIELDS[Field[name.upper()]]: value for name, value in values.items()}
        await self._post(f"opportunities/{lead_id}", named)

    async def copy(self, lead_id: str) -> None:
        await self._post(f"opportunities/{lead_id}/copies", {})

    async def faults(self, **plan: Any) -> None:
        (await self._client.post("/api/faults", json=plan)).raise_for_status()

    async def requests(self) -> int:
        """The calls of the day so far."""
        row = await self.channel.crm._api._call(  # type: ignore[attr-defined]
            "GET", "/services/data/v62.0/limits"
        )
        return int(row.headers["sforce-limit-info"].partition("=")[2].partition("/")[0])

    async def _all(self, kind: str) -> list[dict[str, Any]]:
        answer = await self._client.get(f"/api/salesforce/records/{kind}")
        found: list[dict[str, Any]] = answer.json()["records"]
        return found

    async def _post(self, path: str, body: Any) -> None:
        (await self._client.post(f"/api/salesforce/{path}", json=body)).raise_for_status()


class SmallWorld:
    def __init__(self, channel: CrmChannel, standin: SmallStandin) -> None:
        self.channel, self.standin = channel, standin

    async def accounts(self, *names: str) -> None:
        start = len(self.standin.companies)
        self.standin.companies += [
            {"id": f"company-{start + n}", "name": name} for n, name in enumerate(names)
        ]

    async def records(self, lead_id: str) -> list[Values]:
        return [
            {field: deal.get(name) for field, name in NAMES.items()}
            for deal in self.standin.deals
            if deal["key"] == lead_id
        ]

    async def tasks(self) -> list[dict[str, Any]]:
        return list(self.standin.tasks.values())

    async def change(self, lead_id: str, **values: Any) -> None:
        named = {NAMES[Field[name.upper()]]: value for name, value in values.items()}
        self.standin.change(lead_id, named)

    async def copy(self, lead_id: str) -> None:
        self.standin.copy(lead_id)


@asynccontextmanager
async def salesforce(
    standin: StandinSettings | None = None, **changes: Any
) -> AsyncIterator[SalesforceWorld]:
    async with running(standin or StandinSettings()) as addresses:
        given: dict[str, Any] = {
            "url": addresses.salesforce_url,
            "client_id": addresses.salesforce_client_id,
        }
        if "username" not in changes:
            given["client_secret"] = SecretStr(addresses.salesforce_client_secret)
        given |= changes
        policy = OutboundPolicy(frozenset({"127.0.0.1"}))
        channel = SalesforceChannel.open(SalesforceSink.model_validate(given), policy)
        async with httpx.AsyncClient(base_url=addresses.page_url) as client:
            yield SalesforceWorld(channel, client)
        await channel.close()


@asynccontextmanager
async def small(**changes: Any) -> AsyncIterator[SmallWorld]:
    standin = SmallStandin()
    sink = SmallSink.model_validate(changes)
    channel = SmallChannel(sink, SmallCrm(standin.client()), "small.example")
    yield SmallWorld(channel, standin)
    await channel.close()


Open = Callable[..., AbstractAsyncContextManager[World]]
WORLDS: dict[str, Open] = {"salesforce": salesforce, "small": small}


async def commands_of(base: Base, tenant_id: str) -> list[dict[str, Any]]:
    """Every command that has left for lifecycle."""
    query = text("SELECT body FROM notifier.outbox WHERE tenant_id = :tenant ORDER BY id")
    async with base.relay_database.transaction() as connection:
        rows = await connection.execute(query, {"tenant": tenant_id})
        return [orjson.loads(row.body) for row in rows]
