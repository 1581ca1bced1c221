"""The profile `classic`: the stepped components of the first OneLead, for comparison."""

from services.scoring.domain import explain
from services.scoring.domain.bands import above, at_least
from services.scoring.domain.case import Case
from services.scoring.domain.factors.strategic_fit import add_box_and_play
from services.scoring.domain.tally import Component, Tally
from shared.rules.model import Banded, Scoring


def classic_urgency(case: Case, rules: Scoring) -> Component:
    """Base and the steps past end of life and end of support (rules.md §4)."""
    tally = Tally("urgency")
    tally.add(explain.BASE, rules.classic.urgency_base)
    eol, expiry = case.days_since_eol, case.days_since_expiry
    _date(tally, "end_of_life", "end of life", eol, rules.classic.eol_above)
    _date(tally, "service_end", "end of support", expiry, rules.classic.expiry_above)
    return tally.close()


def classic_value(case: Case, rules: Scoring) -> Component:
    """Base, the lead's highest value in steps, the size of the account (rules.md §4)."""
    rule, lead, items = rules.classic, case.lead, case.profile.items
    tally = Tally("value")
    tally.add(explain.BASE, rule.value_base)
    highest = float(lead.estimated_value_max)
    tally.read("estimated_value_max", highest)
    reason = explain.worth(lead.estimated_value_max, lead.currency)
    tally.add(reason, at_least(rule.value_at, highest), highest)
    tally.read("items", items)
    tally.add(explain.items(items), above(rule.items_above, items), items)
    return tally.close()


def classic_propensity(case: Case, rules: Scoring) -> Component:
    """Base, open opportunities, closed projects (rules.md §4)."""
    rule, profile = rules.classic, case.profile
    opened, closed = profile.open_opportunities, profile.closed_projects
    tally = Tally("propensity")
    tally.add(explain.BASE, rule.propensity_base)
    tally.read("open_opportunities", opened)
    tally.add(explain.open_opportunities(opened), above(rule.open_above, opened), opened)
    tally.read("closed_projects", closed)
    tally.add(explain.closed_projects(closed), above(rule.closed_projects_above, closed), closed)
    return tally.close()


def classic_strategic_fit(case: Case, rules: Scoring) -> Component:
    """The default fit without segments (rules.md §4)."""
    tally = Tally("strategic_fit")
    add_box_and_play(tally, case, rules.strategic_fit)
    return tally.close()


def _date(tally: Tally, name: str, words: str, days: int | None, steps: Banded) -> None:
    if tally.read(name, days) is not None and days is not None:
        tally.add(explain.age(words, days), above(steps, days), days)
