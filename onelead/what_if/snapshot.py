"""Reads a tenant as it stands at one moment: ingest's records and scoring's scores in one snapshot.

With the services' own roles, which see this tenant only, in transactions that may not write.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.exc import NoResultFound
from sqlalchemy.ext.asyncio import AsyncConnection

from onelead.opened_database import opened_database
from onelead.what_if.side import Place, PlacedRow
from services.ingest.domain.accounts.decisions import Decision
from services.ingest.domain.accounts.directory import Directory, NameUse
from services.ingest.domain.profile import ClosedTotals
from services.ingest.domain.records import Box, CatalogueRow, Opportunity, Project
from services.ingest.repository import (
    AccountDecisionsRepository,
    AccountsRepository,
    BatchesRepository,
    DerivedRepository,
    RecordsRepository,
)
from services.ingest.tables import tenant_rules
from shared.db.queries import load_queries
from shared.db.rules_store import RulesInForce, RulesStore
from shared.errors import UserError
from shared.events import LeadScored, RecordKind
from shared.rules.model import Rules

_SQL = load_queries(__file__)
_SET_TENANTS = text("SELECT set_config('app.tenants', :tenant, true)")
_CLASSES: Mapping[str, type[Box | Opportunity | Project]] = {
    RecordKind.INSTALL_BASE: Box,
    RecordKind.OPPORTUNITY: Opportunity,
    RecordKind.PROJECT: Project,
}


@dataclass(frozen=True)
class TenantState:
    """What a tenant's accounts and prices follow from, besides its rules.

    `places` with how many rows each has, `services` in catalogue order, the catalogue's families
    with their versions.
    """

    as_of: date
    places: Mapping[Place, int]
    uses: Sequence[NameUse]
    territory_ids: Collection[str]
    known: Directory
    decisions: Sequence[Decision]
    services: Sequence[CatalogueRow]
    versions: Mapping[str, int]


class Snapshot:
    """One tenant at one moment."""

    def __init__(self, ingest: AsyncConnection, scoring: AsyncConnection, tenant_id: str) -> None:
        self._ingest = ingest
        self._scoring = scoring
        self.tenant_id = tenant_id

    async def rules(self) -> RulesInForce:
        """The rules in force."""
        store = RulesStore(tenant_rules)
        return (await store.in_force(self._ingest, {self.tenant_id}))[self.tenant_id]

    async def state(self) -> TenantState:
        """The tenant but for its rows. Raises UserError when nothing was ever imported for it."""
        accounts, tenant = AccountsRepository(), self.tenant_id
        try:
            as_of = await BatchesRepository().day(self._ingest, tenant)
        except NoResultFound:
            raise UserError(
                f"tenant {tenant} has no records yet", hint="import some with `onelead import`"
            ) from None
        places = await self._ingest.execute(_SQL["places"], {"tenant": tenant})
        services = await RecordsRepository().catalogue_rows(self._ingest, tenant)
        catalogue = await DerivedRepository().catalogue(self._ingest, tenant)
        return TenantState(
            as_of=as_of,
            places={(row.account_name, row.territory_id): row.rows for row in places},
            uses=await accounts.name_uses(self._ingest, tenant),
            territory_ids=await accounts.territories(self._ingest, tenant),
            known=(await accounts.load_directory(self._ingest, tenant)).base,
            decisions=await AccountDecisionsRepository().log(self._ingest, tenant),
            services=[CatalogueRow.model_validate(row) for row in services],
            versions={family: version for family, (version, _) in catalogue.items()},
        )

    async def closed_projects(self, rules: Rules) -> dict[Place, ClosedTotals]:
        """The closed projects of each place that count in averages by these rules (rules.md §2)."""
        statuses = [status.casefold() for status in rules.reading.closed_project_statuses]
        parameters = {"tenant": self.tenant_id, "closed": statuses, "currency": rules.currency}
        rows = await self._ingest.execute(_SQL["closed_projects"], parameters)
        return {
            (row.account_name, row.territory_id): ClosedTotals(row.closed_count, row.closed_sum)
            for row in rows
        }

    async def rows(self, places: Sequence[Place]) -> list[PlacedRow]:
        """The rows of places, in the order they were read."""
        names, territories = [name for name, _ in places], [at for _, at in places]
        parameters = {"tenant": self.tenant_id, "names": names, "territories": territories}
        rows = await self._ingest.execute(_SQL["rows_of_places"], parameters)
        return [
            ((row.account_name, row.territory_id), _CLASSES[row.kind].model_validate(row.content))
            for row in rows
        ]

    async def emitted(self, lead_ids: Collection[str]) -> dict[str, LeadScored]:
        """What scoring told last of these leads, withdrawn ones included."""
        parameters = {"tenant": self.tenant_id, "leads": sorted(lead_ids)}
        events = (await self._scoring.execute(_SQL["emitted"], parameters)).scalars()
        found = (LeadScored.model_validate(event) for event in events)
        return {event.lead.lead_id: event for event in found}

    async def open_leads(self) -> int:
        """How many leads are open by what scoring told last."""
        parameters = {"tenant": self.tenant_id}
        return int(await self._scoring.scalar(_SQL["open_emitted"], parameters) or 0)

    async def under_way(self) -> tuple[str, ...]:
        """What is not worked off yet, in words."""
        batch = await BatchesRepository().next_work(self._ingest, self.tenant_id)
        dirty = await DerivedRepository().dirty_count(self._ingest, self.tenant_id)
        parameters = {"tenant": self.tenant_id}
        queued = await self._scoring.scalar(_SQL["leads_to_rescore"], parameters)
        told = (
            f"ingest is at work ({batch.work})" if batch else "",
            f"{dirty:,} accounts wait for ingest" if dirty else "",
            f"{queued:,} leads wait for scoring" if queued else "",
        )
        return tuple(each for each in told if each)


@asynccontextmanager
async def snapshot_of(
    owner_url: str, password: str | None, tenant_id: str
) -> AsyncIterator[Snapshot]:
    """A snapshot of a tenant for the length of a block. Nothing in it can write."""
    async with AsyncExitStack() as stack:
        ingest, scoring = [
            await stack.enter_async_context(_reading(owner_url, password, f"onelead_{service}"))
            for service in ("ingest", "scoring")
        ]
        moment = str(await ingest.scalar(_SQL["export_snapshot"]))
        # Before anything is read; the name comes from the server and takes no parameter.
        await scoring.execute(text(f"SET TRANSACTION SNAPSHOT '{moment}'"))
        for connection in (ingest, scoring):
            await connection.execute(_SET_TENANTS, {"tenant": tenant_id})
        yield Snapshot(ingest, scoring, tenant_id)


@asynccontextmanager
async def _reading(
    owner_url: str, password: str | None, role: str
) -> AsyncIterator[AsyncConnection]:
    async with (
        opened_database(owner_url, password, role, "onelead what-if") as database,
        database.engine.connect() as connection,
    ):
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        yield await connection.execution_options(**options)
