"""§4 of docs/rules.md: the weights, bands and steps of the score, and of the `classic` profile."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from shared.rules.base import (
    Banded,
    Days,
    LeadTypeName,
    Points,
    Positive,
    RuleError,
    Section,
    SegmentName,
    Share,
    SignedPoints,
    Step,
    Text,
)

_WEIGHT_TOLERANCE = 1e-9


class Weights(Section):
    """The shares of the components."""

    urgency: Share
    value: Share
    propensity: Share
    strategic_fit: Share

    @model_validator(mode="after")
    def _whole(self) -> Self:
        total = self.urgency + self.value + self.propensity + self.strategic_fit
        if abs(total - 1) > _WEIGHT_TOLERANCE:
            raise RuleError(f"the weights add up to {total:.10g}; they must add up to 1")
        return self


class PriorityBands(Section):
    """The score from which a priority holds."""

    critical: Points
    high: Points
    medium: Points

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for upper, lower in pairwise(("critical", "high", "medium")):
            if getattr(self, upper) <= getattr(self, lower):
                raise RuleError(
                    f"bands out of order: {upper} {getattr(self, upper):g} must be above "
                    f"{lower} {getattr(self, lower):g}",
                    upper,
                    against=lower,
                )
        return self


class Saturating(Section):
    """max · (1 − e^(−days/constant)): rises without cliffs; the constant is no half-life."""

    max_points: Points
    time_constant_days: Annotated[int, Field(gt=0, le=36_500)]


class Competitive(Section):
    """The competitive lines of urgency and their common cap."""

    brand_points: Points
    eol_window_after_days: Days
    eol_window_after_points: Points
    eol_window_before_days: Days
    eol_window_before_points: Points
    generation_gap: Positive
    generation_gap_points: Points
    cap: Points


class Urgency(Section):
    """Base, end of life, end of support, competitive."""

    base: Points
    eol: Saturating
    expiry: Saturating
    competitive: Competitive


class ValueFactor(Section):
    """Base, context and size.

    `absolute`, `account_ratio`, `territory_ratio` make up the context of at most `context_max`.
    """

    base: Points
    context_max: Points
    absolute: Banded
    account_ratio: Banded
    territory_ratio: Banded
    items_above: Banded


class Trend(Section):
    """The trend over the `latest` closed projects: the mean of the `newest` against the rest's."""

    latest: Positive
    min_needed: Positive
    newest: Positive
    ratio: Banded

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.newest < self.min_needed <= self.latest:
            raise RuleError("newest must be below min_needed, and min_needed not above latest")
        return self


class Propensity(Section):
    """`open_above`: strictly more; `last_project_within_days`: at most that old."""

    base: Points
    open_above: Banded
    win_rate: Banded
    last_project_within_days: tuple[Step, ...]
    trend: Trend
    segment_points: dict[SegmentName, SignedPoints]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for index, (nearer, farther) in enumerate(pairwise(self.last_project_within_days), 1):
            if nearer.at >= farther.at or nearer.points < farther.points:
                raise RuleError(
                    f"bands out of order: {farther.at:g} days come after {nearer.at:g}; "
                    "the nearest come first and give the most points",
                    "last_project_within_days",
                    index,
                )
        return self


class StrategicFit(Section):
    """Base, family, type, segment."""

    base: Points
    families: tuple[Text, ...]
    family_points: Points
    lead_type_points: dict[LeadTypeName, SignedPoints]
    segment_points: dict[SegmentName, SignedPoints]


class Classic(Section):
    """The stepped profile of the first OneLead; its fit is the default one without segments."""

    urgency_base: Points
    eol_above: Banded
    expiry_above: Banded
    value_base: Points
    value_at: Banded
    items_above: Banded
    propensity_base: Points
    open_above: Banded
    closed_projects_above: Banded


class Scoring(Section):
    """The score."""

    profile: Literal["default", "classic"]
    weights: Weights
    priorities: PriorityBands
    urgency: Urgency
    value: ValueFactor
    propensity: Propensity
    strategic_fit: StrategicFit
    classic: Classic
