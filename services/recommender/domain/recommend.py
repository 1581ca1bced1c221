"""Recommends for a lead: its family's services ranked with their margins, and a bundle."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.recommender.domain.bundles import choose_bundle
from services.recommender.domain.margin import largest_discount
from services.recommender.domain.ranking import RankedService, rank
from shared.events import Bundle, CatalogueEntry, LeadFacts, ServiceOffer
from shared.rules.model import RecommendationRules

NO_SERVICE_FOR_FAMILY = "no_service_for_family"


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to offer, best first; without any service, why not."""

    services: tuple[ServiceOffer, ...]
    no_service_reason: str | None
    bundle: Bundle | None


def recommend(
    lead: LeadFacts, entries: Sequence[CatalogueEntry], rules: RecommendationRules
) -> Recommendation:
    """Services, margins and bundle of a lead; `entries` are those of its `catalogue_family`.

    rules.md §5.
    """
    services = tuple(
        _offer(position, service, lead, rules.margin_floor)
        for position, service in enumerate(rank(entries, lead.lead_type, rules), start=1)
    )
    return Recommendation(
        services=services,
        no_service_reason=None if services else NO_SERVICE_FOR_FAMILY,
        bundle=choose_bundle(lead, rules.bundles),
    )


def _offer(position: int, service: RankedService, lead: LeadFacts, floor: float) -> ServiceOffer:
    entry = service.entry
    discount = largest_discount(entry.margin, floor)
    return ServiceOffer(
        rank=position,
        service_type=entry.service_type,
        skus=entry.skus,
        list_price=entry.list_price,
        currency=entry.currency,
        margin=entry.margin,
        max_discount=discount.largest,
        margin_note=discount.note,
        reason=_reason(service, lead),
    )


def _reason(service: RankedService, lead: LeadFacts) -> str:
    """Why the service stands where it does: "migration boosted for hardware refresh +10, margin 38 %"."""
    parts = []
    if service.boosted_by is not None:
        play = lead.lead_type.value.replace("_", " ")
        parts.append(f"{service.boosted_by} boosted for {play} {service.boost:+g}")
    if service.base:
        parts.append(f"base priority {service.base:+g}")
    margin = service.entry.margin
    parts = parts or [f"offered for {service.entry.family}"]
    return ", ".join([*parts, "margin unknown" if margin is None else f"margin {_percent(margin)}"])


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"
