"""Service attach: the box runs without any support (rules.md §3)."""

from services.ingest.domain.leads import renewal
from services.ingest.domain.leads.case import BoxCase, Play


def play(case: BoxCase) -> Play | None:
    """Support for a box that has none, if it may be offered."""
    rules = case.rules.leads
    if not case.support_is_ours or not case.status_contains(rules.service_attach.status_contains):
        return None
    if rules.one_support_play_per_box and renewal.play(case) is not None:
        return None
    return Play(
        title=f"Service Attach: {case.box.display_name}",
        action="Offer support: the box runs uncovered",
        value=case.support_value(),
    )
