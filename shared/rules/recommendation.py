"""§5 of docs/rules.md: how services are ranked, which bundles are offered, the margin to keep."""

from typing import Annotated

from pydantic import Field

from shared.rules.base import LeadTypeName, Money, Section, SignedPoints, Text


class BundleRule(Section):
    """SKUs offered together. The lead's max value must exceed `min_value_above`, if one holds.

    `min_value_above_by_family` overrules it for a family (or its parent).
    """

    name: Text
    lead_types: Annotated[tuple[LeadTypeName, ...], Field(min_length=1)]
    skus: Annotated[tuple[Text, ...], Field(min_length=1)]
    min_value_above: Money | None = None
    min_value_above_by_family: dict[Text, Money] = Field(default_factory=dict)


class BundleRules(Section):
    """Bundles are offered for these families; of those that fit, the first in the list is."""

    families: tuple[Text, ...]
    offered: tuple[BundleRule, ...]


class RecommendationRules(Section):
    """Ranking of services, bundles, margin floor. `boosts`: lead type → words → points."""

    base_priority: dict[Text, SignedPoints]
    boosts: dict[LeadTypeName, dict[Text, SignedPoints]]
    bundles: BundleRules
    margin_floor: Annotated[float, Field(ge=0, lt=1)]
