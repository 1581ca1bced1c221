"""The inputs of a score that are no dates, and for each the values at which its points rise.

A variation is the case with one input changed. Variations come with the nearest value first.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import count
from math import floor
from types import MappingProxyType
from typing import NamedTuple

from services.scoring.domain.case import Case
from services.scoring.domain.factors.propensity import trend_ratio
from shared.events import JsonScalar, Segment
from shared.rules.model import Banded, Products, Scoring

_CENT = Decimal("0.01")
_MOST_MONEY = Decimal("1e15")
_LADDER = (Segment.TRANSACTIONAL, Segment.GROWTH, Segment.STRATEGIC_ENTERPRISE)


class Variation(NamedTuple):
    """A case that differs in one input, and the value of it."""

    needed: JsonScalar
    case: Case


Variations = Iterator[Variation]


class Input(NamedTuple):
    """An input: its name, the components it touches, its value now, and its variations.

    `rises`: a variation never scores lower than the one before it.
    """

    name: str
    touches: tuple[str, ...]
    now: Callable[[Case, Scoring], JsonScalar]
    variations: Callable[[Case, Scoring, Products], Variations]
    rises: bool = True


def _max_value(case: Case, rules: Scoring, _products: Products) -> Variations:
    """Higher sums: the absolute steps, and the steps of the ratios times their averages."""
    rule = rules.value
    sums = [Decimal(repr(step.at)) for step in _value_steps(rules).steps]
    if rules.profile == "default":
        for average, steps in (
            (case.average_closed_amount, rule.account_ratio),
            (case.territory_average, rule.territory_ratio),
        ):
            sums += [average * Decimal(repr(step.at)) for step in steps.steps if average]
    for amount in sorted(each for each in sums if case.estimated_value_max < each <= _MOST_MONEY):
        value = amount.quantize(_CENT, ROUND_CEILING)
        yield Variation(str(value), case.changed("estimated_value_max", value))


def _value_steps(rules: Scoring) -> Banded:
    return rules.classic.value_at if rules.profile == "classic" else rules.value.absolute


def _average(field: str, steps_of: Callable[[Scoring], Banded]) -> Callable[..., Variations]:
    """Lower averages, which make the same lead worth a higher multiple."""

    def variations(case: Case, rules: Scoring, _products: Products) -> Variations:
        now = getattr(case, field)
        for step in reversed(steps_of(rules).steps):
            if step.at * float(_MOST_MONEY) <= float(case.estimated_value_max):
                continue  # no average is that high, nor is any at a step of 0
            average = case.estimated_value_max / Decimal(repr(step.at))
            value = average.quantize(_CENT, ROUND_FLOOR)
            if value > 0 and (now is None or value < now):
                yield Variation(str(value), case.changed(field, value))

    return variations


def _count(field: str, steps_of: Callable[[Scoring], Banded]) -> Callable[..., Variations]:
    """Higher counts: the first above each step."""

    def variations(case: Case, rules: Scoring, _products: Products) -> Variations:
        for step in reversed(steps_of(rules).steps):
            above = floor(step.at) + 1
            if above > getattr(case, field):
                yield Variation(above, case.changed(field, above))

    return variations


def _won(case: Case, rules: Scoring, _products: Products) -> Variations:
    """More opportunities won, as many as each step of the win rate needs."""
    for step in reversed(rules.propensity.win_rate.steps):
        won = _won_for(step.at, case.lost)
        if won is not None and won > case.won:
            rate = won / (won + case.lost)
            yield Variation(won, case.changed("won", won).changed("win_rate", rate))


def _won_for(rate: float, lost: int) -> int | None:
    """The fewest won, and at least one, whose share reaches `rate`; None when no number does."""
    if rate > 1 or (rate == 1 and lost):
        return None
    nearly = floor(rate * lost / (1 - rate)) - 1 if lost else 1
    return next(won for won in count(max(1, nearly)) if won / (won + lost) >= rate)


def _trend(case: Case, rules: Scoring, _products: Products) -> Variations:
    """Higher ratios, with the newest projects as large as they need to be."""
    rule = rules.propensity.trend
    now = trend_ratio(case.recent_closed_amounts, rule)
    for step in reversed(rule.ratio.steps):
        if now is None or step.at > now:
            newest = (Decimal(repr(step.at)),) * rule.newest
            amounts = (*newest, *(Decimal(1),) * (rule.latest - rule.newest))
            yield Variation(step.at, case.changed("recent_closed_amounts", amounts))


def _segment(case: Case, _rules: Scoring, _products: Products) -> Variations:
    """The other size bands, the next one first; of two the larger."""
    place = _LADDER.index(case.segment) if case.segment in _LADDER else 0
    others = [(abs(index - place), -index, each) for index, each in enumerate(_LADDER)]
    for _, _, segment in sorted(others):
        if segment is not case.segment:
            yield Variation(segment.value, case.changed("segment", segment))


def _family(case: Case, rules: Scoring, _products: Products) -> Variations:
    """A family that is wanted; all give the same."""
    families = rules.strategic_fit.families
    if families and not case.is_of_family(families):
        yield Variation(families[0], case.changed("product_family", families[0]))


def _brand(case: Case, _rules: Scoring, products: Products) -> Variations:
    """A competitor's box; all brands give the same."""
    if not case.competitor_brand and products.competitor_brands:
        brand = products.competitor_brands[0]
        yield Variation(brand, case.changed("competitor_brand", brand))


def _generation(case: Case, rules: Scoring, _products: Products) -> Variations:
    """The latest generation that is far enough behind."""
    generation = case.latest_generation - rules.urgency.competitive.generation_gap
    if generation >= 1 and (case.generation is None or case.generation > generation):
        yield Variation(generation, case.changed("generation", generation))


def _now(field: str) -> Callable[[Case, Scoring], JsonScalar]:
    def now(case: Case, _rules: Scoring) -> JsonScalar:
        value = getattr(case, field)
        return str(round(value, 2)) if isinstance(value, Decimal) else value

    return now


def _segment_now(case: Case, _rules: Scoring) -> JsonScalar:
    return None if case.segment is Segment.UNKNOWN else case.segment.value


def _trend_now(case: Case, rules: Scoring) -> JsonScalar:
    return trend_ratio(case.recent_closed_amounts, rules.propensity.trend)


_VALUE, _PROPENSITY = ("value",), ("propensity",)
_URGENCY, _FIT = ("urgency",), ("strategic_fit",)
_MAX_VALUE = Input("estimated_value_max", _VALUE, _now("estimated_value_max"), _max_value)
_FAMILY = Input("product_family", _FIT, _now("product_family"), _family)


def _counted(field: str, touches: tuple[str, ...], steps: Callable[[Scoring], Banded]) -> Input:
    return Input(field, touches, _now(field), _count(field, steps))


def _averaged(field: str, steps: Callable[[Scoring], Banded]) -> Input:
    return Input(field, _VALUE, _now(field), _average(field, steps))


INPUTS: Mapping[str, tuple[Input, ...]] = MappingProxyType(
    {
        "default": (
            Input("generation", _URGENCY, _now("generation"), _generation),
            Input("competitor_brand", _URGENCY, _now("competitor_brand"), _brand),
            _MAX_VALUE,
            _averaged("average_closed_amount", lambda rules: rules.value.account_ratio),
            _averaged("territory_average", lambda rules: rules.value.territory_ratio),
            _counted("items", _VALUE, lambda rules: rules.value.items_above),
            _counted("open_opportunities", _PROPENSITY, lambda rules: rules.propensity.open_above),
            Input("won", _PROPENSITY, _now("won"), _won),
            Input("trend", _PROPENSITY, _trend_now, _trend),
            Input("segment", (*_PROPENSITY, *_FIT), _segment_now, _segment, rises=False),
            _FAMILY,
        ),
        "classic": (
            _MAX_VALUE,
            _counted("items", _VALUE, lambda rules: rules.classic.items_above),
            _counted("open_opportunities", _PROPENSITY, lambda rules: rules.classic.open_above),
            _counted(
                "closed_projects", _PROPENSITY, lambda rules: rules.classic.closed_projects_above
            ),
            _FAMILY,
        ),
    }
)
"""By profile, what can be varied beside the dates. A lead of another type is another lead."""
