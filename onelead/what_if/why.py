"""Says why a lead is judged otherwise by other rules: its facts, bands, and the lines of the ledger."""

from collections.abc import Iterator
from dataclasses import dataclass

from onelead.what_if.side import Judged
from shared.events import LeadFacts, LedgerLine, Score

COMPONENTS = ("urgency", "value", "propensity", "strategic_fit")
_FACTS = ("account_name", "risk", "product_family", "competitor_brand", "currency")
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class LineChange:
    """A line of the ledger that is new, gone (None) or gives other points."""

    reason: str
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class ComponentChange:
    """A component with other points, or another weight; `effect` is what that does to the score.

    The effects of all components sum to the change of the unrounded score.
    """

    component: str
    before: float
    after: float
    effect: float
    lines: tuple[LineChange, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """Facts that are other, in words, and components, the one with the greatest effect first."""

    facts: tuple[str, ...] = ()
    components: tuple[ComponentChange, ...] = ()


def why(before: Judged, after: Judged) -> Why:
    """What makes the difference between two judgements of one lead."""
    facts = (*_facts(before.lead, after.lead), *_band(before.score, after.score))
    return Why(facts, components_changed(before.score, after.score))


def components_changed(before: Score, after: Score) -> tuple[ComponentChange, ...]:
    """Components that count otherwise; the reason of a line is what tells it from others."""
    changes = (_component(name, before, after) for name in COMPONENTS)
    found = [each for each in changes if abs(each.effect) > _TINY or each.lines]
    return tuple(sorted(found, key=lambda each: -abs(each.effect)))


def _component(name: str, before: Score, after: Score) -> ComponentChange:
    old, new = getattr(before, name), getattr(after, name)
    effect = getattr(after.weights, name) * new - getattr(before.weights, name) * old
    lines = tuple(_lines(_of(name, before.ledger), _of(name, after.ledger)))
    return ComponentChange(name, old, new, effect, lines)


def _of(component: str, ledger: tuple[LedgerLine, ...]) -> dict[str, float]:
    points: dict[str, float] = {}
    for line in ledger:
        if line.component == component:
            points[line.reason] = points.get(line.reason, 0.0) + line.points
    return points


def _lines(before: dict[str, float], after: dict[str, float]) -> Iterator[LineChange]:
    """Lines that differ, but for those that gave nothing and are no more, or the other way round."""
    for reason in dict.fromkeys((*before, *after)):
        old, new = before.get(reason), after.get(reason)
        if abs((new or 0.0) - (old or 0.0)) > _TINY:
            yield LineChange(reason, old, new)


def _facts(before: LeadFacts, after: LeadFacts) -> Iterator[str]:
    """Facts in which the rules have a say; dates and names of the box are the same on both sides."""
    old, new = before.estimated_value_max, after.estimated_value_max
    if old != new:
        yield f"worth up to {old:,.0f} → {new:,.0f} {after.currency}"
    for name in _FACTS:
        was, becomes = getattr(before, name), getattr(after, name)
        if was != becomes:
            words = name.replace("_name", "").replace("_", " ")
            yield f"{words} {was or 'none'} → {becomes or 'none'}"


def _band(before: Score, after: Score) -> Iterator[str]:
    """The same points may be another priority."""
    if before.score == after.score and before.priority is not after.priority:
        yield f"{after.score:.1f} points are {after.priority.value} by the new bands"
