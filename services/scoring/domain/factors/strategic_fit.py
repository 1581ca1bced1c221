"""Strategic fit: whether the box, the play and the account are what we want to sell to."""

from services.scoring.domain import explain
from services.scoring.domain.case import Case
from services.scoring.domain.factors.propensity import add_segment
from services.scoring.domain.tally import Component, Tally
from shared.rules.model import Scoring, StrategicFit


def strategic_fit(case: Case, rules: Scoring) -> Component:
    """min(100, base + family + lead type + segment) (rules.md §4)."""
    tally = Tally("strategic_fit")
    add_box_and_play(tally, case, rules.strategic_fit)
    add_segment(tally, case.profile.segment, rules.strategic_fit.segment_points)
    return tally.close()


def add_box_and_play(tally: Tally, case: Case, rule: StrategicFit) -> None:
    """Base, the points of the box's family (or its parent) and those of the lead type."""
    lead = case.lead
    tally.add(explain.BASE, rule.base)
    tally.read("product_family", lead.product_family)
    wanted = case.is_of_family(rule.families)
    points = rule.family_points if wanted else 0.0
    tally.add(explain.family(lead.product_family), points, lead.product_family)
    lead_type = tally.read("lead_type", lead.lead_type.value)
    if lead_type in rule.lead_type_points:
        tally.add(explain.play(lead_type), rule.lead_type_points[lead_type], lead_type)
