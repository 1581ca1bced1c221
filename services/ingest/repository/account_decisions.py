"""What people decided about accounts, and what they must see to decide: sizes, spellings, since when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import tables as t
from services.ingest.domain.accounts.decisions import Decision
from shared.db import bulk
from shared.db.queries import load_queries
from shared.ops.logs import get_logger

_SQL = load_queries(__file__)
_log = get_logger(__name__)
_KEY = ("tenant_id", "number")


@dataclass(frozen=True)
class AccountFacts:
    """The size of an account, and the domains and postal codes that its rows carry."""

    boxes: int
    leads: int
    domains: frozenset[str]
    postal_codes: frozenset[str]


@dataclass(frozen=True)
class Spelling:
    """A name as rows write it, how many do, and when the first of them came."""

    raw_name: str
    rows: int
    since: datetime


class AccountDecisionsRepository:
    """Reads and writes `account_decisions`, an append-only log."""

    async def add(self, connection: AsyncConnection, tenant_id: str, decision: Decision) -> None:
        """Appends a command; one that is known already changes nothing."""
        row = _row(tenant_id, decision)
        await bulk.upsert(connection, t.account_decisions, [row], key=_KEY, guard="nothing")

    async def save(
        self, connection: AsyncConnection, tenant_id: str, decisions: Sequence[Decision]
    ) -> None:
        """Notes what became of commands."""
        rows = [_row(tenant_id, each) for each in decisions]
        await bulk.upsert(connection, t.account_decisions, rows, key=_KEY)

    async def log(self, connection: AsyncConnection, tenant_id: str) -> list[Decision]:
        """Everything that was ever asked, in its order; what cannot be read has no effect."""
        d = t.account_decisions
        statement = select(d.c.number, d.c.decision).where(d.c.tenant_id == tenant_id)
        rows = await connection.execute(statement.order_by(d.c.number))
        read = (_decision(tenant_id, row) for row in rows)
        return [each for each in read if each is not None]

    async def facts_of(
        self, connection: AsyncConnection, tenant_id: str, accounts: Sequence[str]
    ) -> Mapping[str, AccountFacts]:
        """The sizes of accounts, by account id."""
        parameters = {"tenant": tenant_id, "accounts": sorted(accounts)}
        rows = await connection.execute(_SQL["account_facts"], parameters)
        return {
            row.account_id: AccountFacts(
                row.boxes, row.leads, frozenset(row.domains), frozenset(row.postal_codes)
            )
            for row in rows
        }

    async def spellings(
        self, connection: AsyncConnection, tenant_id: str, account_id: str
    ) -> list[Spelling]:
        """The names in the rows of an account, the commonest first."""
        parameters = {"tenant": tenant_id, "account": account_id}
        rows = await connection.execute(_SQL["spellings"], parameters)
        return [Spelling(row.spelling, row.rows, row.since) for row in rows]

    async def territories_since(
        self, connection: AsyncConnection, tenant_id: str, territories: Sequence[str]
    ) -> dict[str, datetime]:
        """When the first row of each territory came."""
        parameters = {"tenant": tenant_id, "territories": sorted(territories)}
        rows = await connection.execute(_SQL["territories_since"], parameters)
        return {row.territory_id: row.since for row in rows}


def _decision(tenant_id: str, row: Any) -> Decision | None:
    try:
        return Decision.model_validate(row.decision)
    except ValidationError as error:
        # One row of a log must not stop all that is decided by the others.
        _log.error("decision cannot be read", tenant=tenant_id, number=row.number, exc_info=error)
        return None


def _row(tenant_id: str, decision: Decision) -> dict[str, object]:
    return {
        "tenant_id": tenant_id,
        "number": decision.number,
        "command_id": decision.command_id,
        "state": decision.state.value,
        "decision": decision.model_dump_json().encode(),
    }
