"""Hardware refresh: the box is far past its end of life; a competitor's is displaced (rules.md §3)."""

from services.ingest.domain.leads.case import BoxCase, Play
from services.ingest.domain.values import ValueRange, fixed
from shared.events import ValueProvenance


def play(case: BoxCase) -> Play | None:
    """The replacement of a box, if it is old enough."""
    days = case.days_since_eol
    if days is None or days <= case.rules.leads.hardware_refresh.min_days_since_eol:
        return None
    kind = "Competitive Displacement" if case.product.competitor_brand else "Hardware Refresh"
    return Play(title=f"{kind}: {case.box.display_name}", action=_action(case), value=_value(case))


def _action(case: BoxCase) -> str:
    product, products = case.product, case.rules.products
    platform = case.box.platform or case.box.display_name
    if product.competitor_brand is not None:
        return f"Displace the {product.competitor_brand} {platform} with the current platform"
    if product.family in products.generation_families:
        return f"Replace with {product.family} Gen{products.latest_generation}"
    return f"Replace {platform} with the current {product.family} platform"


def _value(case: BoxCase) -> ValueRange:
    rules = case.rules.leads.hardware_refresh
    limits = rules.value
    if rules.value_by_family:
        parent = rules.family_values.get(case.product.parent or "", rules.value)
        limits = rules.family_values.get(case.product.family, parent)
    return fixed(limits, ValueProvenance.HARDWARE_RANGE)
