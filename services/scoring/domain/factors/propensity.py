"""Propensity: how likely the account is to buy, from what it is talking about and has bought."""

from decimal import Decimal
from functools import lru_cache
from math import floor

from services.scoring.domain import explain
from services.scoring.domain.bands import above, at_least, within
from services.scoring.domain.case import Case
from services.scoring.domain.tally import Tally
from shared.events import Segment
from shared.rules.model import Propensity, Scoring, Trend


def propensity(case: Case, rules: Scoring, tally: Tally) -> None:
    """max(0, min(100, base + open + win rate + last project + trend + segment)) (rules.md §4)."""
    rule = rules.propensity
    tally.add(rule.base, None, explain.base)
    _opportunities(tally, case, rule)
    _last_project(tally, case, rule)
    _trend(tally, case, rule.trend)
    add_segment(tally, case.segment, rule.segment_points)


def propensity_jumps(rules: Scoring) -> dict[str, tuple[int, ...]]:
    """The ages at which propensity jumps; between them it stays."""
    steps = rules.propensity.last_project_within_days
    return {"days_since_project": tuple(floor(step.at) + 1 for step in steps)}


def add_segment(tally: Tally, segment: Segment, points: dict[str, float]) -> None:
    """The points of the account's segment; a segment nobody knows is a missing input."""
    known = None if segment is Segment.UNKNOWN else segment.value
    if tally.read("segment", known) is not None and known in points:
        tally.add(points[known], known, explain.segment, known)


def _opportunities(tally: Tally, case: Case, rule: Propensity) -> None:
    count = case.open_opportunities
    tally.read("open_opportunities", count)
    tally.add(above(rule.open_above, count), count, explain.open_opportunities, count)
    if (rate := tally.read("win_rate", case.win_rate)) is not None:
        points = at_least(rule.win_rate, rate)
        tally.add(points, rate, explain.win_rate, case.won, case.lost)


def _last_project(tally: Tally, case: Case, rule: Propensity) -> None:
    """Days since the last project; one after the day counts as today (rules.md §2)."""
    if (age := tally.read("last_project_date", case.days_since_project)) is not None:
        days = max(0, age)
        points = within(rule.last_project_within_days, days)
        tally.add(points, days, explain.last_project, days)


def trend_ratio(amounts: tuple[Decimal, ...], rule: Trend) -> float | None:
    """The mean of the newest closed projects over that of the rest; None without enough of them."""
    return _trend_ratio(amounts[: rule.latest], rule.newest, rule.min_needed)


@lru_cache(maxsize=4_096)
def _trend_ratio(amounts: tuple[Decimal, ...], newest: int, needed: int) -> float | None:
    """Remembered, for it is the same for all leads of an account on all days."""
    latest, rest = amounts[:newest], amounts[newest:]
    if len(amounts) < needed or sum(rest) <= 0:
        return None
    return float(sum(latest) * len(rest) / (sum(rest) * len(latest)))


def _trend(tally: Tally, case: Case, rule: Trend) -> None:
    """The points of the trend (rules.md §4)."""
    amounts = case.recent_closed_amounts
    ratio = trend_ratio(amounts, rule)
    if tally.read("recent_closed_amounts", ratio) is not None and ratio is not None:
        rest = min(len(amounts), rule.latest) - rule.newest
        points = at_least(rule.ratio, ratio)
        tally.add(points, ratio, explain.trend, ratio, rule.newest, rest)
