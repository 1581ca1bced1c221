"""Chooses the bundle of a lead: the first in the list that fits its family, type and value."""

from decimal import Decimal

from shared.events import Bundle, LeadFacts
from shared.rules.model import BundleRule, BundleRules


def choose_bundle(lead: LeadFacts, rules: BundleRules) -> Bundle | None:
    """The first bundle offered for the lead, None when none is (rules.md §5)."""
    families = _families(lead)
    if not any(family in rules.families for family in families):
        return None
    for rule in rules.offered:
        if lead.lead_type.value in rule.lead_types and _is_worth_it(lead, rule):
            return Bundle(name=rule.name, skus=rule.skus, reason=_reason(lead, rule))
    return None


def threshold(lead: LeadFacts, rule: BundleRule) -> Decimal | None:
    """What the lead's max value must exceed: its family's, its parent's, else the general one."""
    for family in _families(lead):
        if family in rule.min_value_above_by_family:
            return rule.min_value_above_by_family[family]
    return rule.min_value_above


def _families(lead: LeadFacts) -> tuple[str, ...]:
    parent = lead.product_family_parent
    return (lead.product_family,) if parent is None else (lead.product_family, parent)


def _is_worth_it(lead: LeadFacts, rule: BundleRule) -> bool:
    limit = threshold(lead, rule)
    return limit is None or lead.estimated_value_max > limit


def _reason(lead: LeadFacts, rule: BundleRule) -> str:
    play = lead.lead_type.value.replace("_", " ")
    reason = f"{rule.name.replace('_', ' ')} suits a {play} of {lead.product_family}"
    limit = threshold(lead, rule)
    if limit is None:
        return reason
    return f"{reason} worth more than {limit:,.0f} {lead.currency}"
