"""Second half of a unit of work: dirty accounts become profiles and leads; what changed is told."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.domain.batch import NO_RULES, Step
from services.ingest.domain.changes import LeadNews, lead_news
from services.ingest.domain.derive import Derivation, derive_account, possible_leads
from services.ingest.domain.offices import Routes, route
from services.ingest.domain.profile import AccountRows, ClosedTotals
from services.ingest.domain.values import PriceList
from services.ingest.messages import derived, detected, profiled
from services.ingest.noting import note_underived
from services.ingest.repository import (
    AccountsRepository,
    DerivedRepository,
    MarksRepository,
    RecordsRepository,
)
from shared.messaging.errors import is_transient
from shared.messaging.outbox import Outbox
from shared.messaging.versions import next_version
from shared.ops.logs import get_logger
from shared.rules.offices_lookup import office_map

_log = get_logger(__name__)


class Deriving:
    """Derives chunks of accounts, each chunk inside one transaction."""

    def __init__(self, outbox: Outbox) -> None:
        self._records = RecordsRepository()
        self._accounts = AccountsRepository()
        self._derived = DerivedRepository()
        self._marks = MarksRepository()
        self._outbox = outbox

    async def derive(self, connection: AsyncConnection, step: Step) -> int:
        """Derives dirty accounts as of a day. Returns how many there were.

        One that cannot be derived leaves the queue, told as a finding, so that the others go on.
        """
        accounts = await self._derived.take_dirty(
            connection, step.tenant_id, step.size.accounts, step.size.rows
        )
        if accounts and not await self._managed(connection, step, accounts):
            failed = [
                each for each in accounts if not await self._managed(connection, step, [each])
            ]
            await note_underived(connection, step.batch, failed)
        return len(accounts)

    async def mark_rest(self, connection: AsyncConnection, step: Step) -> int:
        """Marks accounts that had to wait until everything is derived. Returns how many there were.

        While new rules wait it is they who mark: their unit of work has every account wait.
        """
        if step.derived_by == NO_RULES:
            return 0
        rest = await self._marks.waiting(connection, step.tenant_id, step.size.rows)
        await self._mark(connection, step, rest)
        return len(rest)

    async def _managed(
        self, connection: AsyncConnection, step: Step, accounts: Sequence[str]
    ) -> bool:
        """Derives all of these accounts or, when one of them cannot be, none. Returns whether it did."""
        try:
            async with connection.begin_nested():
                await self._derive(connection, step, accounts)
        except Exception as error:
            if is_transient(error):
                raise
            about = {"tenant": step.tenant_id, "accounts": accounts[:10]}
            _log.error("accounts cannot be derived", **about, exc_info=error)
            return False
        return True

    async def _derive(
        self, connection: AsyncConnection, step: Step, accounts: Sequence[str]
    ) -> None:
        """Accounts with more news than a step may tell go back into the queue: the next step finds
        what is left to tell, and marks them."""
        rows = await self._records.of_accounts(connection, step.tenant_id, accounts)
        derivations = await self._derivations(connection, step, rows)
        routes = route(rows, office_map(step.rules.offices, step.as_of))
        versions = await self._save_profiles(connection, step, derivations, routes)
        news, leaving = await self._lead_news(connection, step, derivations, rows, routes)
        await self._tell_leads(connection, step, news[: step.size.leads], versions)
        if len(news) > step.size.leads:
            await self._derived.mark_dirty(connection, step.tenant_id, accounts)
            await self._marks.put_off(connection, step.tenant_id, accounts)
            return
        # Whose leads leave with their boxes is marked when they have left.
        await self._marks.put_off(connection, step.tenant_id, leaving)
        await self._mark(connection, step, set(accounts) - leaving)

    async def _derivations(
        self, connection: AsyncConnection, step: Step, rows: Mapping[str, AccountRows]
    ) -> dict[str, Derivation]:
        tenant_id = step.tenant_id
        entries = await self._accounts.entries(connection, tenant_id, sorted(rows))
        territories = {t for entry in entries.values() for t in entry.territory_ids}
        totals = {
            territory: ClosedTotals(count, total)
            for territory, (count, total) in (
                await self._accounts.territory_totals(connection, tenant_id, territories)
            ).items()
        }
        prices = await self._prices(connection, step)
        return {
            account: derive_account(
                tenant_id,
                entry,
                rows[account],
                territory_totals=totals,
                prices=prices,
                rules=step.rules,
                as_of=step.as_of,
            )
            for account, entry in sorted(entries.items())
        }

    async def _prices(self, connection: AsyncConnection, step: Step) -> PriceList:
        held = await self._derived.catalogue(connection, step.tenant_id)
        return PriceList(
            {family: entries for family, (_, entries) in held.items()},
            {family: version for family, (version, _) in held.items()},
            step.rules.currency,
        )

    async def _save_profiles(
        self,
        connection: AsyncConnection,
        step: Step,
        derivations: Mapping[str, Derivation],
        routes: Routes,
    ) -> dict[str, int]:
        """Stores and tells changed profiles. Returns the version in force for each account."""
        held = await self._derived.profiles(connection, step.tenant_id, sorted(derivations))
        versions, changed = {}, []
        for account, derivation in derivations.items():
            version, *told = held.get(account, (None, None, None))
            office_id = routes.accounts.get(account)
            if version is None or told != [derivation.profile, office_id]:
                version = next_version(version)
                changed.append((version, derivation.profile, office_id))
            versions[account] = version
        await self._derived.save_profiles(connection, step.tenant_id, changed)
        await self._outbox.add(connection, [profiled(step, *each) for each in changed])
        return versions

    async def _lead_news(
        self,
        connection: AsyncConnection,
        step: Step,
        derivations: Mapping[str, Derivation],
        rows: Mapping[str, AccountRows],
        routes: Routes,
    ) -> tuple[list[LeadNews], set[str]]:
        """What to tell of leads; and the accounts with leads whose boxes are another's by now."""
        accounts = sorted(rows)
        firing = {lead.lead_id: lead for d in derivations.values() for lead in d.leads}
        boxes = {box.record_id: box for of in rows.values() for box in of.boxes}
        possible = possible_leads(step.tenant_id, boxes)
        held = await self._derived.leads(connection, step.tenant_id, accounts, possible)
        gone = [e.facts for key, e in held.items() if key not in firing and e.state == "open"]
        elsewhere = await self._derived.boxes_elsewhere(
            connection, step.tenant_id, {facts.box_id for facts in gone}, accounts
        )
        news = lead_news(firing, held, boxes, elsewhere, step.as_of, offices=routes.boxes)
        return news, {facts.account_id for facts in gone if facts.box_id in elsewhere}

    async def _tell_leads(
        self,
        connection: AsyncConnection,
        step: Step,
        news: Sequence[LeadNews],
        versions: Mapping[str, int],
    ) -> None:
        """Stores and tells what is new about leads."""
        told = [(next_version(each.previous_version), each) for each in news]
        await self._derived.save_leads(
            connection, step.tenant_id, told, versions, derived_by=step.derived_by
        )
        messages = [
            detected(step, version, each, versions.get(each.facts.account_id, 0))
            for version, each in told
        ]
        await self._outbox.add(connection, messages)

    async def _mark(
        self, connection: AsyncConnection, step: Step, accounts: Collection[str]
    ) -> None:
        """Marks accounts of which all is told, and tells where that is news; not while new rules wait."""
        if step.derived_by == NO_RULES:
            return
        marks = await self._marks.mark(connection, step.tenant_id, accounts, step.derived_by)
        await self._outbox.add(connection, [derived(step, mark) for mark in marks])
