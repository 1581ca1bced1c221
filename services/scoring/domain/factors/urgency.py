"""Urgency: how far the box is past its dates, and whether a competitor is likely to be asked."""

from math import exp

from services.scoring.domain import explain
from services.scoring.domain.case import Case
from services.scoring.domain.tally import Component, Tally
from shared.rules.model import Competitive, Saturating, Scoring


def urgency(case: Case, rules: Scoring) -> Component:
    """min(100, base + EOL + expiry + competitive) (rules.md §4)."""
    tally = Tally("urgency")
    tally.add(explain.BASE, rules.urgency.base)
    _date(tally, "end_of_life", "end of life", case.days_since_eol, rules.urgency.eol)
    _date(tally, "service_end", "end of support", case.days_since_expiry, rules.urgency.expiry)
    _competitive(tally, case, rules.urgency.competitive)
    return tally.close()


def saturating(rule: Saturating, days: int) -> float:
    """max · (1 − e^(−days/constant)) from the first day past the date, 0 before (rules.md §4)."""
    return rule.max_points * (1 - exp(-days / rule.time_constant_days)) if days > 0 else 0.0


def _date(tally: Tally, name: str, words: str, days: int | None, rule: Saturating) -> None:
    if tally.read(name, days) is not None and days is not None:
        tally.add(explain.age(words, days), saturating(rule, days), days)


def _competitive(tally: Tally, case: Case, rule: Competitive) -> None:
    """Brand, EOL window, generation gap; together at most the cap (rules.md §4)."""
    points: list[float] = []
    if brand := case.lead.competitor_brand:
        points.append(tally.add(explain.brand(brand), rule.brand_points, brand))
    points += _eol_window(tally, case.days_since_eol, rule)
    points += _generation_gap(tally, case, rule)
    tally.cap(rule.cap, points, explain.competitive_cap(rule.cap))


def _eol_window(tally: Tally, days: int | None, rule: Competitive) -> list[float]:
    if days is None:
        return []
    if 0 <= days <= rule.eol_window_after_days:
        reason = explain.window_after(rule.eol_window_after_days)
        return [tally.add(reason, rule.eol_window_after_points, days)]
    if -rule.eol_window_before_days <= days < 0:
        reason = explain.window_before(rule.eol_window_before_days)
        return [tally.add(reason, rule.eol_window_before_points, days)]
    return []


def _generation_gap(tally: Tally, case: Case, rule: Competitive) -> list[float]:
    """The gap to the latest generation; a generation is missing only where the family has them."""
    generation, latest = case.lead.generation, case.products.latest_generation
    if generation is None and not case.is_of_family(case.products.generation_families):
        return []
    if tally.read("generation", generation) is None or generation is None:
        return []
    if latest - generation < rule.generation_gap:
        return []
    reason = explain.generation_gap(generation, latest)
    return [tally.add(reason, rule.generation_gap_points, generation)]
