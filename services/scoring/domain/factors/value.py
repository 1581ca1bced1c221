"""Value: what the lead is worth by itself, against what is usual, and the size of the account."""

from decimal import Decimal

from services.scoring.domain import explain
from services.scoring.domain.bands import above, at_least, possible
from services.scoring.domain.case import Case
from services.scoring.domain.tally import Component, Tally
from shared.rules.model import Banded, Scoring, ValueFactor


def value(case: Case, rules: Scoring) -> Component:
    """min(100, base + context + size) (rules.md §4)."""
    rule, items = rules.value, case.profile.items
    tally = Tally("value")
    tally.add(explain.BASE, rule.base)
    _context(tally, case, rule)
    tally.read("items", items)
    tally.add(explain.items(items), above(rule.items_above, items), items)
    return tally.close()


def _context(tally: Tally, case: Case, rule: ValueFactor) -> None:
    """context_max · points / possible points of the parts present, one line for each part."""
    highest, currency = case.lead.estimated_value_max, case.lead.currency
    tally.read("estimated_value_max", highest)
    parts = [(explain.worth(highest, currency), float(highest), rule.absolute)]
    for name, whose, average, steps in _averages(case, rule):
        if (known := tally.read(name, average)) is not None:
            ratio = float(highest / known)
            parts.append((explain.ratio(ratio, whose, known, currency), ratio, steps))
    whole = sum(possible(steps) for _, _, steps in parts)
    for reason, given, steps in parts:
        points = rule.context_max * at_least(steps, given) / whole if whole else 0.0
        tally.add(reason, points, given)


def _averages(case: Case, rule: ValueFactor) -> tuple[tuple[str, str, Decimal | None, Banded], ...]:
    """The averages to compare with; one in another currency, or not above 0, is missing."""
    profile = case.profile
    account = profile.average_closed_amount
    territory = profile.territory_average(case.lead.territory_id)
    if profile.currency != case.lead.currency:
        account = territory = None
    return (
        ("average_closed_amount", "account's", _positive(account), rule.account_ratio),
        ("territory_average", "territory's", _positive(territory), rule.territory_ratio),
    )


def _positive(average: Decimal | None) -> Decimal | None:
    return average if average is not None and average > 0 else None
