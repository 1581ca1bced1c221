"""A tenant's accounts as ingest holds them: read with ingest's role, bound to the tenant, never changed."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from onelead.service_database import service_connection
from onelead.settings import EditionSettings
from services.ingest.domain.accounts.decisions import Decision
from services.ingest.domain.accounts.directory import Directory
from services.ingest.domain.accounts.merges import overlay
from services.ingest.repository import AccountDecisionsRepository, AccountsRepository
from services.ingest.repository.account_decisions import AccountFacts, Spelling
from services.ingest.tables import tenant_rules
from shared.db.rules_store import RulesStore
from shared.errors import UserError
from shared.rules.model import Accounts


@dataclass(frozen=True)
class Registry:
    """The directory without and with what people decided, their decisions, and the rules in force."""

    tenant_id: str
    base: Directory
    accounts: Directory
    log: tuple[Decision, ...]
    rules: Accounts
    connection: AsyncConnection

    async def facts_of(self, accounts: Collection[str]) -> Mapping[str, AccountFacts]:
        """The sizes of accounts, by account id."""
        decisions = AccountDecisionsRepository()
        return await decisions.facts_of(self.connection, self.tenant_id, sorted(accounts))

    async def spellings(self, account_id: str) -> list[Spelling]:
        """The names in the rows of an account, the commonest first."""
        decisions = AccountDecisionsRepository()
        return await decisions.spellings(self.connection, self.tenant_id, account_id)

    async def territories_since(self, territories: Collection[str]) -> dict[str, datetime]:
        """When the first row of each territory came."""
        decisions = AccountDecisionsRepository()
        return await decisions.territories_since(
            self.connection, self.tenant_id, sorted(territories)
        )


@asynccontextmanager
async def registry_of(settings: EditionSettings, tenant_id: str) -> AsyncIterator[Registry]:
    """The accounts of a tenant, as of one moment. Raises UserError when it has none."""
    async with service_connection(settings, "ingest", tenant_id) as connection:
        yield await _read(connection, tenant_id)


async def _read(connection: AsyncConnection, tenant_id: str) -> Registry:
    base = (await AccountsRepository().load_directory(connection, tenant_id)).base
    if not base.accounts:
        raise UserError(
            f"tenant {tenant_id} has no accounts",
            hint="import its rows first; `onelead tenants list` shows the tenants",
        )
    log = await AccountDecisionsRepository().log(connection, tenant_id)
    in_force = await RulesStore(tenant_rules).in_force(connection, {tenant_id})
    rules = in_force[tenant_id].rules.accounts
    return Registry(tenant_id, base, overlay(base, log), tuple(log), rules, connection)
