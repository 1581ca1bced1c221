"""Laws of reconciliation and merging, for any uses and any order of imports and decisions (rules.md §2)."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.domain.accounts.decisions import DecisionState
from services.ingest.domain.accounts.directory import NameUse
from services.ingest.domain.accounts.merges import overlay
from tests.support.account_builders import Desk, is_made
from tests.support.builders import a_use, reconciled

NAMES = (
    *("Apple", "Apple Inc", "Apple Computer", "Apple Energy", "First Data", "First Date"),
    *(
        "Acme Logistics",
        "ACME Logistic GmbH",
        "東日本電信電話",
        "西日本電信電話",
        "Präzision",
        "---",
    ),
)
TERRITORIES = ("1", "2", "3", None)


@st.composite
def imports(draw: st.DrawFn) -> list[NameUse]:
    """All uses of a tenant, each spelling once in each place."""
    places = st.tuples(st.sampled_from(NAMES), st.sampled_from(TERRITORIES))
    return [
        a_use(name, territory, opportunity_rows=rows if territory else 0, first_row=row, rows=rows)
        for row, ((name, territory), rows) in enumerate(
            draw(st.dictionaries(places, st.integers(1, 3), max_size=7)).items(), start=1
        )
    ]


steps = st.one_of(
    imports(),
    st.tuples(st.just("merge"), st.integers(0, 9), st.integers(0, 9)),
    st.tuples(st.sampled_from(["confirm", "refuse"]), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("undo"), st.integers(1, 9), st.just(0)),
)
histories = st.lists(steps, min_size=1, max_size=9)


def take(desk: Desk, step: Any) -> None:
    """An import, or a decision about whatever is there."""
    if isinstance(step, list):
        desk.load(*step)
        return
    kind, one, other = step
    accounts, asked = sorted(desk.base.accounts), desk.asked()
    if kind == "merge" and accounts:
        desk.merge(accounts[one % len(accounts)], accounts[other % len(accounts)])
    elif kind in ("confirm", "refuse") and asked:
        getattr(desk, kind)(*asked[one % len(asked)])
    elif kind == "undo":
        desk.undo(one)


@settings(deadline=None)
@given(histories, histories, st.integers(0, 9), st.integers(0, 9))
def test_undo_after_merge_is_as_if_it_had_never_been_whatever_is_imported_between(
    before: list[Any], between: list[Any], one: int, other: int
) -> None:
    merged, twin = Desk(), Desk()
    for step in before:
        take(merged, step)
        take(twin, step)
    accounts = sorted(merged.base.accounts)
    if not accounts:
        return
    decision = merged.merge(accounts[one % len(accounts)], accounts[other % len(accounts)])
    for step in between:
        if isinstance(step, list):
            merged.load(*step)
            twin.load(*step)
    if is_made(decision):
        assert is_made(merged.undo(decision.number))
    assert merged.accounts == twin.accounts


@settings(deadline=None)
@given(histories, st.data())
def test_a_decision_taken_back_leaves_no_trace_among_the_others(
    history: list[Any], data: st.DataObject
) -> None:
    desk = Desk()
    for step in history:
        take(desk, step)
    made = [each for each in desk.log if each.state is DecisionState.MADE and each.undoes is None]
    if not made:
        return
    chosen = data.draw(st.sampled_from(made))
    without = overlay(desk.base, [each for each in desk.log if each.number != chosen.number])
    desk.undo(chosen.number)
    assert desk.accounts == without


@settings(deadline=None)
@given(histories)
def test_whatever_was_decided_every_id_resolves_in_one_step_to_an_account_that_stands(
    history: list[Any],
) -> None:
    desk = Desk()
    for step in history:
        take(desk, step)
    in_force = desk.accounts
    assert in_force.accounts.keys() == desk.base.accounts.keys()
    for entry in in_force.accounts.values():
        merged_into = entry.merged_into
        assert merged_into is None or in_force.accounts[merged_into].merged_into is None
    owned = {link.account_id for link in in_force.names.values()}
    owned |= {link.account_id for link in in_force.territories.values()}
    assert all(in_force.accounts[each].merged_into is None for each in owned)
    for territory, link in in_force.territories.items():
        assert territory in in_force.accounts[link.account_id].territory_ids


@settings(deadline=None)
@given(imports(), imports(), st.randoms(use_true_random=False))
def test_the_order_of_an_imports_rows_does_not_matter(
    known: list[NameUse], uses: list[NameUse], random: Any
) -> None:
    before = reconciled(*known)
    shuffled = list(uses)
    random.shuffle(shuffled)
    assert reconciled(*shuffled, known=before) == reconciled(*uses, known=before)


@settings(deadline=None)
@given(st.lists(imports(), min_size=1, max_size=3))
def test_the_same_import_again_changes_nothing(loads: list[list[NameUse]]) -> None:
    desk = Desk()
    for uses in loads:
        desk.load(*uses)
    once = desk.base
    desk.load(*loads[-1])
    assert desk.base == once
