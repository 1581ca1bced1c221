"""Strategic fit: whether the box, the play and the account are what we want to sell to."""

from services.scoring.domain import explain
from services.scoring.domain.case import Case
from services.scoring.domain.factors.propensity import add_segment
from services.scoring.domain.tally import Tally
from shared.rules.model import Scoring, StrategicFit


def strategic_fit(case: Case, rules: Scoring, tally: Tally) -> None:
    """min(100, base + family + lead type + segment) (rules.md §4)."""
    add_box_and_play(tally, case, rules.strategic_fit)
    add_segment(tally, case.segment, rules.strategic_fit.segment_points)


def add_box_and_play(tally: Tally, case: Case, rule: StrategicFit) -> None:
    """Base, the points of the box's family (or its parent) and those of the lead type."""
    family = case.product_family
    tally.add(rule.base, None, explain.base)
    tally.read("product_family", family)
    wanted = case.is_of_family(rule.families)
    tally.add(rule.family_points if wanted else 0.0, family, explain.family, family)
    lead_type = tally.read("lead_type", case.lead_type)
    if lead_type in rule.lead_type_points:
        tally.add(rule.lead_type_points[lead_type], lead_type, explain.play, lead_type)
