"""Ranks the services of a lead's family: what suits the play first, then what earns more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.recommender.domain.catalogue import base_priority, best_boost
from shared.events import CatalogueEntry, LeadType
from shared.rules.model import RecommendationRules

_LAST = float("inf")


@dataclass(frozen=True, slots=True)
class RankedService:
    """A service with its base priority, and the boost with the words that earned it."""

    entry: CatalogueEntry
    base: float
    boost: float
    boosted_by: str | None

    @property
    def order(self) -> tuple[float, float, float | Decimal, int]:
        """What sorts the best first: priority, margin, price descending, missing ones last."""
        margin, price = self.entry.margin, self.entry.list_price
        return (
            -(self.base + self.boost),
            _LAST if margin is None else -margin,
            _LAST if price is None else -price,
            self.entry.position,
        )


def rank(
    entries: Sequence[CatalogueEntry], lead_type: LeadType, rules: RecommendationRules
) -> tuple[RankedService, ...]:
    """The services, best first: base priority + boost, then margin, price, catalogue order.

    rules.md §5.
    """
    boosts = rules.boosts.get(lead_type.value, {})
    ranked = [_judged(entry, boosts, rules.base_priority) for entry in entries]
    return tuple(sorted(ranked, key=lambda service: service.order))


def _judged(
    entry: CatalogueEntry, boosts: Mapping[str, float], bases: Mapping[str, float]
) -> RankedService:
    boosted_by, boost = best_boost(entry.service_type, boosts) or (None, 0.0)
    return RankedService(entry, base_priority(entry.service_type, bases), boost, boosted_by)
