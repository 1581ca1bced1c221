"""A second CRM, as small as one can be: what it takes beside Salesforce, and a stand-in to try it on.

Its deals have other field names, states of their own, and a key chosen by whoever writes them.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any, ClassVar, Literal, Self

import httpx
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.notifier.channels.crm.base import CrmError, CrmSink
from services.notifier.channels.crm.channel import CrmChannel
from services.notifier.channels.sink import SinkSettings
from services.notifier.domain.attempt import Delivered, Outcome, Rejected, Retryable
from services.notifier.domain.crm.comparison import cut
from services.notifier.domain.crm.records import Call, CrmRecord, Field, FieldValue, Write, folded
from shared import clock
from shared.outbound import OutboundPolicy

NAMES = {field: f"deal_{field.value.replace(' ', '_')}" for field in Field}


class SmallSink(CrmSink):
    channel: Literal["small"] = "small"


class SmallCrm:
    """Deals over HTTP."""

    most = 50
    lengths: Mapping[Field, int] = {Field.NAME: 200}

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def accounts(self, names: Collection[str]) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for row in await self._ask("/companies/find", sorted(names)):
            found.setdefault(folded(row["name"]), []).append(row["id"])
        return found

    async def read(
        self, lead_ids: Collection[str], fields: Collection[Field]
    ) -> Sequence[CrmRecord]:
        return [_record(row, fields) for row in await self._ask("/deals/find", sorted(lead_ids))]

    async def changed_since(
        self, since: datetime | None, fields: Collection[Field]
    ) -> Sequence[CrmRecord]:
        moment = None if since is None else since.isoformat()
        return [_record(row, fields) for row in await self._ask("/deals/changed", moment)]

    async def upsert(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        deals = [
            {"key": w.lead_id, **{NAMES[f]: _wire(f, v) for f, v in w.values.items()}}
            for w in writes
        ]
        return [_outcome(said) for said in await self._ask("/deals", deals)]

    async def add_calls(self, calls: Sequence[tuple[Call, CrmRecord | None]]) -> Sequence[Outcome]:
        tasks = [
            {
                "key": call.task_id,
                "deal": record.external_id if record else None,
                "for": str(record.values.get(Field.OWNER, "")) if record else "",
                "subject": call.subject,
                "due": call.due.isoformat(),
            }
            for call, record in calls
        ]
        return [_outcome(said) for said in await self._ask("/tasks", tasks)]

    async def close(self) -> None:
        await self._client.aclose()

    async def _ask(self, path: str, body: Any) -> list[Any]:
        try:
            answer = await self._client.post(path, content=orjson.dumps(body))
        except httpx.HTTPError as error:
            raise CrmError(Retryable(type(error).__name__)) from None
        if answer.status_code != httpx.codes.OK:
            raise CrmError(Retryable(f"answered {answer.status_code}"))
        found: list[Any] = answer.json()
        return found


class SmallChannel(CrmChannel):
    name: ClassVar[str] = "small"
    settings_class: ClassVar[type[SinkSettings]] = SmallSink

    @classmethod
    def open(cls, settings: SmallSink, policy: OutboundPolicy) -> Self:
        raise NotImplementedError("the tests give it their own client")


class SmallStandin:
    """The other side: deals, companies and tasks in memory, and the people who work with them."""

    def __init__(self) -> None:
        self.companies: list[dict[str, str]] = []
        self.deals: list[dict[str, Any]] = []
        self.tasks: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self._numbers = count(1)
        routes: dict[str, Callable[[Any], list[Any]]] = {
            "/companies/find": self._companies,
            "/deals/find": self._find,
            "/deals/changed": self._changed,
            "/deals": self._write,
            "/tasks": self._add_tasks,
        }
        self._handlers = routes
        self.app = Starlette(routes=[Route(path, self._serve, methods=["POST"]) for path in routes])

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app)
        return httpx.AsyncClient(transport=transport, base_url="http://small.example")

    def change(self, key: str, values: Mapping[str, Any]) -> None:
        for deal in self.deals:
            if deal["key"] == key:
                deal |= {**values, "changed": clock.now().isoformat()}

    def copy(self, key: str) -> None:
        deal = next(deal for deal in self.deals if deal["key"] == key)
        self.deals.append({**deal, "id": f"deal-{next(self._numbers)}"})

    async def _serve(self, request: Request) -> Response:
        self.calls.append(request.url.path)
        return JSONResponse(self._handlers[request.url.path](await request.json()))

    def _companies(self, names: list[str]) -> list[dict[str, str]]:
        wanted = {folded(name) for name in names}
        return [c for c in self.companies if folded(c["name"]) in wanted]

    def _find(self, keys: list[str]) -> list[dict[str, Any]]:
        return [deal for deal in self.deals if deal["key"] in keys]

    def _changed(self, since: str | None) -> list[dict[str, Any]]:
        moment = datetime.fromisoformat(since or "0001-01-01T00:00:00+00:00")
        found = [d for d in self.deals if datetime.fromisoformat(d["changed"]) >= moment]
        return sorted(found, key=_changed_at)

    def _write(self, deals: list[dict[str, Any]]) -> list[str]:
        return [self._write_one(deal) for deal in deals]

    def _write_one(self, deal: dict[str, Any]) -> str:
        if len(deal.get("deal_name", "")) > 200:
            return "name too long"
        known = [d for d in self.deals if d["key"] == deal["key"]]
        if not known:
            known = [{"id": f"deal-{next(self._numbers)}", "deal_owner": "robot"}]
            self.deals += known
        known[0] |= {**deal, "changed": clock.now().isoformat()}
        return "ok"

    def _add_tasks(self, tasks: list[dict[str, Any]]) -> list[str]:
        self.tasks |= {task["key"]: task for task in tasks}
        return ["ok"] * len(tasks)


def _changed_at(deal: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(deal["changed"])


def _record(row: Mapping[str, Any], fields: Collection[Field]) -> CrmRecord:
    values = {field: row[NAMES[field]] for field in fields if row.get(NAMES[field])}
    return CrmRecord(row["id"], row["key"], _changed_at(row).astimezone(UTC), values)


def _wire(field: Field, value: FieldValue) -> str:
    if isinstance(value, Decimal | date):
        return str(value)
    return cut(value, SmallCrm.lengths.get(field))


def _outcome(said: str) -> Outcome:
    return Delivered() if said == "ok" else Rejected(f"refused: {said}")
