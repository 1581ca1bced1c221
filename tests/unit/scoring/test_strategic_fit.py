"""Strategic fit counts the family of the box (or its parent), the play and the segment."""

import pytest

from services.scoring.domain.tally import Component
from shared.events import AccountProfile, LeadFacts, LeadType, Segment
from tests.support.scoring_builders import a_lead, a_profile, a_server
from tests.support.scoring_builders import judged as judged_factor


def judged(lead: LeadFacts, profile: AccountProfile | None = None) -> Component:
    return judged_factor("strategic_fit", lead, profile)


@pytest.mark.parametrize(
    ("family", "parent", "given"),
    [
        ("3PAR", None, 25),
        ("PRIMERA", None, 25),
        ("ALLETRA", None, 25),
        ("PROLIANT", "COMPUTE", 25),
        ("NIMBLE", None, 0),
        ("MSA", None, 0),
        ("NETWORKING", None, 0),
        ("OTHER", None, 0),
    ],
)
def test_families_we_want_count_and_compute_means_proliant_too(
    family: str, parent: str | None, given: int
) -> None:
    lead = a_lead(product_family=family, product_family_parent=parent)
    assert judged(lead).points == 50 + given


@pytest.mark.parametrize(
    ("lead_type", "given"),
    [(LeadType.HARDWARE_REFRESH, 10), (LeadType.RENEWAL, 0), (LeadType.SERVICE_ATTACH, 0)],
)
def test_a_refresh_counts(lead_type: LeadType, given: int) -> None:
    assert judged(a_lead(product_family="MSA", lead_type=lead_type)).points == 50 + given


def test_a_strategic_account_counts_and_the_others_do_not() -> None:
    strategic = a_profile(segment=Segment.STRATEGIC_ENTERPRISE)
    assert judged(a_lead(), strategic).points == 85
    assert judged(a_lead(), a_profile(segment=Segment.GROWTH)).points == 75


def test_all_of_it_comes_to_95() -> None:
    lead = a_server(lead_type=LeadType.HARDWARE_REFRESH)
    component = judged(lead, a_profile(segment=Segment.STRATEGIC_ENTERPRISE))
    assert component.points == 95
    assert [line.reason for line in component.lines] == [
        "base",
        "product family PROLIANT",
        "the lead is a hardware refresh",
        "strategic enterprise account",
    ]


def test_an_unknown_segment_is_named() -> None:
    assert judged(a_lead()).missing == ("segment",)
