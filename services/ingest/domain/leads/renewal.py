"""Renewal: support has ended on a box at risk, or, when the rules say so, is about to (rules.md §3)."""

from services.ingest.domain.leads.case import BoxCase, Play
from shared.events import Risk


def play(case: BoxCase) -> Play | None:
    """The renewal of a box's support, if it is due."""
    if not case.support_is_ours or not (_expired(case) or _ends_soon(case)) or _too_old(case):
        return None
    end = case.box.service_end
    return Play(
        title=f"Support Renewal: {case.box.display_name}",
        action="Offer to renew the support" + (f" (end of service {end})" if end else ""),
        value=case.support_value(),
    )


def _expired(case: BoxCase) -> bool:
    at_risk = case.risk in (Risk.CRITICAL, Risk.HIGH)
    return at_risk and case.status_contains(case.rules.leads.renewal.status_contains)


def _ends_soon(case: BoxCase) -> bool:
    ahead = case.rules.leads.renewal.ahead_days
    days = case.days_since_expiry
    return ahead > 0 and days is not None and -ahead <= days <= 0


def _too_old(case: BoxCase) -> bool:
    limit = case.rules.leads.renewal.max_days_since_eol
    return limit is not None and case.days_since_eol is not None and case.days_since_eol > limit
