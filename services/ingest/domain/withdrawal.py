"""Says why a lead no longer holds, in words for the seller who had it on his list (rules.md §3)."""

from datetime import date

from services.ingest.domain.records import Box
from shared.events import LeadFacts


def withdrawal_reason(lead: LeadFacts, box: Box | None, as_of: date) -> str:
    """Why a lead that was open does not fire any more; `box` is None when it is gone."""
    if box is None:
        return "the box left the install base"
    if box.support_status != lead.support_status:
        return f"the support status is now {box.support_status or 'unknown'}"
    if box.service_end != lead.service_end:
        return f"the service now ends on {box.service_end or 'an unknown day'}"
    if box.end_of_life != lead.end_of_life:
        return f"the end of life is now {box.end_of_life or 'unknown'}"
    return f"its rule does not hold on {as_of}"
