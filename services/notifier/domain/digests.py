"""When a digest is due and what it says: reads the leads that are open, decides lines and sums
(rules.md §8)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from itertools import groupby
from typing import Literal

from services.notifier.domain.contents import Digest, DigestLine, TerritoryLine
from services.notifier.domain.delivery import Purpose

MOST_LINES = 10
WEEKS_SHOWN = 8
MONDAY = 0
Kind = Literal["daily", "weekly", "ageing"]
PURPOSES: dict[Kind, Purpose] = {
    "daily": Purpose.DAILY_DIGEST,
    "weekly": Purpose.WEEKLY_SUMMARY,
    "ageing": Purpose.AGEING,
}


@dataclass(frozen=True)
class DigestTimes:
    """When digests go out, in a time zone; `ageing_after_days` without a touch is worth an alert."""

    daily_at: time = time(7)
    weekly_at: time = time(7)
    weekly_on: int = MONDAY
    ageing_after_days: int = 30
    zone: tzinfo = UTC

    def latest(self, kind: Kind, now: datetime) -> datetime:
        """The last moment, up to now, at which a digest of this kind was due."""
        local = now.astimezone(self.zone)
        at = self.weekly_at if kind == "weekly" else self.daily_at
        day = local.date()
        if kind == "weekly":
            day -= timedelta(days=(day.weekday() - self.weekly_on) % 7)
        due = datetime.combine(day, at, self.zone)
        if due > local:
            due = datetime.combine(day - timedelta(days=_days(kind)), at, self.zone)
        return due.astimezone(UTC)


@dataclass(frozen=True)
class Row:
    """The open leads of one office in one territory; `fresh`: first heard of in the period."""

    office_id: str | None
    territory: str | None
    currency: str
    leads: int
    fresh: int
    critical: int
    pipeline: Decimal


@dataclass(frozen=True)
class Line:
    """A lead that may be named, with the office it belongs to."""

    office_id: str | None
    line: DigestLine


@dataclass(frozen=True)
class Frame:
    """What all digests of one run share."""

    kind: Kind
    tenant_id: str
    day: date
    link: str


def due(kind: Kind, times: DigestTimes, *, done: datetime, now: datetime) -> datetime | None:
    """The period's moment when a digest is due that was not made yet.

    `done`: the moment of the last one made, or, before the first, when the tenant appeared.
    """
    latest = times.latest(kind, now)
    return latest if latest > done else None


def digest_of(
    frame: Frame,
    rows: Sequence[Row],
    lines: Sequence[Line],
    trends: dict[str, tuple[float, ...]] | None = None,
) -> Digest | None:
    """One digest of the rows and lines that its reader may see; None when there is nothing to tell."""
    total = sum(r.fresh if frame.kind == "daily" else r.leads for r in rows)
    if not total or (frame.kind != "weekly" and not lines):
        return None
    currency = min((r.currency for r in rows), default="USD")
    return Digest(
        kind=frame.kind,
        tenant_id=frame.tenant_id,
        title=_title(frame, total),
        day=frame.day,
        total=total,
        critical=sum(r.critical for r in rows),
        pipeline=sum((r.pipeline for r in rows if r.currency == currency), Decimal(0)),
        currency=currency,
        lines=tuple(x.line for x in sorted(lines, key=_by_score)[:MOST_LINES]),
        territories=_territories(rows, trends or {}) if frame.kind == "weekly" else (),
        link=frame.link,
    )


def trend(history: Iterable[Decimal], now: Decimal) -> tuple[float, ...]:
    """The pipeline of the last weeks, oldest first, this one included."""
    return tuple(float(x) for x in (*history, now))[-WEEKS_SHOWN:]


def _title(frame: Frame, total: int) -> str:
    leads = "lead" if total == 1 else "leads"
    return {
        "daily": f"{total:,} new {leads}",
        "weekly": f"The week in your territories: {total:,} open {leads}",
        "ageing": f"{total:,} {leads} waiting for a first step",
    }[frame.kind]


def _territories(
    rows: Sequence[Row], trends: dict[str, tuple[float, ...]]
) -> tuple[TerritoryLine, ...]:
    found = []
    by_name = sorted(rows, key=_territory)
    for name, group in groupby(by_name, key=_territory):
        mine = list(group)
        pipeline = sum((r.pipeline for r in mine), Decimal(0))
        found.append(
            TerritoryLine(
                territory=name,
                leads=sum(r.leads for r in mine),
                critical=sum(r.critical for r in mine),
                pipeline=pipeline,
                trend=trends.get(name, (float(pipeline),)),
            )
        )
    return tuple(sorted(found, key=lambda t: (-t.pipeline, t.territory)))


def _territory(row: Row) -> str:
    return row.territory or "no territory"


def _by_score(item: Line) -> tuple[float, str]:
    return -item.line.score, item.line.lead_id


def _days(kind: Kind) -> int:
    return 7 if kind == "weekly" else 1
