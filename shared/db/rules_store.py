"""Keeps each tenant's rules in a service's schema, and gives the defaults to those who have none."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import orjson
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db import bulk
from shared.events import RulesApplied
from shared.messaging.codec import Received
from shared.rules.influence import Anew, derived_by, made_anew
from shared.rules.load import default_rules, parse_rules, rules_version
from shared.rules.model import Rules


def tenant_rules_table(metadata: MetaData) -> Table:
    """The rules document of each tenant that has its own."""
    return Table(
        "tenant_rules",
        metadata,
        Column("tenant_id", Text, primary_key=True),
        Column("version", BigInteger, nullable=False),
        Column("rules_version", Text, nullable=False),
        Column("rules", JSONB, nullable=False),
    )


class RulesInForce:
    """A tenant's rules with the digest that names them."""

    def __init__(self, rules: Rules, version: str) -> None:
        self.rules = rules
        self.version = version

    @cached_property
    def derived_by(self) -> str:
        """The digest of what ingest derives by."""
        return derived_by(self.rules)


@dataclass(frozen=True)
class RulesChange:
    """The rules of a tenant before and after new ones came."""

    before: RulesInForce
    after: RulesInForce

    @property
    def anew(self) -> frozenset[Anew]:
        """What must be made anew; nothing when the content is the same."""
        return made_anew(self.before.rules, self.after.rules)


@lru_cache(maxsize=64)
def _parse(version: str, document: bytes) -> RulesInForce:
    return RulesInForce(parse_rules(orjson.loads(document)), version)


@lru_cache(maxsize=1)
def _defaults() -> RulesInForce:
    rules = default_rules()
    return RulesInForce(rules, rules_version(rules))


_LOCK = """
SELECT pg_advisory_xact_lock{kind}(hashtextextended(:schema || ' rules ' || tenant, 0))
FROM unnest(CAST(:tenants AS text[])) AS tenant
"""
_HOLD, _CHANGE = text(_LOCK.format(kind="_shared")), text(_LOCK.format(kind=""))


class RulesStore:
    """Reads and writes the `tenant_rules` table of one service."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def hold(
        self, connection: AsyncConnection, tenants: Collection[str], *, alone: bool = False
    ) -> None:
        """Keeps the tenants' rules as they are while this transaction judges by them.

        The first lock of a transaction: `save` waits for it, and whoever then judges anew what the
        tenants have finds all that was judged by the old rules. `alone` waits as `save` does, for a
        transaction that changes something else by which all the others judge.
        """
        parameters = {"schema": self._table.schema, "tenants": sorted(tenants)}
        await connection.execute(_CHANGE if alone else _HOLD, parameters)

    async def save(
        self, connection: AsyncConnection, messages: Sequence[Received]
    ) -> dict[str, RulesChange]:
        """Stores rules newer than those held. Returns the tenants for whom there were, sorted.

        Raises UserError for a document that is not valid, before anything is written.
        """
        rows: dict[str, dict[str, object]] = {}
        for message in sorted(messages, key=lambda each: each.envelope.version):
            if isinstance(message.event, RulesApplied):
                parse_rules(message.event.rules)
                rows[message.envelope.tenant_id] = {
                    "tenant_id": message.envelope.tenant_id,
                    "version": message.event.version,
                    "rules_version": message.event.rules_version,
                    "rules": message.event.rules,
                }
        await self.hold(connection, rows, alone=True)
        before = await self.in_force(connection, rows)
        written = await bulk.upsert(
            connection,
            self._table,
            list(rows.values()),
            key=("tenant_id",),
            guard="held.version < excluded.version",
            returning="tenant_id",
        )
        after = await self.in_force(connection, rows)
        tenants = sorted(row.tenant_id for row in written)
        return {tenant: RulesChange(before[tenant], after[tenant]) for tenant in tenants}

    async def in_force(
        self, connection: AsyncConnection, tenants: Collection[str]
    ) -> dict[str, RulesInForce]:
        """The rules of each tenant, the defaults for those without their own."""
        t = self._table
        statement = select(t.c.tenant_id, t.c.rules_version, t.c.rules).where(
            t.c.tenant_id.in_(tenants)
        )
        found = {tenant: _defaults() for tenant in tenants}
        for row in await connection.execute(statement):
            found[row.tenant_id] = _parse(row.rules_version, orjson.dumps(row.rules))
        return found
