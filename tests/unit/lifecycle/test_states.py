"""Which steps there are between the states, and what each asks for."""

import pytest

from services.lifecycle.domain.states import CHAIN, STATES, Step, allowed_from, step_between
from services.lifecycle.domain.status import Status
from services.lifecycle.domain.transitions import REJECTION_REASONS, assign, move, rejection_reason
from services.lifecycle.domain.verdict import Changed, Refused
from shared.events import LeadChange, LeadRefusal, LeadState

S = LeadState
EVERY_STATE = pytest.mark.parametrize("state", STATES)


def refused(verdict: object) -> Refused:
    assert isinstance(verdict, Refused)
    return verdict


def changed(verdict: object) -> Changed:
    assert isinstance(verdict, Changed)
    return verdict


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        (S.NEW, "assigned contacted qualified meeting proposal converted won lost rejected"),
        (S.ASSIGNED, "new contacted qualified meeting proposal converted won lost rejected"),
        (S.CONTACTED, "assigned qualified meeting proposal converted won lost rejected"),
        (S.QUALIFIED, "contacted meeting proposal converted won lost rejected"),
        (S.MEETING, "qualified proposal converted won lost rejected"),
        (S.PROPOSAL, "meeting converted won lost rejected"),
        (S.CONVERTED, "proposal won lost rejected"),
        (S.WON, "converted"),
        (S.LOST, "new converted"),
        (S.REJECTED, "new"),
    ],
)
def test_the_allowed_states_are_those_of_the_rules(state: LeadState, allowed: str) -> None:
    assert allowed_from(state) == tuple(S(name) for name in allowed.split())


@pytest.mark.parametrize(
    ("state", "allowed"),
    [(S.NEW, (S.WON, S.LOST, S.REJECTED)), (S.CONVERTED, (S.WON, S.LOST, S.REJECTED))]
    + [(state, ()) for state in (S.WON, S.LOST, S.REJECTED)],
)
def test_a_withdrawn_lead_can_only_be_closed(
    state: LeadState, allowed: tuple[LeadState, ...]
) -> None:
    assert allowed_from(state, withdrawn=True) == allowed


@EVERY_STATE
def test_no_step_leads_from_a_state_to_itself_or_to_one_nobody_knows(state: LeadState) -> None:
    assert step_between(state, state) is None
    assert step_between(state, S.UNKNOWN) is None
    assert step_between(S.UNKNOWN, state) in {None, Step.REJECT}


@EVERY_STATE
@pytest.mark.parametrize("to", STATES)
def test_a_move_is_made_exactly_where_it_is_allowed(state: LeadState, to: LeadState) -> None:
    verdict = move(Status(state=state), to, "other")
    if to in allowed_from(state):
        assert changed(verdict).status == Status(state=to)
        assert changed(verdict).change is LeadChange.MOVED
    elif to is state:
        assert refused(verdict).refusal is LeadRefusal.NOTHING_CHANGES
    else:
        assert refused(verdict).refusal is LeadRefusal.ILLEGAL_TRANSITION
        assert refused(verdict).allowed == allowed_from(state)
        assert all(name in refused(verdict).detail for name in allowed_from(state))


@pytest.mark.parametrize("place", range(1, len(CHAIN)))
def test_one_step_back_needs_a_reason_and_two_are_none(place: int) -> None:
    status = Status(state=CHAIN[place])
    assert refused(move(status, CHAIN[place - 1], "")).refusal is LeadRefusal.REASON_MISSING
    assert changed(move(status, CHAIN[place - 1], "too early")).why == "too early"
    if place > 1:
        found = refused(move(status, CHAIN[place - 2], "too early"))
        assert found.refusal is LeadRefusal.ILLEGAL_TRANSITION


def test_a_move_to_nothing_is_refused_with_what_is_allowed() -> None:
    found = refused(move(Status(), None, ""))
    assert (found.refusal, found.allowed) == (LeadRefusal.ILLEGAL_TRANSITION, allowed_from(S.NEW))


def test_a_withdrawn_lead_is_not_reopened() -> None:
    found = refused(move(Status(state=S.LOST, withdrawn=True), S.NEW, ""))
    assert "a withdrawn lead that is lost" in found.detail
    assert "nothing else" in found.detail


@pytest.mark.parametrize("reason", REJECTION_REASONS)
def test_a_rejection_takes_each_reason_in_any_case_and_with_more_after_a_colon(reason: str) -> None:
    assert rejection_reason(reason) == reason
    assert rejection_reason(f"  {reason.upper()} ") == reason
    assert rejection_reason(f"{reason}: see deal 7") == f"{reason}: see deal 7"
    assert rejection_reason(f"{reason}:  ") == reason


@pytest.mark.parametrize("why", ["no interest", "duplicates", "see: duplicate", ":"])
def test_a_rejection_for_another_reason_is_refused_with_the_reasons(why: str) -> None:
    found = refused(move(Status(), S.REJECTED, why))
    assert found.refusal is LeadRefusal.NOT_A_REASON
    assert all(reason in found.detail for reason in REJECTION_REASONS)


def test_a_rejection_without_a_reason_is_refused() -> None:
    assert refused(move(Status(), S.REJECTED, "")).refusal is LeadRefusal.REASON_MISSING


def test_a_new_lead_with_an_owner_is_assigned_and_a_later_owner_changes_nothing_else() -> None:
    first = changed(assign(Status(), "ben", "his region"))
    assert (first.status, first.why) == (Status(state=S.ASSIGNED, owner="ben"), "his region")
    assert first.change is LeadChange.ASSIGNED
    later = changed(assign(Status(state=S.MEETING, owner="ben"), "eva", ""))
    assert later.status == Status(state=S.MEETING, owner="eva")


def test_an_owner_taken_away_leaves_the_state() -> None:
    status = Status(state=S.ASSIGNED, owner="ben")
    assert changed(assign(status, None, "")).status == Status(state=S.ASSIGNED)
    assert refused(assign(Status(), None, "")).refusal is LeadRefusal.NOTHING_CHANGES
    assert refused(assign(status, "ben", "")).refusal is LeadRefusal.NOTHING_CHANGES
