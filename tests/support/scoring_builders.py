"""Leads, profiles, catalogue entries and scored leads for tests: plain ones, changed by keyword."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from services.scoring.domain.case import Case
from services.scoring.domain.factors import PROFILES
from services.scoring.domain.score import score_lead
from services.scoring.domain.tally import Component
from shared.events import (
    AccountProfile,
    CatalogueEntry,
    LeadFacts,
    LeadScored,
    LeadType,
    Risk,
    Score,
    Segment,
    TerritoryAverage,
    ValueProvenance,
)
from shared.rules.load import default_rules
from shared.rules.model import Rules, Scoring

AS_OF = date(2025, 10, 9)


def days_ago(days: int | None) -> date | None:
    """The date `days` before AS_OF; after it when negative; None stays None."""
    return None if days is None else AS_OF - timedelta(days=days)


def a_lead(**changes: Any) -> LeadFacts:
    """A renewal of a storage box that has no dates, no generation and no competitor."""
    facts: dict[str, Any] = {
        "lead_id": "lead-1",
        "lead_type": LeadType.RENEWAL,
        "title": "Support Renewal: HPE Primera 650",
        "action": "Renew the support",
        "account_id": "account-1",
        "account_name": "Apple Inc",
        "territory_id": "56088",
        "box_id": "2M26314KR1",
        "serial_number": "2M26314KR1",
        "product_id": "P1",
        "product_name": "HPE Primera 650",
        "product_platform": "Primera 600",
        "product_family": "PRIMERA",
        "product_family_parent": None,
        "generation": None,
        "competitor_brand": None,
        "support_status": "Contract Expired",
        "end_of_life": None,
        "service_end": None,
        "risk": Risk.HIGH,
        "estimated_value_min": Decimal(10_000),
        "estimated_value_max": Decimal(20_000),
        "value_provenance": ValueProvenance.SKU_PRICE,
        "currency": "USD",
        "catalogue_family": "PRIMERA",
        "catalogue_version": 1,
    }
    return LeadFacts(**{**facts, **changes})


def a_server(**changes: Any) -> LeadFacts:
    """The same for a ProLiant of the latest generation."""
    facts: dict[str, Any] = {
        "product_name": "HPE DL380 Gen11",
        "product_family": "PROLIANT",
        "product_family_parent": "COMPUTE",
        "generation": 11,
        "catalogue_family": "COMPUTE",
    }
    return a_lead(**{**facts, **changes})


def a_profile(**changes: Any) -> AccountProfile:
    """An account with one box and no history at all."""
    facts: dict[str, Any] = {
        "account_id": "account-1",
        "name": "Apple Inc",
        "territory_ids": ("56088",),
        "items": 1,
        "open_opportunities": 0,
        "won": 0,
        "lost": 0,
        "win_rate": None,
        "projects": 0,
        "closed_projects": 0,
        "average_closed_amount": None,
        "spend_365d": Decimal(0),
        "last_project_date": None,
        "recent_closed_amounts": (),
        "segment": Segment.UNKNOWN,
        "segment_mixed": False,
        "strategy": "",
        "territory_averages": (),
        "currency": "USD",
    }
    return AccountProfile(**{**facts, **changes})


def territory_average(amount: int | str, territory_id: str = "56088") -> tuple[TerritoryAverage]:
    """The averages of a profile, with that of one territory."""
    average = TerritoryAverage(territory_id=territory_id, average_closed_amount=Decimal(amount))
    return (average,)


def a_case(lead: LeadFacts | None = None, profile: AccountProfile | None = None) -> Case:
    """What a factor sees, as of AS_OF."""
    return Case.of(lead or a_lead(), profile or a_profile(), default_rules().products, AS_OF)


def with_profile(profile: str) -> Rules:
    """The default rules with a profile of the score."""
    rules = default_rules()
    scoring = rules.scoring.model_copy(update={"profile": profile})
    return rules.model_copy(update={"scoring": scoring})


def judged(
    factor: str,
    lead: LeadFacts | None = None,
    profile: AccountProfile | None = None,
    *,
    rules: Scoring | None = None,
) -> Component:
    """One component by the profile that the rules select, with its ledger, as of AS_OF."""
    used = rules or default_rules().scoring
    (wanted,) = [each for each in PROFILES[used.profile] if each.name == factor]
    return wanted.component(a_case(lead, profile), used)


def a_score(
    lead: LeadFacts | None = None,
    profile: AccountProfile | None = None,
    *,
    rules: Rules | None = None,
    as_of: date = AS_OF,
) -> Score:
    """The score of a lead by the default rules."""
    used = rules or default_rules()
    return score_lead(
        lead or a_lead(),
        profile or a_profile(),
        used.scoring,
        products=used.products,
        as_of=as_of,
        rules_version="test",
    )


def a_scored_lead(
    lead: LeadFacts | None = None, profile: AccountProfile | None = None, **changes: Any
) -> LeadScored:
    """A scored lead; `changes` are fields of the event."""
    facts: dict[str, Any] = {
        "lead": lead or a_lead(),
        "account": profile or a_profile(),
        "score": a_score(lead, profile),
        "version": 1,
    }
    return LeadScored(**{**facts, **changes})


def an_entry(service_type: str, **changes: Any) -> CatalogueEntry:
    """A service of the catalogue with a price and a margin."""
    facts: dict[str, Any] = {
        "family": "PRIMERA",
        "category": "Storage SW",
        "service_type": service_type,
        "skus": (service_type.upper(),),
        "list_price": Decimal(10_000),
        "currency": "USD",
        "margin": 0.4,
        "position": 0,
    }
    return CatalogueEntry(**{**facts, **changes})
