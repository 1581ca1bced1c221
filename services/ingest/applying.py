"""First half of a unit of work: its rows become the latest, names are reconciled, accounts marked dirty."""

import asyncio
from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.deciding import DECISION, Deciding
from services.ingest.domain.accounts.directory import AccountEntry, Directory
from services.ingest.domain.accounts.merges import overlay
from services.ingest.domain.accounts.reconcile import reconcile
from services.ingest.domain.batch import OF_RULES, Batch
from services.ingest.domain.catalogue import families_of
from services.ingest.domain.records import Box, CatalogueRow
from services.ingest.messages import family_changed
from services.ingest.repository import (
    AccountDecisionsRepository,
    AccountsRepository,
    BatchesRepository,
    DerivedRepository,
    MarksRepository,
    RecordsRepository,
)
from services.ingest.sources.judge import repeat_finding
from shared.events import CatalogueEntry, Finding, RecordKind
from shared.messaging.outbox import Outbox
from shared.messaging.versions import next_version
from shared.rules.influence import Anew
from shared.rules.model import Rules


class Applying:
    """Applies one unit of work inside one transaction."""

    def __init__(self, outbox: Outbox) -> None:
        self._batches = BatchesRepository()
        self._records = RecordsRepository()
        self._accounts = AccountsRepository()
        self._derived = DerivedRepository()
        self._marks = MarksRepository()
        self._decisions = AccountDecisionsRepository()
        self._deciding = Deciding(outbox)
        self._outbox = outbox

    async def apply(self, connection: AsyncConnection, batch: Batch, rules: Rules) -> None:
        """Applies the rows, links them to accounts, and queues every account this concerns."""
        await self._quarantine_repeats(connection, batch)
        await self._records.apply(connection, batch)
        kinds = await self._records.touched_kinds(connection, batch)
        boxes = RecordKind.INSTALL_BASE in kinds
        turned = await self._records.rank_boxes(connection, batch) if boxes else set()
        if RecordKind.CATALOGUE in kinds or Anew.CATALOGUE in batch.anew:
            families = await self._change_catalogue(connection, batch, rules)
            await self._derived.mark_families_dirty(connection, batch.tenant_id, families)
        decided = batch.work == DECISION and await self._deciding.decide(connection, batch)
        if decided or kinds & _OF_CUSTOMERS or set(batch.anew) & {Anew.LINKS, Anew.TOTALS}:
            dirty = turned | await self._link(connection, batch, rules)
            dirty |= await self._accounts.update_totals(connection, batch.tenant_id, dirty)
            await self._derived.mark_dirty(connection, batch.tenant_id, dirty)
        if batch.work == "day" or Anew.DERIVATION in batch.anew:
            await self._derived.mark_all_dirty(connection, batch.tenant_id)
        if batch.work == OF_RULES:
            await self._marks.put_off_all(connection, batch.tenant_id)
        total = await self._derived.dirty_count(connection, batch.tenant_id)
        await self._batches.update(connection, batch, state="applied", dirty_total=total)

    async def _quarantine_repeats(self, connection: AsyncConnection, batch: Batch) -> None:
        repeats = await self._records.repeated_boxes(connection, batch)
        found: dict[tuple[int, int], Sequence[Finding]] = {}
        for row in repeats:
            dropped, kept = Box.model_validate(row.dropped), Box.model_validate(row.kept)
            part = batch.parts[row.part] if row.part < len(batch.parts) else None
            kept_part = batch.parts[row.kept_part] if row.kept_part < len(batch.parts) else None
            finding = repeat_finding(dropped, kept, part, row.source, kept_part=kept_part)
            found[(row.part, row.row_no)] = (finding,)
        await self._records.quarantine(connection, batch, list(found))
        await self._batches.add_findings(connection, batch, found, after_others=True)

    async def _link(self, connection: AsyncConnection, batch: Batch, rules: Rules) -> set[str]:
        """Reconciles names and territories. Returns the accounts that are dirty because of the batch."""
        tenant_id = batch.tenant_id
        dirty = await self._records.touched_accounts(connection, batch)
        before = await self._accounts.load_directory(connection, tenant_id)
        base = before.base
        if batch.work != DECISION:
            base = await self._reconciled(connection, tenant_id, base, rules)
        effective = overlay(base, await self._decisions.log(connection, tenant_id))
        await self._accounts.save_directory(connection, tenant_id, before, base, effective)
        dirty |= await self._accounts.relink(connection, tenant_id, effective)
        dirty |= await self._records.touched_accounts(connection, batch)
        if Anew.TOTALS in batch.anew:
            await self._accounts.recount_closed(connection, tenant_id, rules)
            dirty |= set(effective.accounts)
        return dirty | _changed_entries(before.accounts, effective.accounts)

    async def _reconciled(
        self, connection: AsyncConnection, tenant_id: str, known: Directory, rules: Rules
    ) -> Directory:
        uses = await self._accounts.name_uses(connection, tenant_id)
        territories = await self._accounts.territories(connection, tenant_id)
        # Comparing names is work for the processor: the event loop must go on meanwhile.
        return await asyncio.to_thread(
            reconcile, tenant_id, uses, territories, known, rules.accounts
        )

    async def _change_catalogue(
        self, connection: AsyncConnection, batch: Batch, rules: Rules
    ) -> list[str]:
        """Publishes the families whose services differ from what was published last. Returns them."""
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
        return list(changed)


_OF_CUSTOMERS = {RecordKind.INSTALL_BASE, RecordKind.OPPORTUNITY, RecordKind.PROJECT}


def _changed_entries(
    before: Mapping[str, AccountEntry], after: Mapping[str, AccountEntry]
) -> set[str]:
    """Accounts that are new, renamed, merged or moved, and all that share a territory with them."""
    changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    entries = [*before.items(), *after.items()]
    territories = {t for key, entry in entries if key in changed for t in entry.territory_ids}
    neighbours = {key for key, entry in entries if not territories.isdisjoint(entry.territory_ids)}
    return changed | neighbours
