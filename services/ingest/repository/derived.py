"""What ingest derived and told others: profiles, leads, the catalogue; and which accounts are dirty."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Text, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import tables as t
from services.ingest.domain.changes import HeldLead, LeadNews
from shared.db import bulk
from shared.db.queries import load_queries
from shared.events import AccountProfile, CatalogueEntry, LeadFacts

_SQL = load_queries(__file__)


class DerivedRepository:
    """Reads and writes profiles, leads, the catalogue and the queue of dirty accounts."""

    async def mark_dirty(
        self, connection: AsyncConnection, tenant_id: str, accounts: Collection[str]
    ) -> None:
        """Queues accounts to be derived, each once."""
        rows = [{"tenant_id": tenant_id, "account_id": account} for account in sorted(accounts)]
        key = ("tenant_id", "account_id")
        await bulk.upsert(connection, t.dirty_accounts, rows, key=key, guard="nothing")

    async def mark_all_dirty(self, connection: AsyncConnection, tenant_id: str) -> None:
        """Queues every account of the tenant."""
        await connection.execute(_SQL["mark_all_dirty"], {"tenant": tenant_id})

    async def mark_families_dirty(
        self, connection: AsyncConnection, tenant_id: str, families: Collection[str]
    ) -> None:
        """Queues the accounts with open leads on products of these families or of their children.

        Which leads a box fires does not follow from the catalogue: boxes without leads stay as they are.
        """
        parameters = {"tenant": tenant_id, "families": sorted(families)}
        await connection.execute(_SQL["mark_families_dirty"], parameters)

    async def dirty_count(self, connection: AsyncConnection, tenant_id: str) -> int:
        """How many accounts wait to be derived."""
        return int(await connection.scalar(_SQL["dirty_count"], {"tenant": tenant_id}) or 0)

    async def take_dirty(
        self, connection: AsyncConnection, tenant_id: str, limit: int, rows: int
    ) -> list[str]:
        """Takes up to `limit` accounts off the queue, and, beyond the first, up to `rows` rows.

        They are back if the transaction fails.
        """
        parameters = {"tenant": tenant_id, "limit": limit, "rows": rows}
        return sorted((await connection.execute(_SQL["take_dirty"], parameters)).scalars())

    async def profiles(
        self, connection: AsyncConnection, tenant_id: str, accounts: Sequence[str]
    ) -> dict[str, tuple[int, AccountProfile, str | None]]:
        """The last profile of each account, with its version and office."""
        p = t.profiles
        statement = select(p.c.account_id, p.c.version, p.c.profile, p.c.office_id).where(
            p.c.tenant_id == tenant_id, p.c.account_id.in_(accounts)
        )
        rows = await connection.execute(statement)
        return {
            row.account_id: (row.version, AccountProfile.model_validate(row.profile), row.office_id)
            for row in rows
        }

    async def save_profiles(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        profiles: Sequence[tuple[int, AccountProfile, str | None]],
    ) -> None:
        """Stores profiles with their versions and offices."""
        rows = [
            {
                "tenant_id": tenant_id,
                "account_id": profile.account_id,
                "version": version,
                "profile": profile.model_dump_json().encode(),
                "office_id": office_id,
            }
            for version, profile, office_id in profiles
        ]
        await bulk.upsert(connection, t.profiles, rows, key=("tenant_id", "account_id"))

    async def leads(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        accounts: Sequence[str],
        lead_ids: Sequence[str],
    ) -> dict[str, HeldLead]:
        """The leads last told of these accounts, and those with these lead ids."""
        table = t.leads
        columns = (table.c.lead_id, table.c.version, table.c.state, table.c.lead, table.c.office_id)
        statement = select(*columns).where(
            table.c.tenant_id == tenant_id,
            (table.c.account_id == _any_of(accounts)) | (table.c.lead_id == _any_of(lead_ids)),
        )
        rows = await connection.execute(statement)
        return {
            row.lead_id: HeldLead(
                row.version, row.state, LeadFacts.model_validate(row.lead), row.office_id
            )
            for row in rows
        }

    async def boxes_elsewhere(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        boxes: Collection[str],
        accounts: Sequence[str],
    ) -> set[str]:
        """Of these boxes those that are still there, but belong to none of these accounts."""
        if not boxes:
            return set()
        parameters = {"tenant": tenant_id, "boxes": sorted(boxes), "accounts": list(accounts)}
        return set((await connection.execute(_SQL["boxes_elsewhere"], parameters)).scalars())

    async def save_leads(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        leads: Sequence[tuple[int, LeadNews]],
        versions: Mapping[str, int],
        *,
        derived_by: str,
    ) -> None:
        """Stores what is told of leads, with its version, by which profiles and rules."""
        rows = [
            {
                "tenant_id": tenant_id,
                "lead_id": news.facts.lead_id,
                "account_id": news.facts.account_id,
                "box_id": news.facts.box_id,
                "state": "withdrawn" if news.withdrawn_because else "open",
                "version": version,
                "lead": news.facts.model_dump_json().encode(),
                "office_id": news.office_id,
                "account_version": versions.get(news.facts.account_id),
                "derived_by": derived_by,
            }
            for version, news in leads
        ]
        await bulk.upsert(connection, t.leads, rows, key=("tenant_id", "lead_id"))

    async def open_leads(self, connection: AsyncConnection, tenant_id: str) -> int:
        """How many leads are open."""
        return int(await connection.scalar(_SQL["open_leads"], {"tenant": tenant_id}) or 0)

    async def catalogue(
        self, connection: AsyncConnection, tenant_id: str
    ) -> dict[str, tuple[int, tuple[CatalogueEntry, ...]]]:
        """The catalogue as it was last published: family → (version, entries)."""
        c = t.catalogue
        statement = select(c.c.family, c.c.version, c.c.entries).where(c.c.tenant_id == tenant_id)
        rows = await connection.execute(statement)
        return {row.family: (row.version, _catalogue_entries(row.entries)) for row in rows}

    async def save_catalogue(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        families: Mapping[str, tuple[int, Sequence[CatalogueEntry]]],
    ) -> None:
        """Stores families with their versions."""
        rows = [
            {
                "tenant_id": tenant_id,
                "family": family,
                "version": version,
                "entries": [entry.model_dump(mode="json") for entry in entries],
            }
            for family, (version, entries) in sorted(families.items())
        ]
        await bulk.upsert(connection, t.catalogue, rows, key=("tenant_id", "family"))


def _any_of(values: Sequence[str]) -> Any:
    # One array, not a parameter for each: the driver takes 32,767 at most.
    return any_(literal(list(values), ARRAY(Text)))


def _catalogue_entries(stored: Sequence[Any]) -> tuple[CatalogueEntry, ...]:
    return tuple(CatalogueEntry.model_validate(entry) for entry in stored)
