"""What becomes of a command about accounts: made, undone, or refused with the reason (rules.md §2)."""

import re

import pytest

from services.ingest.domain.accounts.candidates import (
    best_first,
    candidate_id,
    candidates_called,
    why_not_automatic,
)
from services.ingest.domain.accounts.decisions import refused
from services.ingest.domain.accounts.matching import Candidate
from shared.events import AccountAction, AccountRefusal, Actor
from tests.support.account_builders import AT, Desk, is_made, of_territory
from tests.support.builders import a_use

ACME, VEGA, ORION = (of_territory(each) for each in "123")
APPLE, COMPUTER = of_territory("4"), of_territory("5")
PAIR = ("apple computer", "apple")


@pytest.fixture
def desk() -> Desk:
    found = Desk()
    found.load(
        *(a_use(name, number) for name, number in (("Acme", "1"), ("Vega", "2"), ("Orion", "3"))),
        *(a_use(name, number) for name, number in (("Apple", "4"), ("Apple Computer", "5"))),
    )
    return found


def test_a_merge_says_in_words_what_was_done(desk: Desk) -> None:
    decision = desk.merge(ACME, VEGA)
    assert is_made(decision)
    assert decision.detail == "Acme is merged into Vega"
    assert (decision.name, decision.founder) == ("acme", "vega")
    assert decision.refusal is None


@pytest.mark.parametrize(
    ("pair", "told"),
    [(("nobody", VEGA), "nobody"), ((ACME, "nobody"), "nobody"), ((ACME, ""), "(none)")],
)
def test_an_account_that_is_not_known_is_not_merged(
    desk: Desk, pair: tuple[str, str], told: str
) -> None:
    decision = desk.merge(*pair)
    assert decision.refusal is AccountRefusal.UNKNOWN_ACCOUNT
    assert decision.detail == f"there is no account {told}"


def test_an_account_is_not_merged_with_itself(desk: Desk) -> None:
    decision = desk.merge(ACME, ACME)
    assert decision.refusal is AccountRefusal.ITSELF
    assert decision.detail == "an account cannot be merged with itself"


@pytest.mark.parametrize("pair", [(ACME, ORION), (ORION, ACME), (ACME, VEGA), (VEGA, ACME)])
def test_an_account_that_went_is_not_merged_again(desk: Desk, pair: tuple[str, str]) -> None:
    desk.merge(ACME, VEGA)
    decision = desk.merge(*pair)
    assert decision.refusal is AccountRefusal.ALREADY_MERGED
    assert decision.detail == f"Acme is merged into Vega already ({VEGA})"


@pytest.mark.parametrize("names", [PAIR, PAIR[::-1]])
def test_a_candidate_is_confirmed_by_its_names_in_either_order(
    desk: Desk, names: tuple[str, str]
) -> None:
    decision = desk.confirm(*names)
    assert is_made(decision)
    assert (decision.account_id, decision.into) == (COMPUTER, APPLE)
    assert (decision.name, decision.founder) == PAIR
    assert decision.detail == "Apple Computer is merged into Apple"


def test_what_is_no_candidate_is_neither_confirmed_nor_refused(desk: Desk) -> None:
    for decision in (desk.confirm("acme", "vega"), desk.refuse("acme", "vega")):
        assert decision.refusal is AccountRefusal.NOT_A_CANDIDATE
        assert decision.detail == '"acme" and "vega" are no open candidate'
    assert desk.confirm("acme", "nobody").refusal is AccountRefusal.NOT_A_CANDIDATE


def test_a_candidate_that_is_one_account_already_is_not_confirmed_again(desk: Desk) -> None:
    desk.confirm(*PAIR)
    decision = desk.confirm(*PAIR)
    assert decision.refusal is AccountRefusal.ALREADY_MERGED
    assert decision.detail == "both are one account, Apple"


def test_a_refused_candidate_is_neither_refused_again_nor_confirmed(desk: Desk) -> None:
    made = desk.refuse(*PAIR, why="two firms")
    assert is_made(made)
    assert made.detail == "apple computer and apple stay two accounts"
    again = desk.refuse(*PAIR[::-1])
    assert again.refusal is AccountRefusal.NOT_A_CANDIDATE
    assert again.detail == "it is refused by anna on 2025-10-09: two firms already"
    assert desk.confirm(*PAIR).refusal is AccountRefusal.NOT_A_CANDIDATE


def test_two_names_of_one_account_are_no_candidate_and_the_refusal_says_what_parts_them() -> None:
    desk = Desk()
    desk.load(a_use("First Data"), a_use("First Date"))
    told = desk.refuse("first date", "first data").detail
    assert told == (
        '"first date" and "first data" are no open candidate: they are one account; '
        "undo the merge, or part them in the rules' name map"
    )


def test_an_undo_says_in_words_what_was_undone_and_concerns_the_same_accounts(desk: Desk) -> None:
    decision = desk.merge(ACME, VEGA)
    undone = desk.undo(decision.number)
    assert is_made(undone)
    assert undone.detail == "Acme is merged into Vega: undone"
    assert (undone.account_id, undone.into) == (ACME, VEGA)
    assert (undone.name, undone.founder) == ("acme", "vega")


def test_a_decision_is_undone_once(desk: Desk) -> None:
    decision = desk.merge(ACME, VEGA)
    desk.undo(decision.number, actor=Actor(kind="person", id="ben"))
    again = desk.undo(decision.number)
    assert again.refusal is AccountRefusal.NOTHING_TO_UNDO
    assert again.detail == f"decision d{decision.number} was undone already, by ben"


def test_what_was_refused_unknown_or_an_undo_itself_is_not_undone(desk: Desk) -> None:
    refused = desk.merge(ACME, ACME)
    decision = desk.undo(refused.number)
    assert decision.refusal is AccountRefusal.NOTHING_TO_UNDO
    assert decision.detail == f"decision d{refused.number} was refused: nothing came of it"
    undo = desk.undo(desk.merge(ACME, VEGA).number)
    for number in (undo.number, 99, None):
        decision = desk.ask(AccountAction.UNDO, undoes=number)
        assert decision.refusal is AccountRefusal.NOTHING_TO_UNDO
        assert decision.detail == f"there is no decision d{number} that could be undone"


def test_an_action_of_a_newer_sender_is_refused(desk: Desk) -> None:
    decision = desk.ask(AccountAction.UNKNOWN)
    assert decision.refusal is AccountRefusal.UNKNOWN_ACTION
    assert (decision.detail, decision.decided_at) == ("this action is not known here", AT)


def test_without_a_reason_only_who_and_when_are_told(desk: Desk) -> None:
    assert desk.merge(ACME, VEGA).told() == "merged by anna on 2025-10-09"


def test_a_candidates_id_follows_from_its_names_alone(desk: Desk) -> None:
    [candidate] = desk.accounts.candidates
    turned = Candidate(name="apple", founder="apple computer", similarity=1, evidence="another")
    assert candidate_id(candidate) == candidate_id(turned)
    other = turned.model_copy(update={"name": "apples"})
    assert candidate_id(other) != candidate_id(candidate)
    assert re.fullmatch("c[0-9a-f]{10}", candidate_id(candidate))
    assert candidates_called(desk.accounts, candidate_id(candidate).upper()) == [candidate]
    assert candidates_called(desk.accounts, "c0") == []


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        ("ratio", "alike, but below 85"),
        ("token set ratio", "one name has all the words of the other"),
        ("ratio, but a short name", "a short name"),
        ("ratio, but so is another account", "so is another account"),
    ],
)
def test_a_candidate_says_why_it_was_not_linked(evidence: str, why: str) -> None:
    candidate = Candidate(name="a", founder="b", similarity=70, evidence=evidence)
    assert why_not_automatic(candidate, 85.0) == why


def test_candidates_are_shown_best_first(desk: Desk) -> None:
    def a(name: str, similarity: float) -> Candidate:
        return Candidate(name=name, founder="f", similarity=similarity, evidence="ratio")

    mixed = (a("b", 70), a("c", 90), a("a", 70))
    directory = desk.base.model_copy(update={"candidates": mixed})
    assert [each.name for each in best_first(directory)] == ["c", "a", "b"]


def test_a_command_that_is_refused_before_it_was_judged_says_when(desk: Desk) -> None:
    asked = desk.merge(ACME, VEGA).model_copy(update={"decided_at": None})
    late = refused(asked, AccountRefusal.FAILED, "it failed", AT)
    assert (late.decided_at, late.detail, late.refusal) == (AT, "it failed", AccountRefusal.FAILED)
    assert not is_made(late)
