"""The SQL of scoring. Locks and writes go in key order, so that two batches cannot deadlock."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring import tables as t
from services.scoring.domain.causes import Cause, Change, PastScore
from services.scoring.inputs import ScoreInputs, inputs_of
from shared.db import bulk
from shared.db.queries import load_queries
from shared.db.rules_store import RulesStore
from shared.events import AccountProfiled, LeadDetected, LeadScored, Priority
from shared.messaging.codec import Received

Key = tuple[str, str]
"""(tenant id, account id) or (tenant id, lead id)."""


_SQL = load_queries(__file__)


class ScoringRepository:
    """Reads and writes schema `scoring`; every method runs in the caller's transaction."""

    def __init__(self) -> None:
        self.rules = RulesStore(t.tenant_rules)

    async def lock_accounts(self, connection: AsyncConnection, accounts: Collection[Key]) -> None:
        """Makes sure that the accounts have a row, and locks them in key order."""
        wanted = sorted(accounts)
        rows = [{"tenant_id": tenant, "account_id": key, "version": 0} for tenant, key in wanted]
        await bulk.upsert(
            connection, t.accounts, rows, key=("tenant_id", "account_id"), guard="nothing"
        )
        key = tuple_(t.accounts.c.tenant_id, t.accounts.c.account_id)
        await connection.execute(
            select(t.accounts.c.account_id)
            .where(key.in_(wanted))
            .order_by(t.accounts.c.tenant_id, t.accounts.c.account_id)
            .with_for_update()
        )

    async def save_profiles(
        self, connection: AsyncConnection, messages: Mapping[Key, Received]
    ) -> list[Key]:
        """Stores profiles newer than those held. Returns the accounts that changed."""
        rows = []
        for (tenant_id, account_id), message in sorted(messages.items()):
            event = message.event
            assert isinstance(event, AccountProfiled)
            rows.append(
                {
                    "tenant_id": tenant_id,
                    "account_id": account_id,
                    "version": event.version,
                    "event_id": message.envelope.id,
                    "as_of": event.as_of,
                    "profile": event.profile.model_dump_json().encode(),
                }
            )
        written = await bulk.upsert(
            connection,
            t.accounts,
            rows,
            key=("tenant_id", "account_id"),
            guard="held.version < excluded.version",
            returning="tenant_id, account_id",
        )
        return [(row.tenant_id, row.account_id) for row in written]

    async def save_leads(
        self, connection: AsyncConnection, messages: Mapping[Key, Received]
    ) -> list[Key]:
        """Stores lead facts newer than those held. Returns the leads that changed."""
        rows = []
        for (tenant_id, lead_id), message in sorted(messages.items()):
            event = message.event
            assert isinstance(event, LeadDetected)
            rows.append(
                {
                    "tenant_id": tenant_id,
                    "lead_id": lead_id,
                    "account_id": event.lead.account_id,
                    "version": event.version,
                    "account_version": event.account_version,
                    "event_id": message.envelope.id,
                    "traceparent": message.envelope.traceparent,
                    "event": event.model_dump_json().encode(),
                }
            )
        written = await bulk.upsert(
            connection,
            t.leads,
            rows,
            key=("tenant_id", "lead_id"),
            guard="held.version < excluded.version",
            returning="tenant_id, lead_id",
        )
        return [(row.tenant_id, row.lead_id) for row in written]

    async def leads_of_accounts(
        self, connection: AsyncConnection, accounts: Collection[Key]
    ) -> list[Key]:
        """All leads, withdrawn ones included, of these accounts."""
        account = tuple_(t.leads.c.tenant_id, t.leads.c.account_id)
        statement = select(t.leads.c.tenant_id, t.leads.c.lead_id).where(
            account.in_(sorted(accounts))
        )
        return [(row.tenant_id, row.lead_id) for row in await connection.execute(statement)]

    async def inputs(
        self, connection: AsyncConnection, leads: Collection[Key]
    ) -> list[ScoreInputs]:
        """The inputs of those leads whose account's profile is there and new enough, in key order."""
        wanted = sorted(set(leads))
        parameters = {"tenants": [w[0] for w in wanted], "leads": [w[1] for w in wanted]}
        await connection.execute(_SQL["lock_leads"], parameters)
        result = await connection.execute(_SQL["inputs"], parameters)
        return [inputs_of(row) for row in result.mappings()]

    async def save_scores(
        self, connection: AsyncConnection, scored: Sequence[tuple[ScoreInputs, LeadScored, Cause]]
    ) -> None:
        """Stores what is emitted as the latest of its lead, and in the history with inputs and cause."""
        latest, history = [], []
        for inputs, event, cause in scored:
            row = {
                "tenant_id": inputs.tenant_id,
                "lead_id": event.lead.lead_id,
                "version": event.version,
                "event": event.model_dump_json().encode(),
            }
            latest.append(row)
            history.append(
                {
                    **row,
                    "lead_version": inputs.lead.version,
                    "account_version": inputs.account_version,
                    "rules_version": event.score.rules_version,
                    "as_of": event.score.as_of,
                    "cause": cause.kind,
                    "changes": [change.as_json() for change in cause.changes],
                }
            )
        await bulk.upsert(
            connection,
            t.emitted,
            latest,
            key=("tenant_id", "lead_id"),
            guard="held.version < excluded.version",
        )
        await bulk.insert(connection, t.score_history, history)

    async def history(
        self, connection: AsyncConnection, tenant_id: str, lead_id: str
    ) -> list[PastScore]:
        """Every score that was emitted of a lead, the oldest first, each with its cause."""
        parameters = {"tenant": tenant_id, "lead": lead_id}
        rows = await connection.execute(_SQL["history"], parameters)
        return [_past_score(row) for row in rows.mappings()]

    async def accounts_of_leads(
        self, connection: AsyncConnection, leads: Collection[Key]
    ) -> list[Key]:
        """The accounts that these leads belong to."""
        lead = tuple_(t.leads.c.tenant_id, t.leads.c.lead_id)
        statement = (
            select(t.leads.c.tenant_id, t.leads.c.account_id)
            .where(lead.in_(sorted(leads)))
            .distinct()
        )
        return [(row.tenant_id, row.account_id) for row in await connection.execute(statement)]

    async def move_day(
        self, connection: AsyncConnection, days: Mapping[str, tuple[date, int]]
    ) -> list[str]:
        """Sets tenants' days from (day, event version). Returns the tenants whose day changed."""
        rows = [
            {"tenant_id": tenant, "version": version, "as_of": day}
            for tenant, (day, version) in sorted(days.items())
        ]
        written = await bulk.upsert(
            connection,
            t.tenants,
            rows,
            key=("tenant_id",),
            guard="held.version < excluded.version",
            returning="tenant_id",
        )
        return [row.tenant_id for row in written]

    async def waiting_leads(self, connection: AsyncConnection) -> int:
        """Leads whose profile is not there yet; asked with the metrics' role."""
        return int(await connection.scalar(_SQL["waiting_leads"]) or 0)


def _past_score(row: Mapping[Any, Any]) -> PastScore:
    changes = tuple(Change.of_json(each) for each in row["changes"])
    return PastScore(
        version=row["version"],
        scored_at=row["scored_at"],
        as_of=row["as_of"],
        rules_version=row["rules_version"],
        score=float(row["score"]),
        priority=Priority(row["priority"]),
        state=row["state"],
        cause=Cause(row["cause"], changes),
    )
