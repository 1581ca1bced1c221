"""How risky a box is, from its dates alone (rules.md §3)."""

from shared.events import Risk
from shared.rules.model import RiskRules


def risk_of(days_since_eol: int | None, days_since_expiry: int | None, rules: RiskRules) -> Risk:
    """The risk of a box; a missing date raises none."""

    def past(days: int | None, limit: int) -> bool:
        return days is not None and days > limit

    eol, expiry = days_since_eol, days_since_expiry
    if past(expiry, rules.critical_days_past_expiry) or past(eol, rules.critical_days_past_eol):
        return Risk.CRITICAL
    if past(expiry, rules.high_days_past_expiry) or past(eol, rules.high_days_past_eol):
        return Risk.HIGH
    ends_soon = expiry is not None and -rules.medium_days_before_expiry <= expiry <= 0
    medium = ends_soon or past(eol, rules.medium_days_past_eol)
    return Risk.MEDIUM if medium else Risk.LOW
