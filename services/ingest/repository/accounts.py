"""The directory of accounts, which record belongs to which account, and sums over closed projects."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest import tables as t
from services.ingest.domain.accounts.directory import AccountEntry, Directory, NameUse
from shared.db import bulk
from shared.db.queries import load_queries
from shared.rules.model import Rules

_SQL = load_queries(__file__)
_DECIDED = "accounts decided"
"""Accounts that are other than the base has them, because of people's decisions."""


@dataclass(frozen=True)
class StoredDirectory:
    """The base, the accounts in force by it and people's decisions, and how each entry is stored, so
    that only differences are written."""

    base: Directory
    accounts: Mapping[str, AccountEntry]
    stored: Mapping[tuple[str, str], bytes]


class AccountsRepository:
    """Reads and writes the directory, and links records to accounts."""

    async def load_directory(self, connection: AsyncConnection, tenant_id: str) -> StoredDirectory:
        """The whole directory of a tenant; an empty one for a new tenant."""
        d = t.directory
        statement = select(d.c.subject, d.c.name, d.c.entry).where(d.c.tenant_id == tenant_id)
        content: dict[str, Any] = {"accounts": {}, "names": {}, "territories": {}}
        candidates: list[Any] = []
        decided = {}
        stored = {}
        for row in await connection.execute(statement):
            stored[(row.subject, row.name)] = _canonical(row.entry)
            if row.subject == "naming":
                content["naming"] = row.entry
            elif row.subject == "candidate":
                candidates.append(row.entry)
            elif row.subject == _DECIDED:
                decided[row.name] = AccountEntry.model_validate(row.entry)
            else:
                content[row.subject][row.name] = row.entry
        base = Directory.model_validate({**content, "candidates": candidates})
        return StoredDirectory(base, {**base.accounts, **decided}, stored)

    async def save_directory(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        before: StoredDirectory,
        base: Directory,
        effective: Directory,
    ) -> None:
        """Writes the entries that differ, and which accounts are in which territory."""
        entries = dict([*_entries(base), *_decided_entries(base, effective)])
        changed = [
            {"tenant_id": tenant_id, "subject": subject, "name": name, "entry": entry}
            for (subject, name), entry in sorted(entries.items())
            if before.stored.get((subject, name)) != entry
        ]
        await bulk.upsert(connection, t.directory, changed, key=("tenant_id", "subject", "name"))
        gone = sorted(set(before.stored) - set(entries))
        subjects, names = [s for s, _ in gone], [n for _, n in gone]
        parameters = {"tenant": tenant_id, "subjects": subjects, "names": names}
        await connection.execute(_SQL["forget_entries"], parameters)
        await self._save_territories(connection, tenant_id, before.accounts, effective.accounts)

    async def _save_territories(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        before: Mapping[str, AccountEntry],
        after: Mapping[str, AccountEntry],
    ) -> None:
        old, new = _memberships(before), _memberships(after)
        gone = sorted(old - new)
        territories, accounts = [x for x, _ in gone], [a for _, a in gone]
        parameters = {"tenant": tenant_id, "territories": territories, "accounts": accounts}
        await connection.execute(_SQL["forget_memberships"], parameters)
        rows = [
            {"tenant_id": tenant_id, "territory_id": territory, "account_id": account}
            for territory, account in sorted(new - old)
        ]
        await bulk.upsert(
            connection,
            t.account_territories,
            rows,
            key=("tenant_id", "territory_id", "account_id"),
            guard="nothing",
        )

    async def name_uses(self, connection: AsyncConnection, tenant_id: str) -> list[NameUse]:
        """How every spelling is used now, aggregated by spelling and territory."""
        rows = await connection.execute(_SQL["name_uses"], {"tenant": tenant_id})
        return [NameUse.model_validate(dict(row)) for row in rows.mappings()]

    async def territories(self, connection: AsyncConnection, tenant_id: str) -> set[str]:
        """The territories that any record names."""
        places = await connection.execute(_SQL["places"], {"tenant": tenant_id})
        return {place.territory_id for place in places if place.territory_id}

    async def relink(
        self, connection: AsyncConnection, tenant_id: str, directory: Directory
    ) -> set[str]:
        """Gives every record the account the directory says. Returns those records left and joined."""
        places = (await connection.execute(_SQL["places"], {"tenant": tenant_id})).all()
        parameters = {
            "tenant": tenant_id,
            "names": [p.account_name for p in places],
            "territories": [p.territory_id for p in places],
            "accounts": [
                directory.account_of(p.account_name or None, p.territory_id or None) for p in places
            ],
        }
        moving = set((await connection.execute(_SQL["moving"], parameters)).scalars())
        await connection.execute(_SQL["relink"], parameters)
        return moving - {None}

    async def recount_closed(
        self, connection: AsyncConnection, tenant_id: str, rules: Rules
    ) -> None:
        """Judges by new rules which projects count in averages; `update_totals` adds them up."""
        statuses = [status.casefold() for status in rules.reading.closed_project_statuses]
        parameters = {"tenant": tenant_id, "closed": statuses, "currency": rules.currency}
        await connection.execute(_SQL["recount_closed"], parameters)

    async def update_totals(
        self, connection: AsyncConnection, tenant_id: str, accounts: Collection[str]
    ) -> set[str]:
        """Recomputes the closed sums of accounts. Returns all accounts whose territories changed."""
        parameters = {"tenant": tenant_id, "accounts": sorted(accounts)}
        changed = sorted((await connection.execute(_SQL["update_totals"], parameters)).scalars())
        neighbours = {"tenant": tenant_id, "accounts": changed}
        return set((await connection.execute(_SQL["neighbours"], neighbours)).scalars())

    async def territory_totals(
        self, connection: AsyncConnection, tenant_id: str, territories: Collection[str]
    ) -> dict[str, tuple[int, Decimal]]:
        """Closed projects by territory: how many and their sum, over all accounts in it."""
        parameters = {"tenant": tenant_id, "territories": sorted(territories)}
        rows = await connection.execute(_SQL["territory_totals"], parameters)
        return {r.territory_id: (int(r.closed_count), r.closed_sum) for r in rows}

    async def entries(
        self, connection: AsyncConnection, tenant_id: str, accounts: Sequence[str]
    ) -> dict[str, AccountEntry]:
        """Some accounts, as they are by people's decisions."""
        d = t.directory
        statement = (
            select(d.c.name, d.c.entry)
            .where(
                d.c.tenant_id == tenant_id,
                d.c.subject.in_(("accounts", _DECIDED)),
                d.c.name.in_(accounts),
            )
            .order_by(d.c.subject)  # what was decided comes last, and overrules
        )
        rows = await connection.execute(statement)
        return {row.name: AccountEntry.model_validate(row.entry) for row in rows}


def _canonical(entry: Any) -> bytes:
    return orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)


def _entries(directory: Directory) -> list[tuple[tuple[str, str], bytes]]:
    """Every entry under (subject, name), as it is stored."""
    content = directory.model_dump(mode="json")
    rows = [(("naming", ""), _canonical(content["naming"]))]
    for subject in ("accounts", "names", "territories"):
        rows += [((subject, name), _canonical(e)) for name, e in content[subject].items()]
    for item in content["candidates"]:
        rows.append((("candidate", f"{item['name']}|{item['founder']}"), _canonical(item)))
    return rows


def _decided_entries(
    base: Directory, effective: Directory
) -> Iterator[tuple[tuple[str, str], bytes]]:
    """The accounts that people's decisions make other than the base has them."""
    for account_id, entry in effective.accounts.items():
        if entry != base.accounts[account_id]:
            yield (_DECIDED, account_id), _canonical(entry.model_dump(mode="json"))


def _memberships(accounts: Mapping[str, AccountEntry]) -> set[tuple[str, str]]:
    return {
        (territory_id, entry.account_id)
        for entry in accounts.values()
        for territory_id in entry.territory_ids
    }
