"""A tenant's upstream system and its ingest: rows go in as batches or single changes, work is stepped."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from services.ingest.handlers import IngestHandlers
from services.ingest.settings import IngestSettings
from services.ingest.sources.batch_events import to_events
from services.ingest.sources.record_ids import RecordIds
from services.ingest.sources.tables import SourceRow, SourceTable
from services.ingest.tables import SCHEMA, metadata, tenant_rules
from services.ingest.work import IngestWork
from shared import clock
from shared.db.rules_store import RulesStore
from shared.events import (
    AccountCommand,
    AccountDecided,
    AccountProfiled,
    Actor,
    BatchCompleted,
    BatchMode,
    Event,
    ImportProgressed,
    LeadDetected,
    RecordKind,
    RecordObserved,
    RecordRemoved,
    RulesApplied,
)
from shared.messaging.codec import Received
from shared.messaging.outbox import Outbox
from shared.ops.composition import Base
from shared.rules.load import default_rules, rules_version
from shared.rules.model import Rules
from shared.settings import load_settings
from shared.topics import ACCOUNT_COMMANDS, RECORDS, RULES
from tests.support.builders import AS_OF, days_ago
from tests.support.service_bench import Sent, connected, forget, of_type, query, received

_SHEETS = {
    RecordKind.INSTALL_BASE: "Install Base",
    RecordKind.OPPORTUNITY: "Opportunities",
    RecordKind.PROJECT: "Projects",
    RecordKind.CATALOGUE: "LS_SKU",
}
Values = dict[str, Any]
SOURCE = "export"


def a_box_row(serial: str = "SN1", **changes: Any) -> Values:
    """An uncovered Primera of territory 70001, long expired, not yet end of life: renewal and attach."""
    values: Values = {
        "territory_id": "70001",
        "product_id": "N9Z62A",
        "product_name": "HPE Primera 650 4-way Storage Base",
        "platform": "Primera 600",
        "serial_number": serial,
        "end_of_life": str(days_ago(-400)),
        "service_end": str(days_ago(400)),
        "support_status": "Warranty Expired - Uncovered Box",
    }
    return {**values, **changes}


def renewed(row: Values) -> Values:
    """The same box once its support was renewed."""
    return {**row, "support_status": "Active Contract", "service_end": str(days_ago(-700))}


def a_deal_row(number: int = 1, **changes: Any) -> Values:
    """A won deal of Acme in territory 70001."""
    values: Values = {
        "opportunity_id": f"OPE-{number}",
        "account_name": "Acme Logistics",
        "territory_id": "70001",
        "stage": "Closed Won",
        "created": str(days_ago(200)),
    }
    return {**values, **changes}


def a_project_row(number: int = 1, **changes: Any) -> Values:
    """A closed project of Acme."""
    values: Values = {
        "project_id": f"JP1-{number}",
        "account_name": "Acme Logistics",
        "status": "CLSD",
        "amount": 10_000,
        "start": str(days_ago(90)),
        "updated": str(days_ago(30)),
    }
    return {**values, **changes}


def a_service_row(product: str = "PRIMERA", **changes: Any) -> Values:
    """A priced service of a family."""
    values: Values = {
        "product": product,
        "category": "Storage",
        "service": "Health Check",
        "sku": "H9Q53AC",
        "list_price": 20_000,
        "margin": 0.4,
    }
    return {**values, **changes}


def a_table(kind: RecordKind, rows: Sequence[Values], file: str = "export.xlsx") -> SourceTable:
    """A sheet whose headers stand in row 1."""
    ids = RecordIds(kind, default_rules().reading.missing_values)
    names = {name: name.replace("_", " ").title() for row in rows for name in row}
    return SourceTable(
        file=file,
        sheet=_SHEETS[kind],
        kind=kind,
        first_row=2,
        headers=names,
        rows=[SourceRow(n, ids.of(n, row), row, {}) for n, row in enumerate(rows, start=1)],
    )


def tables(
    boxes: Sequence[Values] = (),
    deals: Sequence[Values] = (),
    projects: Sequence[Values] = (),
    services: Sequence[Values] = (),
) -> list[SourceTable]:
    """The sheets of an export that have rows."""
    sheets = zip(_SHEETS, (boxes, deals, projects, services), strict=True)
    return [a_table(kind, rows) for kind, rows in sheets if rows]


class Killed(BaseException):
    """The process ended here."""


class KilledOutbox(Outbox):
    """Ends the process when messages are about to be written for the n-th time."""

    def __init__(self, inner: Outbox, after: int) -> None:
        self._inner = inner
        self._left = after

    async def add(self, connection: Any, messages: Any) -> None:
        await self._inner.add(connection, messages)
        self._left -= bool(messages)
        if self._left < 0:
            raise Killed


@dataclass
class Upstream:
    """One tenant. `step` takes one step with new objects, as after a kill; `settle` all there are."""

    base: Base
    owner: AsyncEngine
    tenant: str
    settings: IngestSettings
    sent: Sent
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def _handlers(self) -> IngestHandlers:
        inbox = self.base.inbox("single changes")
        rules = RulesStore(tenant_rules)
        return IngestHandlers(rules, self.base.outbox, inbox, as_of=self.settings.as_of)

    async def send(self, *events: Event) -> None:
        """One Kafka batch of events on the tenant's topic."""
        async with self.base.database.transaction({self.tenant}) as connection:
            await self._handlers().on_records(connection, [self.arrived(e) for e in events])

    def arrived(self, event: Event) -> Received:
        """An event as Kafka hands it over; the same event has the same id."""
        subject = getattr(event, "record_id", "") or getattr(event, "batch_id", "")
        place = f"{getattr(event, 'batch_id', None)}/{getattr(event, 'part', 0)}"
        subject = f"{subject}/{place}/{getattr(event, 'row', 0)}"
        return received(event, self.tenant, subject, RECORDS)

    def events(
        self,
        found: Sequence[SourceTable],
        *,
        mode: BatchMode = BatchMode.SNAPSHOT,
        batch_id: str | None = None,
        source: str = SOURCE,
        count: int | None = None,
    ) -> list[Event]:
        """The events of one import; `count` announces another number of rows than there are."""
        name = batch_id or f"batch-{next(self.numbers)}"
        events = list(to_events(found, source, mode, name, Actor(kind="person", id="anna")))
        if count is not None:
            events[-1] = BatchCompleted(batch_id=name, count=count)
        return events

    async def load(self, found: Sequence[SourceTable], **how: Any) -> list[Received]:
        """Imports tables and works them off. Returns what is new in the outbox, progress left out."""
        await self.send(*self.events(found, **how))
        return await self.settle()

    async def change(self, kind: RecordKind, record_id: str, values: Values, version: int) -> None:
        """A single change outside a batch."""
        await self.send(self.observed(kind, record_id, values, version))

    def observed(
        self, kind: RecordKind, record_id: str, values: Values, version: int
    ) -> RecordObserved:
        """The event of a single change."""
        return RecordObserved(
            kind=kind, source=SOURCE, record_id=record_id, values=values, version=version
        )

    async def remove(self, kind: RecordKind, record_id: str, version: int) -> None:
        """A single removal outside a batch."""
        await self.send(
            RecordRemoved(kind=kind, source=SOURCE, record_id=record_id, version=version)
        )

    async def command(self, *commands: AccountCommand) -> list[AccountDecided]:
        """Commands about accounts arrive and are worked off. Returns the new answers."""
        async with self.base.database.transaction({self.tenant}) as connection:
            arrived = [received(c, self.tenant, c.command_id, ACCOUNT_COMMANDS) for c in commands]
            await self._handlers().on_account_commands(connection, arrived)
        return of_type(await self.settle(), AccountDecided)

    async def apply_rules(self, rules: Rules) -> None:
        """New rules arrive."""
        event = RulesApplied(
            version=clock.now_us(),
            rules_version=rules_version(rules),
            rules=rules.model_dump(mode="json"),
        )
        async with self.base.database.transaction({self.tenant}) as connection:
            message = received(event, self.tenant, self.tenant, RULES)
            await self._handlers().on_rules(connection, [message])

    def worker(self, as_of: date | None = None, outbox: Outbox | None = None) -> IngestWork:
        """A new process's work; nothing is shared with those before."""
        settings = self.settings.model_copy(update={"as_of": as_of or self.settings.as_of})
        work = IngestWork(self.base, RulesStore(tenant_rules), settings)
        if outbox is not None:
            work._outbox = outbox
            work._applying._outbox = work._deriving._outbox = outbox
        return work

    async def step(self, as_of: date | None = None) -> bool:
        """One step of a process that was started for it and ends after it."""
        return await self.worker(as_of).step()

    async def settle(
        self, as_of: date | None = None, *, process: IngestWork | None = None
    ) -> list[Received]:
        """Steps until nothing is left to do. Returns what is new in the outbox, progress left out.

        `process`: who takes all steps; otherwise each is a new process's.
        """
        step = process.step if process else partial(self.step, as_of)
        async with asyncio.timeout(60):
            # A step that begins a day leaves its work to the next one.
            while await step() or await step():
                pass
        return [m for m in await self.sent.messages() if not isinstance(m.event, ImportProgressed)]

    async def open_leads(self) -> dict[str, LeadDetected]:
        """Every lead ever told that is open by its latest event, by `box/type`."""
        told = of_type(await Sent(self.owner, SCHEMA, self.tenant).messages(), LeadDetected)
        latest = {f"{each.lead.box_id}/{each.lead.lead_type.value}": each for each in told}
        return {key: each for key, each in latest.items() if each.state == "open"}

    async def profiles(self) -> dict[str, AccountProfiled]:
        """The latest profile told of each account, by account id."""
        told = of_type(await Sent(self.owner, SCHEMA, self.tenant).messages(), AccountProfiled)
        return {each.profile.account_id: each for each in told}

    async def progress(self) -> list[ImportProgressed]:
        """All progress ever told."""
        return of_type(await Sent(self.owner, SCHEMA, self.tenant).messages(), ImportProgressed)

    async def rows(self, statement: str) -> list[Any]:
        """Rows of a query as the owner; `:tenant` is ours."""
        return await query(self.owner, statement, tenant=self.tenant)


def keys(events: Sequence[LeadDetected]) -> set[str]:
    """Leads by `box/type`."""
    return {f"{each.lead.box_id}/{each.lead.lead_type.value}" for each in events}


@asynccontextmanager
async def new_upstream(
    owner: AsyncEngine, database_url: str, **settings: Any
) -> AsyncIterator[Upstream]:
    """A tenant that no other test uses; it is gone afterwards."""
    tenant = f"i-{uuid.uuid4().hex[:12]}"
    values = {"kafka_bootstrap": "localhost:1", "database_url": database_url, "as_of": AS_OF}
    loaded = load_settings(IngestSettings, **{**values, **settings})
    async with connected(SCHEMA, loaded, metadata) as base:
        yield Upstream(base, owner, tenant, loaded, Sent(owner, SCHEMA, tenant))
    await forget(owner, metadata, tenant)
