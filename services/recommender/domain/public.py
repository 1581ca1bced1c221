"""Makes the public event from a scored lead and its recommendation, and tells whether it is news."""

from operator import attrgetter
from typing import Any

from services.recommender.domain.recommend import Recommendation
from shared.events import LeadChanged, LeadScored

_FROM_LEAD = (
    "lead_id",
    "lead_type",
    "title",
    "action",
    "account_id",
    "box_id",
    "serial_number",
    "product_id",
    "product_name",
    "product_family",
    "support_status",
    "end_of_life",
    "service_end",
    "risk",
    "estimated_value_min",
    "estimated_value_max",
    "value_provenance",
    "currency",
)
_FROM_SCORE = (
    "urgency",
    "value",
    "propensity",
    "strategic_fit",
    "score",
    "priority",
    "confidence",
    "missing",
    "ledger",
    "weights",
    "rules_version",
    "as_of",
    "outlook",
)
_FROM_SCORED = (
    "actor",
    "office_id",
    "episode",
    "episode_open",
    "critical_since",
    "state",
    "reason",
    "batch_id",
)

_NO_NEWS = frozenset(
    {
        "version",
        "causes",
        "actor",
        "batch_id",
        "as_of",
        "rules_version",
        "weights",
        "ledger",
        "urgency",
        "value",
        "propensity",
        "strategic_fit",
        "confidence",
        "missing",
        "outlook",
    }
)
"""Fields that drift with the day or tell where a score comes from; alone they are no news."""

_news = attrgetter(*(name for name in LeadChanged.model_fields if name not in _NO_NEWS))


def to_public(
    scored: LeadScored,
    recommendation: Recommendation,
    *,
    version: int,
    causes: tuple[str, ...] = (),
) -> LeadChanged:
    """The whole lead for subscribers: facts, score, services; dates, never ages."""
    return LeadChanged(
        version=version,
        causes=causes,
        account=scored.account.name,
        territory=scored.lead.territory_id,
        segment=scored.account.segment,
        services=recommendation.services,
        no_service_reason=recommendation.no_service_reason,
        bundle=recommendation.bundle,
        **_copied(scored.lead, _FROM_LEAD),
        **_copied(scored.score, _FROM_SCORE),
        **_copied(scored, _FROM_SCORED),
    )


def differs(previous: LeadChanged, new: LeadChanged) -> bool:
    """Whether subscribers must be told: anything but the day's drift or the provenance differs."""
    return bool(_news(previous) != _news(new))


def _copied(source: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(source, name) for name in names}
