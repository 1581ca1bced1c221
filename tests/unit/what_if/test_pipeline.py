"""The open pipeline counts each box's best play once, and its parts sum to the whole."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from onelead.what_if.pipeline import Pipeline
from onelead.what_if.side import Judged
from shared.events import LeadFacts, LeadType, Priority
from tests.support.builders import a_lead, days_ago
from tests.unit.scoring.strategies import leads
from tests.unit.what_if.sides import judged

RENEWAL, REFRESH, ATTACH = LeadType.RENEWAL, LeadType.HARDWARE_REFRESH, LeadType.SERVICE_ATTACH


def play(lead_type: LeadType, highest: int, box: str = "B1", eol: int | None = None) -> Judged:
    worth = Decimal(highest)
    lead = a_lead(
        lead_type=lead_type, box_id=box, estimated_value_max=worth, end_of_life=days_ago(eol)
    )
    return judged(lead)


def test_a_box_counts_with_its_best_play_once() -> None:
    side = Pipeline()
    side.add([play(RENEWAL, 10), play(REFRESH, 200), play(ATTACH, 20), play(ATTACH, 7, "B2")])
    assert side.open() == 207
    assert [side.open(of=each) for each in (RENEWAL, REFRESH, ATTACH)] == [0, 200, 7]
    assert [side.count(of=each) for each in (RENEWAL, REFRESH, ATTACH)] == [1, 1, 2]
    assert side.count() == 4


def test_of_plays_worth_the_same_the_one_with_the_higher_score_counts() -> None:
    side = Pipeline()
    low, high = play(RENEWAL, 10), play(ATTACH, 10, eol=4000)
    assert low.score.priority is not high.score.priority
    side.add([low, high])
    assert side.open(of=high.score.priority) == 10
    assert side.open(of=low.score.priority) == 0


def test_accounts_add_up() -> None:
    side = Pipeline()
    side.add([play(RENEWAL, 10, "B1")])
    side.add([play(RENEWAL, 20, "B2")])
    assert side.count() == 2
    assert [side.open(), side.open(of=RENEWAL)] == [30, 30]


@given(st.lists(st.tuples(leads(), st.sampled_from("xyz")), max_size=8))
def test_parts_by_priority_and_by_type_sum_to_the_whole(found: list[tuple[LeadFacts, str]]) -> None:
    side = Pipeline()
    side.add([judged(lead.model_copy(update={"box_id": box})) for lead, box in found])
    for parts in (list(Priority)[:4], list(LeadType)[:3]):
        assert sum(side.open(of=part) for part in parts) == side.open()
        assert sum(side.count(of=part) for part in parts) == side.count() == len(found)
    best = {box: max(x.estimated_value_max for x, b in found if b == box) for _, box in found}
    assert side.open() == sum(best.values())
