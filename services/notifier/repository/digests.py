"""The SQL of digests: which were made, and what the open leads of a tenant come to."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier import tables as t
from services.notifier.domain.contents import DigestLine
from services.notifier.domain.digests import MOST_LINES, WEEKS_SHOWN, Kind, Line
from services.notifier.domain.digests import Row as Sums
from shared.db import bulk
from shared.events import Priority

NO_OFFICE = ""
"""Stands for leads of no office, where a key needs a text."""

Weeks = dict[tuple[str | None, str], tuple[Decimal, ...]]
"""Pipelines, oldest first, by (office, territory)."""

_OPEN = """
    SELECT l.lead_id, l.first_seen_at, l.alert->>'office_id' AS office_id,
           l.alert->>'territory' AS territory, l.alert->>'currency' AS currency,
           l.alert->>'title' AS title, l.alert->>'account' AS account,
           l.alert->>'priority' AS priority, (l.alert->>'score')::float8 AS score,
           (l.alert->>'value_max')::numeric AS value_max, l.alert->>'link' AS link,
           coalesce(s.touched_at, l.first_seen_at) AS touched_at, s.owner,
           l.first_seen_at > :since AS fresh,
           coalesce(s.touched_at, l.first_seen_at) <= :aged
             AND (l.aged_at IS NULL OR s.touched_at > l.aged_at)
             AND l.alert->>'priority' IN ('CRITICAL', 'HIGH') AS ageing
    FROM notifier.leads l
    LEFT JOIN notifier.standings s ON s.tenant_id = l.tenant_id AND s.lead_id = l.lead_id
    WHERE l.tenant_id = :tenant AND l.alert IS NOT NULL
      AND coalesce(s.state, 'new') NOT IN ('converted', 'won', 'lost', 'rejected')
      AND coalesce(s.snoozed_until, :now) <= :now
      AND coalesce(s.do_not_contact_until, :now) <= :now
"""
_SUMS = text(
    f"""
    SELECT office_id, territory, currency, count(*) AS leads,
           count(*) FILTER (WHERE fresh) AS fresh,
           count(*) FILTER (WHERE ageing) AS ageing,
           count(*) FILTER (WHERE priority = 'CRITICAL') AS critical, sum(value_max) AS pipeline
    FROM ({_OPEN}) AS o GROUP BY office_id, territory, currency
    ORDER BY office_id, territory, currency
    """
)
_LINES = text(
    f"""
    SELECT * FROM (
      SELECT o.*, row_number() OVER (PARTITION BY office_id ORDER BY score DESC, lead_id) AS place
      FROM ({_OPEN}) AS o
      WHERE CASE CAST(:kind AS text) WHEN 'daily' THEN fresh WHEN 'ageing' THEN ageing ELSE true END
    ) AS best
    WHERE place <= :most ORDER BY office_id, place
    """
)
_MARK_AGED = text(
    f"""
    UPDATE notifier.leads l SET aged_at = :now
    FROM ({_OPEN}) AS o
    WHERE l.tenant_id = :tenant AND l.lead_id = o.lead_id AND o.ageing
    """
)
_CLAIM = text(
    """
    UPDATE notifier.digests SET done_for = :period
    WHERE tenant_id = :tenant AND kind = :kind AND done_for < :period
    RETURNING kind
    """
)


class DigestsRepository:
    """Reads `leads` and `standings`, writes `digests`; every method runs in the caller's transaction."""

    async def done(self, connection: AsyncConnection) -> list[tuple[str, Kind, datetime]]:
        """For which moment each tenant's digests were last made; asked with the tick's role."""
        rows = await connection.execute(select(t.digests))
        return [(row.tenant_id, row.kind, row.done_for) for row in rows]

    async def claim(
        self, connection: AsyncConnection, tenant_id: str, kind: Kind, period: datetime
    ) -> bool:
        """Takes a digest to be made; False when somebody else has."""
        parameters = {"tenant": tenant_id, "kind": kind, "period": period}
        return (await connection.execute(_CLAIM, parameters)).first() is not None

    async def sums(
        self, connection: AsyncConnection, kind: Kind, parameters: dict[str, Any]
    ) -> list[Sums]:
        """The open leads by office, territory and currency."""
        rows = await connection.execute(_SUMS, parameters)
        return [_sums(row, kind) for row in rows]

    async def lines(
        self, connection: AsyncConnection, kind: Kind, parameters: dict[str, Any]
    ) -> list[Line]:
        """The best leads of each office that a digest of this kind names."""
        values = {**parameters, "kind": kind, "most": MOST_LINES}
        return [_line(row, kind, values["now"]) for row in await connection.execute(_LINES, values)]

    async def mark_aged(self, connection: AsyncConnection, parameters: dict[str, Any]) -> None:
        """Leads that are told as ageing are not told again before somebody has touched them."""
        await connection.execute(_MARK_AGED, parameters)

    async def keep_week(
        self, connection: AsyncConnection, tenant_id: str, week: date, sums: Iterable[Sums]
    ) -> None:
        """Stores this week's pipelines by office and territory."""
        pipelines: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in sums:
            pipelines[row.office_id or NO_OFFICE, row.territory or "no territory"] += row.pipeline
        rows = [
            {
                "tenant_id": tenant_id,
                "office_id": office,
                "territory": territory,
                "week": week,
                "pipeline": pipeline,
            }
            for (office, territory), pipeline in sorted(pipelines.items())
        ]
        key = ("tenant_id", "office_id", "territory", "week")
        await bulk.upsert(connection, t.territory_weeks, rows, key=key)

    async def weeks_before(self, connection: AsyncConnection, tenant_id: str, week: date) -> Weeks:
        """The pipelines of the weeks before, oldest first, by (office, territory)."""
        table = t.territory_weeks
        statement = (
            select(table)
            .where(
                table.c.tenant_id == tenant_id,
                table.c.week < week,
                table.c.week >= week - timedelta(weeks=WEEKS_SHOWN - 1),
            )
            .order_by(table.c.week)
        )
        found: dict[tuple[str | None, str], list[Decimal]] = defaultdict(list)
        for row in await connection.execute(statement):
            found[row.office_id or None, row.territory].append(row.pipeline)
        return {key: tuple(weeks) for key, weeks in found.items()}


def _sums(row: Row[Any], kind: Kind) -> Sums:
    return Sums(
        office_id=row.office_id,
        territory=row.territory,
        currency=row.currency,
        leads=row.ageing if kind == "ageing" else row.leads,
        fresh=row.fresh,
        critical=row.critical,
        pipeline=row.pipeline,
    )


def _line(row: Row[Any], kind: Kind, now: datetime) -> Line:
    waiting = f"untouched for {(now - row.touched_at).days} days" if kind == "ageing" else ""
    note = ", ".join(part for part in (waiting, row.owner or "") if part)
    line = DigestLine(
        lead_id=row.lead_id,
        title=row.title,
        account=row.account,
        territory=row.territory,
        priority=Priority(row.priority),
        score=row.score,
        value_max=row.value_max,
        link=row.link,
        note=note,
    )
    return Line(row.office_id, line)
