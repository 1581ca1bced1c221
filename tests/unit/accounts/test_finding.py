"""What a person types finds the account, candidate or decision that is meant, in any script."""

from typing import Any, cast

import pytest

from onelead.accounts.finding import account_called, concerning, decision_called, names_called
from onelead.accounts.registry import Registry
from services.ingest.domain.accounts.candidates import candidate_id
from shared.errors import UserError
from shared.rules.load import default_rules
from tests.support.account_builders import Desk, of_name, of_territory
from tests.support.builders import a_use

APPLE, COMPUTER, NTT = (of_territory(each) for each in "123")


@pytest.fixture
def desk() -> Desk:
    found = Desk()
    found.load(
        a_use("Apple", "1"),
        a_use("Apple Computer", "2"),
        a_use("東日本電信電話株式会社", "3"),
        a_use("First Data"),
        a_use("First Date"),
        territories=("9",),
    )
    return found


def registry(desk: Desk) -> Registry:
    rules = default_rules().accounts
    return Registry("t", desk.base, desk.accounts, tuple(desk.log), rules, cast("Any", None))


@pytest.mark.parametrize(
    ("text", "account_id"),
    [
        (APPLE, APPLE),
        ("1", APPLE),
        ("APPLE, Inc.", APPLE),
        ("apple computer", COMPUTER),
        ("東日本電信電話", NTT),
        ("First Date", of_name("first data")),
        ("Territory 9", of_territory("9")),
    ],
)
def test_an_account_is_found_by_id_territory_or_any_spelling(
    desk: Desk, text: str, account_id: str
) -> None:
    assert account_called(desk.accounts, text) == account_id


def test_an_account_that_is_not_there_is_answered_with_the_most_similar(desk: Desk) -> None:
    with pytest.raises(UserError, match='there is no account "Appel"') as refusal:
        account_called(desk.accounts, "Appel")
    assert '"Apple"' in (refusal.value.hint or "")


def test_a_merged_name_finds_the_account_that_took_it_in(desk: Desk) -> None:
    desk.merge(COMPUTER, APPLE)
    assert account_called(desk.accounts, "Apple Computer") == APPLE
    assert account_called(desk.accounts, COMPUTER) == COMPUTER


def test_a_candidate_is_found_by_its_id_or_by_its_names_in_any_spelling(desk: Desk) -> None:
    [candidate] = desk.accounts.candidates
    names = ("apple computer", "apple")
    assert names_called(desk.accounts, candidate_id(candidate), None) == names
    assert names_called(desk.accounts, "Apple Computer Ltd", "APPLE") == names
    assert names_called(desk.accounts, "First Date", "---") == ("first data", "---")
    assert names_called(desk.accounts, "Nobody Inc", "Apple") == ("nobody", "apple")
    with pytest.raises(UserError, match="there is no open candidate c1"):
        names_called(desk.accounts, "c1", None)


def test_a_decision_is_found_by_its_number_or_by_the_account_of_the_latest_merge(
    desk: Desk,
) -> None:
    desk.undo(desk.merge(NTT, APPLE).number)
    made = desk.merge(COMPUTER, APPLE)
    for text in (f"d{made.number}", f"D{made.number}", "Apple", "Apple Computer", COMPUTER):
        assert decision_called(registry(desk), text) == made.number
    assert decision_called(registry(desk), f"d00{made.number}") == made.number
    with pytest.raises(UserError, match='nobody merged "東日本電信電話株式会社"'):
        decision_called(registry(desk), "3")


@pytest.mark.parametrize("text", ["d99", "d0", f"d{2**63}", "d" + "9" * 20, "d" + "9" * 5_000])
def test_a_decision_that_there_is_not_is_not_asked_for(desk: Desk, text: str) -> None:
    desk.merge(COMPUTER, APPLE)
    with pytest.raises(UserError, match=f"no decision is called {text[:20]}") as refusal:
        decision_called(registry(desk), text)
    assert len(refusal.value.message) < 100


@pytest.mark.parametrize("text", ["", "  "])
def test_a_name_that_is_missing_is_said_to_be(desk: Desk, text: str) -> None:
    for find in (
        lambda: account_called(desk.accounts, text),
        lambda: decision_called(registry(desk), text),
        lambda: names_called(desk.accounts, text, None),
        lambda: names_called(desk.accounts, "Apple", text),
    ):
        with pytest.raises(UserError, match="a name is missing"):
            find()


def test_the_decisions_about_an_account_are_those_of_its_names_and_of_all_that_went_into_it(
    desk: Desk,
) -> None:
    refused = desk.refuse("apple computer", "apple")
    merged = desk.merge(NTT, COMPUTER)
    chained = desk.merge(COMPUTER, of_name("first data"))
    about = {
        name: [each.number for each in concerning(registry(desk), account_called(desk.accounts, n))]
        for name, n in (("apple", APPLE), ("first", "First Data"), ("9", "9"))
    }
    everything = [refused.number, merged.number, chained.number]
    assert about == {"apple": [refused.number], "first": everything, "9": []}
