"""Hypothesis strategies: any lead and any account profile that ingest could send."""

from decimal import Decimal

from hypothesis import strategies as st

from shared.events import AccountProfile, LeadFacts, LeadType, Segment
from tests.support.scoring_builders import (
    a_lead,
    a_profile,
    days_ago,
    territory_average,
    with_profile,
)

ages = st.none() | st.integers(-2_000, 6_000)
amounts = st.decimals(Decimal("0.01"), Decimal("1e7"), places=2)
families = st.sampled_from(
    [("PROLIANT", "COMPUTE"), ("3PAR", None), ("MSA", None), ("OTHER", None)]
)


both_profiles = st.sampled_from([with_profile("default"), with_profile("classic")])
"""The default rules with either profile of the score."""


@st.composite
def leads(draw: st.DrawFn) -> LeadFacts:
    family, parent = draw(families)
    return a_lead(
        lead_type=draw(st.sampled_from([t for t in LeadType if t is not LeadType.UNKNOWN])),
        product_family=family,
        product_family_parent=parent,
        generation=draw(st.none() | st.integers(1, 12)),
        competitor_brand=draw(st.sampled_from([None, "DELL", "CISCO", "LENOVO", "IBM"])),
        end_of_life=days_ago(draw(ages)),
        service_end=days_ago(draw(ages)),
        estimated_value_max=draw(amounts),
    )


@st.composite
def profiles(draw: st.DrawFn) -> AccountProfile:
    won, lost = draw(st.integers(0, 20)), draw(st.integers(0, 20))
    average, territory = draw(st.none() | amounts), draw(st.none() | amounts)
    return a_profile(
        items=draw(st.integers(0, 80)),
        open_opportunities=draw(st.integers(0, 10)),
        won=won,
        lost=lost,
        win_rate=won / (won + lost) if won + lost else None,
        closed_projects=draw(st.integers(0, 30)),
        average_closed_amount=average,
        territory_averages=() if territory is None else territory_average(str(territory)),
        last_project_date=days_ago(draw(ages)),
        recent_closed_amounts=tuple(draw(st.lists(amounts, max_size=5))),
        segment=draw(st.sampled_from(list(Segment))),
    )
