"""The outlook of a score: when its priority changes by itself, and what would change it."""

from datetime import timedelta

from services.scoring.domain.case import Case
from services.scoring.domain.outlook.crossings import crossings_of
from services.scoring.domain.outlook.least_change import least_changes
from services.scoring.domain.outlook.missing_dates import missing_dates
from services.scoring.domain.outlook.trial import Trial
from shared.events import AccountProfile, LeadFacts, Outlook, Score
from shared.rules.model import Products, Scoring

HORIZON_DAYS = 1_095
COMPONENTS = ("urgency", "value", "propensity", "strategic_fit")


def with_outlook(
    score: Score,
    lead: LeadFacts,
    profile: AccountProfile,
    rules: Scoring,
    *,
    products: Products,
) -> Score:
    """A score that was made of these inputs, with its outlook from its day on (rules.md §4)."""
    as_of = score.as_of
    points = {name: getattr(score, name) for name in COMPONENTS}
    trial = Trial(Case.of(lead, profile, products, as_of), rules, points)
    outlook = Outlook(
        until=as_of + timedelta(days=HORIZON_DAYS),
        crossings=crossings_of(trial, as_of, HORIZON_DAYS),
        to_critical=least_changes(trial, products, as_of),
        missing_dates=missing_dates(trial),
    )
    return score.model_copy(update={"outlook": outlook})
