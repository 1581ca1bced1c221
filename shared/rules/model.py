"""The shape of the rules file: every number of docs/rules.md, without defaults of its own."""

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import model_validator

from shared.rules.accounts import Accounts, SegmentBand, Segments
from shared.rules.base import (
    Banded,
    Currency,
    MoneyRange,
    RuleError,
    Section,
    Step,
    UnknownNameError,
)
from shared.rules.leads import (
    AttachRules,
    LeadRules,
    RefreshRules,
    RenewalRules,
    RiskRules,
    Values,
)
from shared.rules.offices import Offices
from shared.rules.reading import FIELDS, FamilyPattern, Products, Reading, header_key
from shared.rules.recommendation import BundleRule, BundleRules, RecommendationRules
from shared.rules.scoring import (
    Classic,
    Competitive,
    PriorityBands,
    Propensity,
    Saturating,
    Scoring,
    StrategicFit,
    Trend,
    Urgency,
    ValueFactor,
    Weights,
)

__all__ = [
    "FIELDS",
    "Accounts",
    "AttachRules",
    "Banded",
    "BundleRule",
    "BundleRules",
    "Classic",
    "Competitive",
    "FamilyPattern",
    "LeadRules",
    "MoneyRange",
    "Offices",
    "PriorityBands",
    "Products",
    "Propensity",
    "Reading",
    "RecommendationRules",
    "RefreshRules",
    "RenewalRules",
    "RiskRules",
    "RuleError",
    "Rules",
    "Saturating",
    "Scoring",
    "Section",
    "SegmentBand",
    "Segments",
    "Step",
    "StrategicFit",
    "Trend",
    "Urgency",
    "ValueFactor",
    "Values",
    "Weights",
    "header_key",
]


class Rules(Section):
    """A tenant's rules, whole. Every family they name is one of `products`, or a parent."""

    version: Literal[1]
    currency: Currency
    reading: Reading
    products: Products
    accounts: Accounts
    segments: Segments
    leads: LeadRules
    values: Values
    scoring: Scoring
    recommendation: RecommendationRules
    offices: Offices

    @model_validator(mode="after")
    def _families_known(self) -> Self:
        known = (*self.products.family_names(), *self.products.parents.values())
        for family, path in self._family_mentions():
            if family not in known:
                raise UnknownNameError(family, known, *path)
        return self

    def _family_mentions(self) -> Iterator[tuple[str, tuple[str | int, ...]]]:
        """Every family that a rule names, with its place."""
        for index, family in enumerate(self.scoring.strategic_fit.families):
            yield family, ("scoring", "strategic_fit", "families", index)
        for family in self.values.family_benchmarks:
            yield family, ("values", "family_benchmarks", family)
        for family in self.leads.hardware_refresh.family_values:
            yield family, ("leads", "hardware_refresh", "family_values", family)
        bundles = self.recommendation.bundles
        for index, family in enumerate(bundles.families):
            yield family, ("recommendation", "bundles", "families", index)
        for index, bundle in enumerate(bundles.offered):
            path = ("recommendation", "bundles", "offered", index, "min_value_above_by_family")
            for family in bundle.min_value_above_by_family:
                yield family, (*path, family)
