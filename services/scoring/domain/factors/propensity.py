"""Propensity: how likely the account is to buy, from what it is talking about and has bought."""

from services.scoring.domain import explain
from services.scoring.domain.bands import above, at_least, within
from services.scoring.domain.case import Case
from services.scoring.domain.tally import Component, Tally
from shared.events import Segment
from shared.rules.model import Propensity, Scoring, Trend


def propensity(case: Case, rules: Scoring) -> Component:
    """max(0, min(100, base + open + win rate + last project + trend + segment)) (rules.md §4)."""
    rule = rules.propensity
    tally = Tally("propensity")
    tally.add(explain.BASE, rule.base)
    _opportunities(tally, case, rule)
    _last_project(tally, case, rule)
    _trend(tally, case, rule.trend)
    add_segment(tally, case.profile.segment, rule.segment_points)
    return tally.close()


def add_segment(tally: Tally, segment: Segment, points: dict[str, float]) -> None:
    """The points of the account's segment; a segment nobody knows is a missing input."""
    known = None if segment is Segment.UNKNOWN else segment.value
    if tally.read("segment", known) is not None and known in points:
        tally.add(explain.segment(known), points[known], known)


def _opportunities(tally: Tally, case: Case, rule: Propensity) -> None:
    profile = case.profile
    count = profile.open_opportunities
    tally.read("open_opportunities", count)
    tally.add(explain.open_opportunities(count), above(rule.open_above, count), count)
    if (rate := tally.read("win_rate", profile.win_rate)) is not None:
        reason = explain.win_rate(profile.won, profile.lost)
        tally.add(reason, at_least(rule.win_rate, rate), rate)


def _last_project(tally: Tally, case: Case, rule: Propensity) -> None:
    """Days since the last project; one after the day counts as today (rules.md §2)."""
    if (last := tally.read("last_project_date", case.profile.last_project_date)) is not None:
        days = max(0, (case.as_of - last).days)
        points = within(rule.last_project_within_days, days)
        tally.add(explain.last_project(days), points, days)


def _trend(tally: Tally, case: Case, rule: Trend) -> None:
    """The mean of the newest closed projects against the mean of the rest (rules.md §4)."""
    amounts = case.profile.recent_closed_amounts[: rule.latest]
    newest, rest = amounts[: rule.newest], amounts[rule.newest :]
    enough = len(amounts) >= rule.min_needed and sum(rest) > 0
    if tally.read("recent_closed_amounts", enough or None) is None:
        return
    ratio = float(sum(newest) * len(rest) / (sum(rest) * len(newest)))
    tally.add(explain.trend(ratio, len(newest), len(rest)), at_least(rule.ratio, ratio), ratio)
