"""Value: what the lead is worth by itself, against what is usual, and the size of the account."""

from collections.abc import Callable

from services.scoring.domain import explain
from services.scoring.domain.bands import above, at_least, possible
from services.scoring.domain.case import Case
from services.scoring.domain.tally import Tally
from shared.rules.model import Banded, Scoring, ValueFactor

_Part = tuple[float, Banded, Callable[..., str], tuple[object, ...]]
"""What is compared, the steps it is compared with, and the words for it."""


def value(case: Case, rules: Scoring, tally: Tally) -> None:
    """min(100, base + context + size) (rules.md §4)."""
    rule, items = rules.value, case.items
    tally.add(rule.base, None, explain.base)
    _context(tally, case, rule)
    tally.read("items", items)
    tally.add(above(rule.items_above, items), items, explain.items, items)


def _context(tally: Tally, case: Case, rule: ValueFactor) -> None:
    """context_max · points / possible points of the parts present, one line for each part."""
    parts = _parts(tally, case, rule)
    whole = sum(possible(steps) for _, steps, _, _ in parts)
    for given, steps, words, about in parts:
        points = rule.context_max * at_least(steps, given) / whole if whole else 0.0
        tally.add(points, given, words, *about)


def _parts(tally: Tally, case: Case, rule: ValueFactor) -> list[_Part]:
    highest, currency = case.estimated_value_max, case.currency
    tally.read("estimated_value_max", highest)
    parts: list[_Part] = [(float(highest), rule.absolute, explain.worth, (highest, currency))]
    for name, whose, average, steps in (
        ("average_closed_amount", "account's", case.average_closed_amount, rule.account_ratio),
        ("territory_average", "territory's", case.territory_average, rule.territory_ratio),
    ):
        if (known := tally.read(name, average)) is not None:
            ratio = float(highest / known)
            parts.append((ratio, steps, explain.ratio, (ratio, whose, known, currency)))
    return parts
