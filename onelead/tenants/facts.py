"""What a person wants to know of tenants: their topics, what they have, when they last imported.

Read with the services' own roles, bound to the tenants that are told about.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import TextClause, text

from onelead.addresses import database_address, database_password
from onelead.broker import existing_topics, tenants_on
from onelead.opened_database import opened_database
from onelead.settings import EditionSettings
from onelead.tenants.own_topics import own_topics
from shared.db.engine import Database
from shared.db.migrate import SERVICES

_KNOWN = text("SELECT tenant_id FROM ingest.tenants")
_MARKS = text("SELECT tenant_id, erased_at, proved_at FROM ingest.erased_tenants")
_OF_INGEST = text(
    """
    SELECT t.tenant_id, t.as_of,
           (SELECT count(*) FROM ingest.profiles p WHERE p.tenant_id = t.tenant_id) AS accounts,
           (SELECT count(*) FROM ingest.records r WHERE r.tenant_id = t.tenant_id
               AND r.kind = 'install_base' AND NOT r.removed AND NOT r.outranked) AS boxes,
           (SELECT max(b.opened_at) FROM ingest.batches b
            WHERE b.tenant_id = t.tenant_id AND b.work = 'import') AS last_import
    FROM ingest.tenants t WHERE t.tenant_id = ANY(CAST(:tenants AS text[]))
    """
)
_LEADS = text(
    """
    SELECT tenant_id, count(*) AS open_leads FROM recommender.published
    WHERE tenant_id = ANY(CAST(:tenants AS text[])) AND event ->> 'state' = 'open' GROUP BY tenant_id
    """
)


@dataclass(frozen=True)
class TenantFacts:
    """A tenant in one line. `state`: active, without topics, being erased, or erased."""

    tenant: str
    state: str
    topics: tuple[str, ...]
    accounts: int = 0
    boxes: int = 0
    open_leads: int = 0
    open_dead_letters: int = 0
    as_of: date | None = None
    last_import: datetime | None = None
    erased_at: datetime | None = None


async def all_tenants(bootstrap: str, settings: EditionSettings) -> list[TenantFacts]:
    """Every tenant that has topics, rows, or was erased, by name."""
    async with _database(settings, "ingest", "_tick") as database, database.transaction() as c:
        known = set((await c.scalars(_KNOWN)).all())
        marks = {row.tenant_id: row for row in await c.execute(_MARKS)}
    there = await existing_topics(bootstrap)
    names = sorted(known | set(await tenants_on(bootstrap)) | marks.keys())
    numbers = await _numbers(settings, names) if names else {}
    return [_facts(name, there, marks.get(name), numbers.get(name, {})) for name in names]


async def _numbers(settings: EditionSettings, tenants: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What each tenant has, from every service that counts something."""
    found: dict[str, dict[str, Any]] = {tenant: {"open_dead_letters": 0} for tenant in tenants}
    for service in SERVICES:
        letters = text(
            f"SELECT tenant_id, count(*) AS open FROM {service}.dead_letters"
            " WHERE tenant_id = ANY(CAST(:tenants AS text[])) AND state = 'open' GROUP BY tenant_id"
        )
        async with _database(settings, service) as database, database.transaction(tenants) as c:
            for row in await c.execute(letters, {"tenants": tenants}):
                found[row.tenant_id]["open_dead_letters"] += row.open
            if (more := _MORE.get(service)) is not None:
                for row in await c.execute(more, {"tenants": tenants}):
                    tenant_id, numbers = row.tenant_id, row._asdict()
                    found[tenant_id] |= {k: v for k, v in numbers.items() if k != "tenant_id"}
    return found


_MORE: Mapping[str, TextClause] = {"ingest": _OF_INGEST, "recommender": _LEADS}


def _facts(name: str, there: set[str], mark: Any, numbers: Mapping[str, Any]) -> TenantFacts:
    topics = tuple(topic for topic in own_topics(name) if topic in there)
    assert numbers.keys() <= {field.name for field in fields(TenantFacts)}
    if mark is not None:
        state = "erased" if mark.proved_at is not None and not topics else "being erased"
        return TenantFacts(name, state, topics, erased_at=mark.erased_at)
    state = "active" if len(topics) == len(own_topics(name)) else "without topics"
    return TenantFacts(name, state, topics, **numbers)


def _database(
    settings: EditionSettings, service: str, suffix: str = ""
) -> AbstractAsyncContextManager[Database]:
    address, password = database_address(settings), database_password(settings)
    return opened_database(address, password, f"onelead_{service}{suffix}", "onelead tenants")
