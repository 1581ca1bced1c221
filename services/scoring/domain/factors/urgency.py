"""Urgency: how far the box is past its dates, and whether a competitor is likely to be asked."""

from math import exp

from services.scoring.domain import explain
from services.scoring.domain.case import Case
from services.scoring.domain.tally import Tally
from shared.rules.model import Competitive, Saturating, Scoring


def urgency(case: Case, rules: Scoring, tally: Tally) -> None:
    """min(100, base + EOL + expiry + competitive) (rules.md §4)."""
    rule = rules.urgency
    tally.add(rule.base, None, explain.base)
    _date(tally, "end_of_life", "end of life", case.days_since_eol, rule.eol)
    _date(tally, "service_end", "end of support", case.days_since_expiry, rule.expiry)
    _competitive(tally, case, rule.competitive)


def urgency_jumps(rules: Scoring) -> dict[str, tuple[int, ...]]:
    """The ages at which urgency jumps; between them it never falls with age."""
    window = rules.urgency.competitive
    edges = (-window.eol_window_before_days, 0, window.eol_window_after_days + 1)
    return {"days_since_eol": edges, "days_since_expiry": ()}


def saturating(rule: Saturating, days: int) -> float:
    """max · (1 − e^(−days/constant)) from the first day past the date, 0 before (rules.md §4)."""
    return rule.max_points * (1 - exp(-days / rule.time_constant_days)) if days > 0 else 0.0


def _date(tally: Tally, name: str, event: str, days: int | None, rule: Saturating) -> None:
    if tally.read(name, days) is not None and days is not None:
        tally.add(saturating(rule, days), days, explain.age, event, days)


def _competitive(tally: Tally, case: Case, rule: Competitive) -> None:
    """Brand, EOL window, generation gap; together at most the cap (rules.md §4)."""
    points: list[float] = []
    if brand := case.competitor_brand:
        points.append(tally.add(rule.brand_points, brand, explain.brand, brand))
    points += _eol_window(tally, case.days_since_eol, rule)
    points += _generation_gap(tally, case, rule)
    tally.cap(rule.cap, points, explain.competitive_cap)


def _eol_window(tally: Tally, days: int | None, rule: Competitive) -> list[float]:
    if days is None:
        return []
    after, before = rule.eol_window_after_days, rule.eol_window_before_days
    if 0 <= days <= after:
        return [tally.add(rule.eol_window_after_points, days, explain.window_after, after)]
    if -before <= days < 0:
        return [tally.add(rule.eol_window_before_points, days, explain.window_before, before)]
    return []


def _generation_gap(tally: Tally, case: Case, rule: Competitive) -> list[float]:
    """The gap to the latest generation; a generation is missing only where the family has them."""
    generation, latest = case.generation, case.latest_generation
    if generation is None and not case.is_of_family(case.generation_families):
        return []
    if tally.read("generation", generation) is None or generation is None:
        return []
    if latest - generation < rule.generation_gap:
        return []
    words = explain.generation_gap
    return [tally.add(rule.generation_gap_points, generation, words, generation, latest)]
