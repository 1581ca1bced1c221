"""First half of a unit of work: its rows become the latest, names are reconciled, accounts marked dirty."""

import asyncio
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.domain.accounts.directory import Directory
from services.ingest.domain.accounts.reconcile import reconcile
from services.ingest.domain.batch import Batch
from services.ingest.domain.records import Box, CatalogueRow
from services.ingest.messages import family_changed
from services.ingest.repository import (
    AccountsRepository,
    BatchesRepository,
    DerivedRepository,
    RecordsRepository,
)
from services.ingest.sources.catalogue import families_of
from services.ingest.sources.judge import repeat_finding
from shared.events import CatalogueEntry, Finding, RecordKind
from shared.messaging.outbox import Outbox
from shared.messaging.versions import next_version
from shared.rules.model import Rules


class Applying:
    """Applies one unit of work inside one transaction."""

    def __init__(self, outbox: Outbox) -> None:
        self._batches = BatchesRepository()
        self._records = RecordsRepository()
        self._accounts = AccountsRepository()
        self._derived = DerivedRepository()
        self._outbox = outbox

    async def apply(self, connection: AsyncConnection, batch: Batch, rules: Rules) -> None:
        """Applies the rows, links them to accounts, and queues every account this concerns."""
        await self._quarantine_repeats(connection, batch)
        await self._records.apply(connection, batch)
        kinds = await self._records.touched_kinds(connection, batch)
        if RecordKind.CATALOGUE in kinds:
            await self._change_catalogue(connection, batch, rules)
        if batch.work == "rules" or kinds & set(_OF_CUSTOMERS):
            dirty = await self._link(connection, batch, rules)
            dirty |= await self._accounts.update_totals(connection, batch.tenant_id, dirty)
            await self._derived.mark_dirty(connection, batch.tenant_id, dirty)
        if batch.work in ("rules", "day") or RecordKind.CATALOGUE in kinds:
            await self._derived.mark_all_dirty(connection, batch.tenant_id)
        total = await self._derived.dirty_count(connection, batch.tenant_id)
        await self._batches.update(connection, batch, state="applied", dirty_total=total)

    async def _quarantine_repeats(self, connection: AsyncConnection, batch: Batch) -> None:
        repeats = await self._records.repeated_boxes(connection, batch)
        found: dict[tuple[int, int], Sequence[Finding]] = {}
        for row in repeats:
            dropped, kept = Box.model_validate(row.dropped), Box.model_validate(row.kept)
            part = batch.parts[row.part] if row.part < len(batch.parts) else None
            found[(row.part, row.row_no)] = (repeat_finding(dropped, kept, part, row.source),)
        await self._records.quarantine(connection, batch, list(found))
        await self._batches.add_findings(connection, batch, found)

    async def _link(self, connection: AsyncConnection, batch: Batch, rules: Rules) -> set[str]:
        """Reconciles names and territories. Returns the accounts that are dirty because of the batch."""
        tenant_id = batch.tenant_id
        dirty = await self._records.touched_accounts(connection, batch)
        before = await self._accounts.load_directory(connection, tenant_id)
        uses = await self._accounts.name_uses(connection, tenant_id)
        territories = await self._accounts.territories(connection, tenant_id)
        # Comparing names is work for the processor: the event loop must go on meanwhile.
        after = await asyncio.to_thread(
            reconcile, tenant_id, uses, territories, before.directory, rules.accounts
        )
        await self._accounts.save_directory(connection, tenant_id, before, after)
        dirty |= await self._accounts.relink(connection, tenant_id, after)
        dirty |= await self._records.touched_accounts(connection, batch)
        if batch.work == "rules":
            await self._accounts.recount_closed(connection, tenant_id, rules)
            dirty |= set(after.accounts)
        return dirty | _changed_entries(before.directory, after)

    async def _change_catalogue(
        self, connection: AsyncConnection, batch: Batch, rules: Rules
    ) -> None:
        """Publishes the families whose services differ from what was published last."""
        rows = await self._records.catalogue_rows(connection, batch.tenant_id)
        families = families_of([CatalogueRow.model_validate(row) for row in rows], rules.currency)
        held = await self._derived.catalogue(connection, batch.tenant_id)
        changed: dict[str, tuple[int, tuple[CatalogueEntry, ...]]] = {}
        for family in sorted({*families, *held}):
            version, entries = held.get(family, (None, ()))
            if families.get(family, ()) != entries:
                changed[family] = (next_version(version), families.get(family, ()))
        await self._derived.save_catalogue(connection, batch.tenant_id, changed)
        await self._outbox.add(
            connection,
            [
                family_changed(batch, version, family, entries)
                for family, (version, entries) in changed.items()
            ],
        )


_OF_CUSTOMERS = (RecordKind.INSTALL_BASE, RecordKind.OPPORTUNITY, RecordKind.PROJECT)


def _changed_entries(before: Directory, after: Directory) -> set[str]:
    """Accounts that are new, renamed, merged or moved, and all that share a territory with them."""
    changed = {
        account_id
        for account_id in {*before.accounts, *after.accounts}
        if before.accounts.get(account_id) != after.accounts.get(account_id)
    }
    entries = [*before.accounts.items(), *after.accounts.items()]
    territories = {t for key, entry in entries if key in changed for t in entry.territory_ids}
    neighbours = {key for key, entry in entries if not territories.isdisjoint(entry.territory_ids)}
    return changed | neighbours
