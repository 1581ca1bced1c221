"""The inputs of the fault battery: fixed by their seed, repeated, out of order, and with leads in them."""

from collections import Counter
from itertools import pairwise

from shared.events import Priority
from tests.faults.expectation import expected
from tests.faults.generator import (
    BOXES_PER_TERRITORY,
    FIRST_IMPORTED,
    FIRST_MARK,
    LAST_MARK,
    Change,
    batch,
    changes,
    marker,
)
from tests.faults.history import Input
from tests.faults.kinds import FAULTS
from tests.faults.offices import OFFICES, TERRITORIES, UNASSIGNED, home_of

TENANTS = ("a", "b")


def as_inputs(sent: list[Change]) -> list[Input]:
    return [Input(c.tenant, c.box, c.version, c.values, f"{c.box}|{c.version}") for c in sent]


def test_a_seed_always_makes_the_same_inputs_and_another_others() -> None:
    assert changes("1", TENANTS, 50) == changes("1", TENANTS, 50)
    assert changes("1", TENANTS, 50) != changes("2", TENANTS, 50)


def test_about_three_of_ten_inputs_come_twice_and_many_out_of_order() -> None:
    sent = changes("1", TENANTS, 400)
    times = Counter((c.tenant, c.box, c.version) for c in sent)
    assert 0.25 < sum(count == 2 for count in times.values()) / len(times) < 0.35
    latest: dict[tuple[str, str], int] = {}
    overtaken = set()
    for c in sent:
        if c.version < latest.get((c.tenant, c.box), 0):
            overtaken.add((c.tenant, c.box, c.version))
        latest[c.tenant, c.box] = max(c.version, latest.get((c.tenant, c.box), 0))
    assert len(overtaken) > len(times) / 10


def test_most_boxes_bring_three_leads_of_which_one_is_critical() -> None:
    leads = expected(as_inputs(changes("1", TENANTS, 200)))
    standing = [lead for lead in leads.values() if lead.final]
    assert len(standing) > 2.3 * 200 * len(TENANTS)
    critical = [lead for lead in standing if lead.alerts_least]
    assert 0.25 < len(critical) / len(standing) < 0.4


def test_no_lead_of_a_lapsed_or_renewed_box_is_critical() -> None:
    sent = changes("1", TENANTS, 200)
    fresh = [c for c in as_inputs(sent) if c.values and c.values["end_of_life"] > "2022"]
    leads = expected(fresh)
    assert leads
    assert all(lead.alerts_most == 0 for lead in leads.values())


def test_leads_go_from_office_to_office_while_they_are_critical() -> None:
    leads = expected(as_inputs(changes("1", TENANTS, 400))).values()
    been = [
        {state.office for state in lead.states if state and state.priority is Priority.CRITICAL}
        for lead in leads
    ]
    assert sum(len(offices) > 1 for offices in been) > 40
    assert {office for offices in been for office in offices} == {*OFFICES, UNASSIGNED}


def test_leads_that_were_critical_become_high_and_medium_and_stay() -> None:
    leads = expected(as_inputs(changes("1", TENANTS, 400))).values()
    after = Counter(
        after.priority
        for lead in leads
        for before, after in pairwise(lead.states)
        if before and after and before.priority is Priority.CRITICAL
    )
    assert all(after[each] > 15 for each in (Priority.CRITICAL, Priority.HIGH, Priority.MEDIUM))


def test_accounts_stay_so_small_that_their_size_moves_no_score() -> None:
    places = {
        (c.box, c.values["territory_id"]) for c in changes("1", ("a",), 400) if c.values is not None
    }
    territories = Counter(territory for _, territory in places)
    assert max(territories.values()) <= BOXES_PER_TERRITORY


def test_a_marker_brings_a_critical_lead_in_the_office_of_its_territory() -> None:
    mark = marker("a", "MARK-1", 3)
    assert mark.values is not None
    leads = expected(as_inputs([mark]))
    critical = [lead for lead in leads.values() if lead.alerts_least]
    assert [lead.final_office for lead in critical] == [home_of(mark.values["territory_id"])]
    assert [state[1] for lead in critical for state in lead.states if state] == [Priority.CRITICAL]


def test_imports_and_markers_stand_in_territories_of_their_own() -> None:
    for kind in FAULTS:
        most = max(kind.rounds, kind.short_rounds)
        assert kind.boxes * most <= FIRST_IMPORTED
        assert FIRST_IMPORTED + kind.imported * most <= FIRST_MARK
        assert FIRST_MARK + most < LAST_MARK
        assert LAST_MARK // BOXES_PER_TERRITORY < TERRITORIES


def test_every_row_of_an_import_is_a_box_of_its_own() -> None:
    rows = [row for number in range(3) for row in batch("a", number, 8)]
    assert len({row.box for row in rows}) == 24
    leads = expected(as_inputs(rows))
    assert sum(lead.alerts_least for lead in leads.values()) == 24
