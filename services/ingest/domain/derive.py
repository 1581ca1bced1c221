"""Derives an account as of a day: its profile, and the leads its boxes fire."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from services.ingest.domain.accounts.directory import AccountEntry
from services.ingest.domain.ids import lead_id
from services.ingest.domain.leads import LEAD_RULES
from services.ingest.domain.leads.case import BoxCase, Play, box_case
from services.ingest.domain.profile import AccountRows, ClosedTotals, profile_of
from services.ingest.domain.values import PriceList
from shared.events import AccountProfile, LeadFacts, LeadType
from shared.rules.model import Rules


@dataclass(frozen=True)
class Derivation:
    """All that follows from an account's rows; the leads in the order of its boxes."""

    profile: AccountProfile
    leads: tuple[LeadFacts, ...]


def possible_leads(tenant_id: str, box_ids: Iterable[str]) -> list[str]:
    """The ids of every lead that these boxes could fire."""
    return sorted(lead_id(tenant_id, box, rule.lead_type) for box in box_ids for rule in LEAD_RULES)


def derive_account(
    tenant_id: str,
    entry: AccountEntry,
    rows: AccountRows,
    *,
    territory_totals: Mapping[str, ClosedTotals],
    prices: PriceList,
    rules: Rules,
    as_of: date,
) -> Derivation:
    """The profile and leads of an account (rules.md §2, §3, §6).

    `territory_totals`: of each of the account's territories, over all accounts there.
    """
    cases = [box_case(box, prices, rules, as_of) for box in rows.boxes]
    leads = (
        _lead(tenant_id, entry, case, rule.lead_type, play)
        for case in cases
        for rule in LEAD_RULES
        if (play := rule.play(case)) is not None
    )
    return Derivation(
        profile=profile_of(entry, rows, territory_totals, rules, as_of),
        leads=tuple(leads),
    )


def _lead(
    tenant_id: str, entry: AccountEntry, case: BoxCase, lead_type: LeadType, play: Play
) -> LeadFacts:
    box, product = case.box, case.product
    family, version = case.prices.offered(product)
    return LeadFacts.trusted(
        lead_id=lead_id(tenant_id, box.record_id, lead_type),
        lead_type=lead_type,
        title=play.title,
        action=play.action,
        account_id=entry.account_id,
        account_name=entry.name,
        territory_id=box.territory_id,
        box_id=box.record_id,
        serial_number=box.serial_number,
        product_id=box.product_id,
        product_name=box.display_name,
        product_platform=box.platform,
        product_family=product.family,
        product_family_parent=product.parent,
        generation=product.generation,
        competitor_brand=product.competitor_brand,
        support_status=box.support_status,
        end_of_life=box.end_of_life,
        service_end=box.service_end,
        risk=case.risk,
        estimated_value_min=play.value.min,
        estimated_value_max=play.value.max,
        value_provenance=play.value.provenance,
        currency=case.rules.currency,
        catalogue_family=family,
        catalogue_version=version,
    )
