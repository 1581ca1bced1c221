"""Whose is a territory, whose is a name: owners, majorities, merges, and ids that stay (rules.md §2)."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.domain.accounts.directory import Directory, LinkStage, NameUse
from services.ingest.domain.ids import account_id_of_name, account_id_of_territory
from shared.rules.load import default_rules
from tests.support.builders import TENANT, a_use, changed, reconciled

RULES = default_rules()


def of_territory(territory: str) -> str:
    return account_id_of_territory(TENANT, territory)


def of_name(key: str) -> str:
    return account_id_of_name(TENANT, key)


def test_a_name_without_a_territory_is_an_account_of_its_own() -> None:
    directory = reconciled(a_use("Acme Logistics Inc"))
    account = directory.accounts[of_name("acme logistics")]
    assert (account.name, account.founded_by) == ("Acme Logistics Inc", "name:acme logistics")
    assert directory.account_of("ACME LOGISTICS", None) == account.account_id
    assert directory.names["acme logistics"].stage is LinkStage.FOUNDED


def test_a_territory_belongs_to_the_name_most_of_its_opportunities_carry() -> None:
    uses = [a_use("Vega", "1", opportunity_rows=2), a_use("Acme", "1", opportunity_rows=3)]
    directory = reconciled(*uses)
    assert directory.accounts[of_territory("1")].name == "Acme"
    assert (
        directory.account_of(None, "1") == directory.account_of("acme", None) == of_territory("1")
    )
    assert directory.territories["1"].evidence == "3 of 5 opportunities carry its name"
    assert directory.account_of("Vega", "1") == of_name("vega")
    assert directory.accounts[of_name("vega")].territory_ids == ("1",)


def test_spellings_of_one_name_count_together_and_the_commonest_is_shown() -> None:
    uses = [
        a_use("Vega", "1", opportunity_rows=3),
        a_use("Acme Inc", "1", opportunity_rows=2),
        a_use("ACME", "1", opportunity_rows=2),
        a_use("ACME", None, rows=9),
    ]
    assert reconciled(*uses).accounts[of_territory("1")].name == "ACME"


def test_a_tie_goes_to_the_latest_created_opportunity_then_to_the_first_row() -> None:
    early, late = date(2024, 1, 1), date(2025, 1, 1)
    by_date = [
        a_use("Vega", "1", latest_created=early, first_row=1),
        a_use("Acme", "1", latest_created=late, first_row=2),
    ]
    assert reconciled(*by_date).accounts[of_territory("1")].name == "Acme"
    by_row = [
        a_use("Acme", "1", latest_created=late, first_row=2),
        a_use("Vega", "1", latest_created=late, first_row=1),
    ]
    assert reconciled(*by_row).accounts[of_territory("1")].name == "Vega"


def test_a_territory_that_no_opportunity_names_is_called_by_its_number() -> None:
    directory = reconciled(a_use("Acme", "1", opportunity_rows=0), territories=("1", "2"))
    assert directory.accounts[of_territory("1")].name == "Territory 1"
    assert directory.account_of("#", "2") == of_territory("2")
    assert directory.account_of("Acme", "1") == of_name("acme")


def test_a_row_without_name_and_territory_has_no_account() -> None:
    directory = reconciled(a_use("Acme", "1"))
    assert directory.account_of(None, None) is None
    assert directory.account_of("---", None) is None
    assert directory.account_of(None, "unheard of") is None


def test_a_name_that_owns_two_territories_is_one_account_with_both() -> None:
    directory = reconciled(a_use("Acme", "1"), a_use("Acme", "2"))
    account = directory.accounts[of_territory("1")]
    assert account.territory_ids == ("1", "2")
    assert directory.account_of(None, "2") == account.account_id
    assert of_territory("2") not in directory.accounts


def test_the_manual_map_names_a_territory_without_relabelling_others_there() -> None:
    uses = [a_use("Vega", "56088", opportunity_rows=9), a_use("APPLE INC.", "56088")]
    directory = reconciled(*uses, territories=("56180",))
    assert directory.accounts[of_territory("56088")].name == "Apple Inc"
    assert directory.account_of("apple", "56088") == of_territory("56088")
    assert directory.account_of("Vega", "56088") == of_name("vega")
    assert directory.accounts[of_territory("56180")].name == "APPLIED MATERIALS, INC."
    assert directory.territories["56180"].stage is LinkStage.MANUAL


def test_the_manual_map_founds_nothing_for_territories_that_nobody_has() -> None:
    assert set(reconciled(a_use("Acme", "1")).accounts) == {of_territory("1")}


def test_a_spelling_may_name_an_account_outright() -> None:
    rules = changed(RULES, accounts__name_map={"AMAT": "Applied Materials", "Unused": "Nobody"})
    directory = reconciled(a_use("AMAT Corp"), a_use("Applied Materials Inc"), rules=rules)
    assert set(directory.accounts) == {of_name("applied materials")}
    link = directory.names["amat"]
    assert (link.stage, link.evidence) == (LinkStage.MANUAL, 'name map: "Applied Materials"')


def test_a_name_map_may_chain_and_a_circle_in_it_harms_nobody() -> None:
    rules = changed(RULES, accounts__name_map={"A": "B", "B": "C", "X": "Y", "Y": "X"})
    directory = reconciled(a_use("A"), a_use("B"), a_use("X"), a_use("Y"), rules=rules)
    assert directory.account_of("A", None) == directory.account_of("B", None) == of_name("c")
    assert directory.account_of("X", None) is not None


def test_a_name_that_the_map_sends_to_itself_stands_for_itself() -> None:
    uses = [a_use("First Data", "1"), a_use("First Date", "2"), a_use("First Date Inc")]
    before = reconciled(*uses)
    assert before.account_of("First Date", None) == of_territory("1")
    rules = changed(RULES, accounts__name_map={"First Date": "First Date"})
    after = reconciled(*uses, known=before, rules=rules)
    assert after.account_of("First Date Inc", None) == after.account_of(None, "2")
    assert after.account_of(None, "2") == of_territory("2")
    assert after.account_of("First Data", None) == of_territory("1")
    assert after.names["first date"].evidence == 'name map: "First Date"'
    assert reconciled(*uses, known=after, rules=rules) == after
    assert reconciled(*uses, known=after).names["first date"] == after.names["first date"]


def test_a_name_taken_out_of_the_manual_map_is_an_account_of_its_own_again() -> None:
    mapped = changed(RULES, accounts__name_map={"AMAT": "Applied Materials"})
    uses = [a_use("AMAT"), a_use("Applied Materials")]
    after = reconciled(*uses, known=reconciled(*uses, rules=mapped))
    assert after.account_of("AMAT", None) == of_name("amat")
    assert after.account_of("Applied Materials", None) == of_name("applied materials")


def test_known_names_keep_their_links() -> None:
    first = reconciled(a_use("First Data"), a_use("First Date"))
    assert first.account_of("First Date", None) == of_name("first data")
    strict = changed(RULES, accounts__link_at=99)
    again = reconciled(a_use("First Data"), a_use("First Date"), known=first, rules=strict)
    assert again.names == first.names


def test_a_new_name_is_linked_to_an_account_of_an_earlier_batch() -> None:
    known = reconciled(a_use("First Date", "1"))
    after = reconciled(a_use("First Date", "1"), a_use("First Data"), known=known)
    assert after.account_of("First Data", None) == of_territory("1")


def test_a_new_majority_renames_the_account_and_never_reidentifies_it() -> None:
    before = reconciled(a_use("Acme", "1", opportunity_rows=2), a_use("Vega"))
    assert before.account_of("Vega", None) == of_name("vega")
    uses = [a_use("Acme", "1", opportunity_rows=2), a_use("Vega", "1", opportunity_rows=3)]
    after = reconciled(*uses, known=before)
    assert after.account_of(None, "1") == after.account_of("Vega", None) == of_territory("1")
    assert after.accounts[of_territory("1")].name == "Vega"
    assert after.accounts[of_name("vega")].merged_into == of_territory("1")
    assert after.account_of("Acme", "1") == of_name("acme")


def test_a_majority_that_turns_back_restores_both_accounts() -> None:
    uses = [a_use("Acme", "1", opportunity_rows=2), a_use("Vega")]
    before = reconciled(*uses)
    turned = reconciled(uses[0], a_use("Vega", "1", opportunity_rows=3), known=before)
    back = reconciled(*uses, known=turned)
    for account_id, entry in before.accounts.items():
        assert back.accounts[account_id] == entry
    assert back.accounts[of_name("acme")].merged_into == of_territory("1")


def test_an_owner_of_two_territories_that_loses_the_first_lives_on_in_the_second() -> None:
    before = reconciled(a_use("Acme", "1"), a_use("Acme", "2"))
    uses = [a_use("Acme", "1"), a_use("Acme", "2"), a_use("Vega", "1", opportunity_rows=5)]
    after = reconciled(*uses, known=before)
    assert after.account_of(None, "1") == after.account_of("Vega", None) == of_territory("1")
    assert after.account_of(None, "2") == after.account_of("Acme", None) == of_territory("2")


def test_an_owner_that_gains_a_territory_of_another_takes_its_account_in() -> None:
    before = reconciled(a_use("Acme", "1"), a_use("Vega", "2"))
    uses = [a_use("Acme", "1"), a_use("Vega", "2"), a_use("Acme", "2", opportunity_rows=5)]
    after = reconciled(*uses, known=before)
    assert after.account_of(None, "2") == of_territory("1")
    assert after.accounts[of_territory("2")].merged_into == of_territory("1")
    assert after.accounts[of_territory("1")].territory_ids == ("1", "2")
    assert after.account_of("Vega", "2") == of_name("vega")


def test_the_last_owner_stays_when_a_territory_has_no_opportunity_any_more() -> None:
    before = reconciled(a_use("Acme", "1"))
    after = reconciled(territories=("1",), known=before)
    assert after.accounts[of_territory("1")].name == "Acme"


def test_other_suffixes_in_the_rules_found_no_second_account() -> None:
    uses = [a_use("Nokia Zeta", "1"), a_use("Vega Zeta"), a_use("Vega")]
    before = reconciled(*uses)
    assert before.account_of("Vega", None) == of_name("vega")
    rules = changed(RULES, accounts__legal_suffixes=("zeta",))
    after = reconciled(*uses, known=before, rules=rules)
    assert after.account_of("NOKIA", None) == of_territory("1")
    assert after.account_of("Vega Zeta", None) == after.account_of("Vega", None)
    assert {entry.merged_into for entry in after.accounts.values()} <= {None, *after.accounts}


def test_open_questions_stay_until_one_of_the_names_is_linked() -> None:
    uses = [a_use("Apple Computer"), a_use("Apple")]
    before = reconciled(*uses)
    assert [(c.name, c.founder) for c in before.candidates] == [("apple computer", "apple")]
    assert reconciled(*uses, known=before).candidates == before.candidates
    rules = changed(RULES, accounts__name_map={"Apple Computer": "Apple"})
    assert reconciled(*uses, known=before, rules=rules).candidates == ()


@pytest.mark.parametrize("known", [Directory(), reconciled(a_use("Acme", "1"), a_use("Vega", "2"))])
def test_a_directory_is_stored_and_read_back_whole(known: Directory) -> None:
    assert Directory.model_validate_json(known.model_dump_json()) == known


spellings = st.sampled_from(
    [
        "Acme",
        "ACME Inc",
        "Acmes",
        "Vega North",
        "Vega South",
        "First Data",
        "First Date",
        "東日本",
        "#",
    ]
)
one_use = st.builds(
    NameUse,
    raw_name=spellings,
    territory_id=st.sampled_from([None, "1", "2", "3", "56088"]),
    rows=st.integers(1, 5),
    opportunity_rows=st.integers(0, 3),
    latest_created=st.one_of(st.none(), st.dates(date(2024, 1, 1), date(2024, 1, 9))),
    first_row=st.integers(1, 9),
)
batches = st.lists(st.lists(one_use, max_size=6), min_size=1, max_size=4)


@settings(max_examples=40)
@given(batches, st.randoms())
def test_through_any_history_every_id_resolves_and_nothing_depends_on_order(
    history: list[list[NameUse]], random: object
) -> None:
    known = Directory()
    for uses in history:
        shuffled = list(uses)
        random.shuffle(shuffled)  # type: ignore[attr-defined]
        after = reconciled(*uses, known=known)
        assert after == reconciled(*shuffled, known=known)
        assert after == reconciled(*uses, known=after)
        assert known.accounts.keys() <= after.accounts.keys()
        linked = {link.account_id for link in after.names.values()}
        linked |= {link.account_id for link in after.territories.values()}
        for account_id, entry in after.accounts.items():
            assert entry.account_id == account_id
            assert (entry.merged_into is None) == (account_id in linked)
            assert entry.merged_into is None or entry.merged_into in linked
        for use in uses:
            named = after.account_of(use.raw_name, use.territory_id)
            assert named in linked or (use.raw_name == "#" and use.territory_id is None)
        known = after
