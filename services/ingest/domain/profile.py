"""What an account looks like as of a day, from all its rows (rules.md §2, account profile)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.ingest.domain.accounts.directory import AccountEntry
from services.ingest.domain.records import Box, CustomerRecord, Opportunity, Project
from services.ingest.domain.segments import segment_of
from shared.events import AccountProfile, TerritoryAverage
from shared.rules.model import Rules


@dataclass(frozen=True)
class ClosedTotals:
    """Closed projects with an amount above 0, in the tenant's currency: how many, and the sum."""

    count: int = 0
    sum: Decimal = Decimal(0)

    @property
    def average(self) -> Decimal | None:
        """The mean amount, or None without a project."""
        return self.sum / self.count if self.count else None


@dataclass(frozen=True)
class AccountRows:
    """All rows of one account, each kind in the order they were read."""

    boxes: Sequence[Box] = ()
    opportunities: Sequence[Opportunity] = ()
    projects: Sequence[Project] = ()


def closed_totals(projects: Iterable[Project], rules: Rules) -> ClosedTotals:
    """The totals of these projects; a territory's are the sums over its accounts (rules.md §2)."""
    amounts = [
        each.amount or Decimal(0) for each in _closed(projects, rules) if _counts(each, rules)
    ]
    return ClosedTotals(len(amounts), sum(amounts, Decimal(0)))


def profile_of(
    entry: AccountEntry,
    rows: AccountRows,
    territory_totals: Mapping[str, ClosedTotals],
    rules: Rules,
    as_of: date,
) -> AccountProfile:
    """The profile of an account; money is in the tenant's currency (rules.md §2)."""
    closed = _closed(rows.projects, rules)
    won, lost, still_open = _stages(rows.opportunities, rules)
    items = sum(box.quantity for box in rows.boxes)
    spend = _spend(closed, rules, as_of)
    segment, mixed, strategy = segment_of(items, spend, rules.segments)
    everything = (*rows.boxes, *rows.opportunities, *rows.projects)
    return AccountProfile(
        account_id=entry.account_id,
        name=entry.name,
        territory_ids=entry.territory_ids,
        items=items,
        open_opportunities=still_open,
        won=won,
        lost=lost,
        win_rate=won / (won + lost) if won + lost else None,
        projects=len(rows.projects),
        closed_projects=len(closed),
        average_closed_amount=closed_totals(closed, rules).average,
        spend_365d=spend,
        last_project_date=max((p.updated for p in rows.projects if p.updated), default=None),
        recent_closed_amounts=_recent_amounts(closed, rules),
        segment=segment,
        segment_mixed=mixed,
        strategy=strategy,
        territory_averages=_territory_averages(entry, territory_totals),
        currency=rules.currency,
        owner=_commonest(everything, "owner"),
        industry=_commonest(everything, "industry"),
        company_size=_commonest(everything, "company_size"),
        country=_commonest(everything, "country"),
        merged_into=entry.merged_into,
    )


def _closed(projects: Iterable[Project], rules: Rules) -> list[Project]:
    statuses = {status.casefold() for status in rules.reading.closed_project_statuses}
    return [each for each in projects if each.status and each.status.casefold() in statuses]


def _counts(project: Project, rules: Rules) -> bool:
    """Whether the project has an amount above 0 in the tenant's currency."""
    return (project.amount or 0) > 0 and project.counts_in(rules.currency)


def _stages(opportunities: Iterable[Opportunity], rules: Rules) -> tuple[int, int, int]:
    """(won, lost, open); without a stage an opportunity is none of them."""
    won_stages = {stage.casefold() for stage in rules.reading.won_stages}
    lost_stages = {stage.casefold() for stage in rules.reading.lost_stages}
    stages = [each.stage.casefold() for each in opportunities if each.stage]
    won = sum(stage in won_stages for stage in stages)
    lost = sum(stage in lost_stages for stage in stages)
    return won, lost, len(stages) - won - lost


def _spend(closed: Iterable[Project], rules: Rules, as_of: date) -> Decimal:
    """Closed amounts updated within the window; an update after the day is 0 days old."""
    window = rules.segments.spend_window_days
    recent = (each for each in closed if each.updated and (as_of - each.updated).days <= window)
    amounts = (each.amount or Decimal(0) for each in recent if each.counts_in(rules.currency))
    return sum(amounts, Decimal(0))


def _recent_amounts(closed: Iterable[Project], rules: Rules) -> tuple[Decimal, ...]:
    """Amounts of the latest closed projects that have one above 0 and an updated date.

    Newest updated first, then newest start, then the later row.
    """
    dated = [
        (project.updated, project.start or date.min, position, project.amount)
        for position, project in enumerate(closed)
        if project.updated is not None and _counts(project, rules)
    ]
    latest = sorted(dated, reverse=True)[: rules.scoring.propensity.trend.latest]
    return tuple(amount for *_, amount in latest if amount)


def _territory_averages(
    entry: AccountEntry, totals: Mapping[str, ClosedTotals]
) -> tuple[TerritoryAverage, ...]:
    return tuple(
        TerritoryAverage(territory_id=territory, average_closed_amount=average)
        for territory in entry.territory_ids
        if (average := totals.get(territory, ClosedTotals()).average) is not None
    )


def _commonest(records: Iterable[CustomerRecord], field: str) -> str | None:
    """The value most rows have; of equally common ones the first read."""
    found = Counter(value for each in records if (value := getattr(each, field)) is not None)
    return next((value for value, _ in found.most_common(1)), None)
