"""Storm control: which alerts wait beyond a target's limits, and when they are told in one digest
(rules.md §8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from services.notifier.domain.contents import Digest, DigestLine
from services.notifier.domain.message import Alert
from services.notifier.domain.plan import Limits
from shared.events import Priority

CALM = timedelta(seconds=60)
"""A digest goes out when no new overflow has come for so long …"""

PATIENCE = timedelta(minutes=5)
"""… or when the first of it has waited so long."""

MOST_LINES = 20


@dataclass(frozen=True)
class Waiting:
    """An alert that waits for one target; `of_account` counts those begun for its account in a day."""

    lead_id: str
    episode: int
    account_id: str
    score: float
    created_at: datetime
    of_account: int


def single_alerts_left(limits: Limits, begun_in_hour: int) -> int | None:
    """How many alerts may still go out by themselves this hour; None without a limit."""
    if limits.alerts_per_hour is None:
        return None
    return max(0, limits.alerts_per_hour - begun_in_hour)


def overflow(waiting: Sequence[Waiting], limits: Limits, begun_in_hour: int) -> list[Waiting]:
    """The alerts beyond the limits, when the best by score go first."""
    left = single_alerts_left(limits, begun_in_hour)
    of_account: dict[str, int] = {}
    beyond: list[Waiting] = []
    for item in sorted(waiting, key=lambda each: (-each.score, each.lead_id)):
        begun = of_account.setdefault(item.account_id, item.of_account)
        per_account = limits.alerts_per_account_and_day
        if (left is not None and left <= 0) or (per_account is not None and begun >= per_account):
            beyond.append(item)
            continue
        of_account[item.account_id] = begun + 1
        left = None if left is None else left - 1
    return beyond


def is_time(beyond: Sequence[Waiting], now: datetime) -> bool:
    """Whether what overflowed is told now: the storm is over, or it has waited long enough."""
    if not beyond:
        return False
    created = [item.created_at for item in beyond]
    return now - max(created) >= CALM or now - min(created) >= PATIENCE


def digest_of(alerts: Sequence[Alert], tenant_id: str, day: date) -> Digest:
    """One message instead of many; of several currencies the first in the alphabet is summed."""
    best = sorted(alerts, key=lambda alert: (-alert.score, alert.lead_id))
    currency = min(alert.currency for alert in alerts)
    pipeline = sum((a.value_max for a in alerts if a.currency == currency), Decimal(0))
    return Digest(
        kind="storm",
        tenant_id=tenant_id,
        title=f"{len(alerts):,} more leads turned CRITICAL",
        day=day,
        total=len(alerts),
        critical=sum(1 for alert in alerts if alert.priority is Priority.CRITICAL),
        pipeline=pipeline,
        currency=currency,
        lines=tuple(map(DigestLine.of, best[:MOST_LINES])),
        link=best[0].link.rpartition("/leads/")[0],
    )
