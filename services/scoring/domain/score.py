"""Judges a lead: components, their weighted sum, the rounding, the priority; with the ledger."""

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from math import fsum

from services.scoring.domain import explain
from services.scoring.domain.case import Case
from services.scoring.domain.factors import PROFILES, Known
from services.scoring.domain.tally import Component
from shared.events import AccountProfile, LeadFacts, LedgerLine, Priority, Score, Weights
from shared.rules.model import PriorityBands, Products, Scoring

_NINE_DECIMALS = Decimal("1e-9")
_ONE_DECIMAL = Decimal("0.1")


def score_lead(
    lead: LeadFacts,
    profile: AccountProfile,
    rules: Scoring,
    *,
    products: Products,
    as_of: date,
    rules_version: str,
    known: Known | None = None,
) -> Score:
    """The score of a lead as of a day, by the profile that the rules select (rules.md §4).

    Components are 0–100 and unrounded; a missing input gives no points, lowers the confidence and
    is named. `known` carries components from lead to lead, as long as the rules stay the same.
    """
    known = {} if known is None else known
    case = Case.of(lead, profile, products, as_of)
    components = [factor.recalled(case, rules, known) for factor in PROFILES[rules.profile]]
    points = {component.name: component.points for component in components}
    total = weighted_sum(points, rules)
    score = round_score(total)
    return Score.trusted(
        urgency=points["urgency"],
        value=points["value"],
        propensity=points["propensity"],
        strategic_fit=points["strategic_fit"],
        score=score,
        priority=priority_of(score, rules.priorities),
        confidence=_confidence(components),
        missing=tuple(dict.fromkeys(name for part in components for name in part.missing)),
        ledger=(
            *(line for part in components for line in part.lines),
            _rounding(points, rules, score),
        ),
        weights=_weights(rules),
        rules_version=rules_version,
        profile=rules.profile,
        as_of=as_of,
        outlook=None,
    )


def weighted_sum(points: Mapping[str, float], rules: Scoring) -> float:
    """0.35 urgency + 0.30 value + 0.20 propensity + 0.15 strategic fit, unrounded (rules.md §4)."""
    return fsum(_weighted(points, rules))


def round_score(total: float) -> float:
    """To 9 decimals, which removes what binary fractions add, then half-up to one (rules.md §4)."""
    nine = Decimal(total).quantize(_NINE_DECIMALS)
    return float(nine.quantize(_ONE_DECIMAL, ROUND_HALF_UP))


def priority_of(score: float, bands: PriorityBands) -> Priority:
    """The priority of a rounded score; a band begins at its number (rules.md §4)."""
    if score >= bands.critical:
        return Priority.CRITICAL
    if score >= bands.high:
        return Priority.HIGH
    return Priority.MEDIUM if score >= bands.medium else Priority.LOW


def _weights(rules: Scoring) -> Weights:
    weights = rules.weights
    return Weights(
        urgency=weights.urgency,
        value=weights.value,
        propensity=weights.propensity,
        strategic_fit=weights.strategic_fit,
    )


def _confidence(components: list[Component]) -> float:
    """The share of the inputs that were present."""
    present = sum(component.present for component in components)
    wanted = present + sum(len(component.missing) for component in components)
    return present / wanted if wanted else 1.0


def _weighted(points: Mapping[str, float], rules: Scoring) -> tuple[float, ...]:
    weights = rules.weights
    return (
        weights.urgency * points["urgency"],
        weights.value * points["value"],
        weights.propensity * points["propensity"],
        weights.strategic_fit * points["strategic_fit"],
    )


def _rounding(points: Mapping[str, float], rules: Scoring, score: float) -> LedgerLine:
    """What the rounding adds to the weighted components, without the error of their sum."""
    weighted = _weighted(points, rules)
    total = fsum(weighted)
    return LedgerLine(
        component="score",
        reason=explain.rounding(total, score),
        input=total,
        points=fsum((score, *(-part for part in weighted))),
    )
