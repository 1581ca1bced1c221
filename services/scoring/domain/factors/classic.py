"""The profile `classic`: the stepped components of the first OneLead, for comparison."""

from math import floor

from services.scoring.domain import explain
from services.scoring.domain.bands import above, at_least
from services.scoring.domain.case import Case
from services.scoring.domain.factors.strategic_fit import add_box_and_play
from services.scoring.domain.tally import Tally
from shared.rules.model import Banded, Scoring


def classic_urgency(case: Case, rules: Scoring, tally: Tally) -> None:
    """Base and the steps past end of life and end of support (rules.md §4)."""
    rule = rules.classic
    tally.add(rule.urgency_base, None, explain.base)
    _date(tally, "end_of_life", "end of life", case.days_since_eol, rule.eol_above)
    _date(tally, "service_end", "end of support", case.days_since_expiry, rule.expiry_above)


def classic_urgency_jumps(rules: Scoring) -> dict[str, tuple[int, ...]]:
    """The ages at which classic urgency jumps; between them it stays."""
    rule = rules.classic
    return {
        "days_since_eol": _first_days(rule.eol_above),
        "days_since_expiry": _first_days(rule.expiry_above),
    }


def classic_value(case: Case, rules: Scoring, tally: Tally) -> None:
    """Base, the lead's highest value in steps, the size of the account (rules.md §4)."""
    rule, items, amount = rules.classic, case.items, case.estimated_value_max
    tally.add(rule.value_base, None, explain.base)
    highest = float(amount)
    tally.read("estimated_value_max", highest)
    points = at_least(rule.value_at, highest)
    tally.add(points, highest, explain.worth, amount, case.currency)
    tally.read("items", items)
    tally.add(above(rule.items_above, items), items, explain.items, items)


def classic_propensity(case: Case, rules: Scoring, tally: Tally) -> None:
    """Base, open opportunities, closed projects (rules.md §4)."""
    rule, opened, closed = rules.classic, case.open_opportunities, case.closed_projects
    tally.add(rule.propensity_base, None, explain.base)
    tally.read("open_opportunities", opened)
    tally.add(above(rule.open_above, opened), opened, explain.open_opportunities, opened)
    tally.read("closed_projects", closed)
    points = above(rule.closed_projects_above, closed)
    tally.add(points, closed, explain.closed_projects, closed)


def classic_strategic_fit(case: Case, rules: Scoring, tally: Tally) -> None:
    """The default fit without segments (rules.md §4)."""
    add_box_and_play(tally, case, rules.strategic_fit)


def _date(tally: Tally, name: str, event: str, days: int | None, steps: Banded) -> None:
    if tally.read(name, days) is not None and days is not None:
        tally.add(above(steps, days), days, explain.age, event, days)


def _first_days(steps: Banded) -> tuple[int, ...]:
    return tuple(floor(step.at) + 1 for step in steps.steps)
