"""Second half of a unit of work: dirty accounts become profiles and leads; what changed is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.domain.batch import Batch
from services.ingest.domain.changes import LeadNews, lead_news
from services.ingest.domain.derive import Derivation, derive_account, possible_leads
from services.ingest.domain.offices import Routes, route
from services.ingest.domain.profile import AccountRows, ClosedTotals
from services.ingest.domain.values import PriceList
from services.ingest.messages import detected, profiled
from services.ingest.noting import note_underived
from services.ingest.repository import (
    AccountsRepository,
    DerivedRepository,
    RecordsRepository,
)
from services.ingest.staging import unstaged
from shared.events import RecordKind
from shared.messaging.errors import is_transient
from shared.messaging.outbox import Outbox
from shared.messaging.versions import next_version
from shared.ops.logs import get_logger
from shared.rules.model import Rules
from shared.rules.offices_lookup import office_map

_log = get_logger(__name__)


@dataclass(frozen=True)
class StepSize:
    """How much one transaction takes: accounts; rows read, beyond one account; leads told."""

    accounts: int
    rows: int

    @property
    def leads(self) -> int:
        """Two for a row: then only the leads of an account larger than a step take several."""
        return 2 * self.rows


class Deriving:
    """Derives chunks of accounts, each chunk inside one transaction."""

    def __init__(self, outbox: Outbox) -> None:
        self._records = RecordsRepository()
        self._accounts = AccountsRepository()
        self._derived = DerivedRepository()
        self._outbox = outbox

    async def derive(
        self, connection: AsyncConnection, batch: Batch, rules: Rules, as_of: date, step: StepSize
    ) -> int:
        """Derives dirty accounts as of a day. Returns how many there were.

        One that cannot be derived leaves the queue, told as a finding, so that the others go on.
        """
        accounts = await self._derived.take_dirty(
            connection, batch.tenant_id, step.accounts, step.rows
        )
        if accounts and not await self._managed(
            connection, batch, rules, as_of, step, accounts=accounts
        ):
            failed = [
                each
                for each in accounts
                if not await self._managed(connection, batch, rules, as_of, step, accounts=[each])
            ]
            await note_underived(connection, batch, failed)
        return len(accounts)

    async def _managed(
        self,
        connection: AsyncConnection,
        batch: Batch,
        rules: Rules,
        as_of: date,
        step: StepSize,
        *,
        accounts: Sequence[str],
    ) -> bool:
        """Derives all of these accounts or, when one of them cannot be, none. Returns whether it did."""
        try:
            async with connection.begin_nested():
                await self._derive(connection, batch, rules, as_of, step, accounts=accounts)
        except Exception as error:
            if is_transient(error):
                raise
            about = {"tenant": batch.tenant_id, "accounts": accounts[:10]}
            _log.error("accounts cannot be derived", **about, exc_info=error)
            return False
        return True

    async def _derive(
        self,
        connection: AsyncConnection,
        batch: Batch,
        rules: Rules,
        as_of: date,
        step: StepSize,
        *,
        accounts: Sequence[str],
    ) -> None:
        """Accounts with more news than a step may tell go back into the queue: the next step finds
        what is left to tell."""
        rows = await self._rows(connection, batch.tenant_id, accounts)
        derivations = await self._derivations(connection, batch, rules, as_of, rows)
        routes = route(rows, office_map(rules.offices, as_of))
        versions = await self._save_profiles(connection, batch, derivations, routes, as_of)
        news = await self._lead_news(
            connection, batch.tenant_id, derivations, rows, routes, as_of=as_of
        )
        await self._tell_leads(connection, batch, news[: step.leads], versions, as_of)
        if len(news) > step.leads:
            await self._derived.mark_dirty(connection, batch.tenant_id, accounts)

    async def _rows(
        self, connection: AsyncConnection, tenant_id: str, accounts: Sequence[str]
    ) -> dict[str, AccountRows]:
        stored: dict[str, list[tuple[RecordKind, object]]] = {key: [] for key in accounts}
        for row in await self._records.of_accounts(connection, tenant_id, accounts):
            stored[row.account_id].append((RecordKind(row.kind), row.content))
        return {account: unstaged(rows) for account, rows in stored.items()}

    async def _derivations(
        self,
        connection: AsyncConnection,
        batch: Batch,
        rules: Rules,
        as_of: date,
        rows: Mapping[str, AccountRows],
    ) -> dict[str, Derivation]:
        tenant_id = batch.tenant_id
        entries = await self._accounts.entries(connection, tenant_id, sorted(rows))
        territories = {t for entry in entries.values() for t in entry.territory_ids}
        totals = {
            territory: ClosedTotals(count, total)
            for territory, (count, total) in (
                await self._accounts.territory_totals(connection, tenant_id, territories)
            ).items()
        }
        prices = await self._prices(connection, tenant_id, rules)
        return {
            account: derive_account(
                tenant_id,
                entry,
                rows[account],
                territory_totals=totals,
                prices=prices,
                rules=rules,
                as_of=as_of,
            )
            for account, entry in sorted(entries.items())
        }

    async def _prices(self, connection: AsyncConnection, tenant_id: str, rules: Rules) -> PriceList:
        held = await self._derived.catalogue(connection, tenant_id)
        return PriceList(
            {family: entries for family, (_, entries) in held.items()},
            {family: version for family, (version, _) in held.items()},
            rules.currency,
        )

    async def _save_profiles(
        self,
        connection: AsyncConnection,
        batch: Batch,
        derivations: Mapping[str, Derivation],
        routes: Routes,
        as_of: date,
    ) -> dict[str, int]:
        """Stores and tells changed profiles. Returns the version in force for each account."""
        held = await self._derived.profiles(connection, batch.tenant_id, sorted(derivations))
        versions, changed = {}, []
        for account, derivation in derivations.items():
            version, *told = held.get(account, (None, None, None))
            office_id = routes.accounts.get(account)
            if version is None or told != [derivation.profile, office_id]:
                version = next_version(version)
                changed.append((version, derivation.profile, office_id))
            versions[account] = version
        await self._derived.save_profiles(connection, batch.tenant_id, changed)
        await self._outbox.add(connection, [profiled(batch, *each, as_of) for each in changed])
        return versions

    async def _lead_news(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        derivations: Mapping[str, Derivation],
        rows: Mapping[str, AccountRows],
        routes: Routes,
        *,
        as_of: date,
    ) -> list[LeadNews]:
        accounts = sorted(rows)
        firing = {lead.lead_id: lead for d in derivations.values() for lead in d.leads}
        boxes = {box.record_id: box for of in rows.values() for box in of.boxes}
        possible = possible_leads(tenant_id, boxes)
        held = await self._derived.leads(connection, tenant_id, accounts, possible)
        gone = (each for key, each in held.items() if key not in firing and each.state == "open")
        elsewhere = await self._derived.boxes_elsewhere(
            connection, tenant_id, {each.facts.box_id for each in gone}, accounts
        )
        return lead_news(firing, held, boxes, elsewhere, as_of, offices=routes.boxes)

    async def _tell_leads(
        self,
        connection: AsyncConnection,
        batch: Batch,
        news: Sequence[LeadNews],
        account_versions: Mapping[str, int],
        as_of: date,
    ) -> None:
        """Stores and tells what is new about leads."""
        told = [(next_version(each.previous_version), each) for each in news]
        await self._derived.save_leads(connection, batch.tenant_id, told)
        messages = [
            detected(batch, version, each, account_versions.get(each.facts.account_id, 0), as_of)
            for version, each in told
        ]
        await self._outbox.add(connection, messages)
