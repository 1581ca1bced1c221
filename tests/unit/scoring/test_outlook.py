"""The outlook of a score says what its parts say of the same inputs, and touches nothing else."""

from datetime import date, timedelta

from hypothesis import given, settings

from services.scoring.domain.case import Case
from services.scoring.domain.outlook.assemble import HORIZON_DAYS, with_outlook
from services.scoring.domain.outlook.crossings import crossings
from services.scoring.domain.outlook.least_change import least_changes
from services.scoring.domain.outlook.missing_dates import missing_dates
from services.scoring.domain.outlook.trial import Trial
from shared.events import AccountProfile, LeadFacts, Outlook, Priority, Score
from shared.rules.load import default_rules
from shared.rules.model import Rules
from tests.support.scoring_builders import AS_OF, a_lead, a_profile, a_score, days_ago
from tests.unit.scoring.strategies import both_profiles, leads, profiles

RULES = default_rules()


def looked_ahead(lead: LeadFacts, profile: AccountProfile, rules: Rules = RULES) -> Score:
    score = a_score(lead, profile, rules=rules)
    return with_outlook(score, lead, profile, rules.scoring, products=rules.products)


@settings(max_examples=15, deadline=None)
@given(leads(), profiles(), both_profiles)
def test_the_outlook_is_that_of_the_inputs_of_the_score(
    lead: LeadFacts, profile: AccountProfile, rules: Rules
) -> None:
    products = rules.products
    trial = Trial(Case.of(lead, profile, products, AS_OF), rules.scoring)
    assert looked_ahead(lead, profile, rules).outlook == Outlook(
        until=AS_OF + timedelta(days=1_095),
        crossings=crossings(
            lead, profile, rules.scoring, products=products, as_of=AS_OF, days=1_095
        ),
        to_critical=least_changes(trial, products, AS_OF),
        missing_dates=missing_dates(trial),
    )


def test_the_score_itself_stays_as_it_is() -> None:
    lead, profile = a_lead(), a_profile()
    score = a_score(lead, profile)
    assert looked_ahead(lead, profile).model_copy(update={"outlook": None}) == score


def test_an_undated_box_of_a_new_customer_is_told_what_would_help_it() -> None:
    lead = a_lead(end_of_life=None, service_end=days_ago(-30))
    outlook = looked_ahead(lead, a_profile(last_project_date=None)).outlook
    assert outlook is not None
    assert outlook.until == AS_OF + timedelta(days=HORIZON_DAYS) == date(2028, 10, 8)
    missing = [each.input for each in outlook.missing_dates]
    assert missing == ["end_of_life", "last_project_date"]
    assert all(each.lowest <= each.highest for each in outlook.missing_dates)


def test_a_critical_lead_needs_no_change() -> None:
    lead = a_lead(end_of_life=days_ago(3_753), service_end=days_ago(1_000))
    score = looked_ahead(lead, a_profile(open_opportunities=9, items=80))
    assert score.priority is Priority.CRITICAL
    assert score.outlook is not None
    assert score.outlook.to_critical == ()
