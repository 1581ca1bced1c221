"""What people decide, laid over the directory: united accounts, settled candidates (rules.md §2)."""

import pytest

from services.ingest.domain.accounts.directory import LinkStage
from services.ingest.domain.accounts.merges import overlay
from tests.support.account_builders import AT, Desk, is_made, of_name, of_territory
from tests.support.builders import a_use, changed
from tests.unit.ingest.test_reconcile import RULES

ACME, VEGA, ORION = (of_territory(each) for each in "123")
USES = (a_use("Acme", "1"), a_use("Vega Inc", "2"), a_use("Vega Inc", "9"), a_use("Orion", "3"))
PAIR = ("apple computer", "apple")


@pytest.fixture
def desk() -> Desk:
    """Acme owns territory 1, Vega 2 and 9, Orion 3."""
    found = Desk()
    found.load(*USES)
    return found


@pytest.fixture
def asking() -> Desk:
    """A candidate is open."""
    found = Desk()
    found.load(a_use("Apple", "1"), a_use("Apple Computer", "2"))
    assert found.asked() == [PAIR]
    return found


def test_without_decisions_the_base_is_in_force(desk: Desk) -> None:
    assert desk.accounts == desk.base


def test_merged_accounts_are_united_under_the_surviving_id_and_name(desk: Desk) -> None:
    assert is_made(desk.merge(ACME, VEGA))
    vega, acme = desk.accounts.accounts[VEGA], desk.accounts.accounts[ACME]
    assert (vega.name, vega.territory_ids, vega.merged_into) == ("Vega Inc", ("1", "2", "9"), None)
    assert (acme.name, acme.territory_ids, acme.merged_into) == ("Acme", (), VEGA)
    assert desk.accounts.account_of("ACME Inc.", "1") == VEGA
    assert desk.accounts.account_of(None, "1") == VEGA
    assert desk.accounts.account_of("Orion", None) == ORION
    assert desk.accounts.accounts[ORION] == desk.base.accounts[ORION]


def test_a_link_that_was_merged_says_by_whom_when_and_why(desk: Desk) -> None:
    desk.merge(ACME, VEGA, why="one group")
    told = "merged by anna on 2025-10-09: one group"
    for link in (desk.accounts.names["acme"], desk.accounts.territories["1"]):
        assert (link.account_id, link.stage, link.evidence) == (VEGA, LinkStage.MANUAL, told)
    assert desk.accounts.names["vega"] == desk.base.names["vega"]
    assert desk.accounts.territories["2"] == desk.base.territories["2"]


def test_the_base_never_learns_of_a_decision(desk: Desk) -> None:
    before = desk.base
    desk.merge(ACME, VEGA)
    desk.load(*USES)
    assert desk.base == before


def test_merges_chain_to_the_last_that_took_in(desk: Desk) -> None:
    desk.merge(ACME, VEGA)
    desk.merge(VEGA, ORION)
    accounts = desk.accounts.accounts
    assert {accounts[ACME].merged_into, accounts[VEGA].merged_into} == {ORION}
    assert accounts[ORION].territory_ids == ("1", "2", "3", "9")
    assert desk.accounts.account_of("Acme", None) == ORION


def test_of_a_chain_a_link_may_be_undone_out_of_its_order(desk: Desk) -> None:
    first = desk.merge(ACME, VEGA)
    desk.merge(VEGA, ORION)
    desk.undo(first.number)
    assert desk.accounts.accounts[ACME] == desk.base.accounts[ACME]
    assert desk.accounts.accounts[VEGA].merged_into == ORION
    assert desk.accounts.accounts[ORION].territory_ids == ("2", "3", "9")


def test_two_accounts_that_went_into_a_third_come_back_one_by_one(desk: Desk) -> None:
    first, second = desk.merge(ACME, ORION), desk.merge(VEGA, ORION)
    assert desk.accounts.accounts[ORION].territory_ids == ("1", "2", "3", "9")
    desk.undo(second.number)
    assert desk.accounts.accounts[ORION].territory_ids == ("1", "3")
    desk.undo(first.number)
    assert desk.accounts == desk.base


def test_an_undo_restores_both_accounts_exactly(desk: Desk) -> None:
    decision = desk.merge(ACME, VEGA)
    assert desk.accounts != desk.base
    desk.undo(decision.number)
    assert desk.accounts == desk.base


def test_an_account_that_was_undone_may_be_merged_again(desk: Desk) -> None:
    desk.undo(desk.merge(ACME, VEGA).number)
    assert is_made(desk.merge(VEGA, ACME))
    assert desk.accounts.accounts[VEGA].merged_into == ACME


def test_what_reconciliation_merged_leads_on_to_the_survivor() -> None:
    desk = Desk()
    desk.load(a_use("Acme", "1", opportunity_rows=2), a_use("Vega"), a_use("Orion", "3"))
    desk.load(a_use("Acme", "1"), a_use("Vega", "1", opportunity_rows=3), a_use("Orion", "3"))
    assert desk.base.accounts[of_name("vega")].merged_into == of_territory("1")
    decision = desk.merge(of_territory("1"), ORION)
    assert desk.accounts.accounts[of_name("vega")].merged_into == ORION
    assert desk.accounts.account_of("Acme", "1") == of_name("acme")
    desk.undo(decision.number)
    assert desk.accounts == desk.base


def test_a_merge_goes_on_holding_when_an_import_brings_more_of_both(desk: Desk) -> None:
    desk.merge(ACME, VEGA)
    desk.load(*USES, a_use("Acme", "7"), a_use("VEGA", "8"))
    assert desk.accounts.accounts[VEGA].territory_ids == ("1", "2", "7", "8", "9")
    assert desk.accounts.account_of(None, "7") == VEGA


def test_a_merge_is_about_a_name_also_when_its_territory_changes_hands(desk: Desk) -> None:
    desk.merge(ACME, VEGA)
    desk.load(*USES, a_use("Nova", "1", opportunity_rows=5))
    assert desk.accounts.account_of("Acme", "1") == VEGA
    assert desk.accounts.account_of("Nova", "1") == desk.accounts.account_of(None, "1") == ACME
    assert desk.accounts.accounts[ACME].merged_into is None


def test_a_territory_without_a_name_is_merged_by_its_id() -> None:
    desk = Desk()
    desk.load(a_use("Acme", "1"), territories=("5",))
    desk.merge(of_territory("5"), ACME)
    assert desk.accounts.account_of(None, "5") == ACME
    assert desk.accounts.accounts[ACME].territory_ids == ("1", "5")
    desk.load(a_use("Acme", "1"), a_use("Acme", "5"))
    assert desk.accounts == desk.base, "the two have become one without the merge"


def test_two_that_an_import_makes_one_need_no_merge_any_more(desk: Desk) -> None:
    desk.merge(ACME, VEGA)
    mapped = changed(RULES, accounts__territory_map={"1": "Vega"})
    desk.load(*USES, rules=mapped)
    desk.load(a_use("Vega", "1"), a_use("Vega Inc", "2"), rules=mapped)
    assert desk.accounts.account_of(None, "1") == desk.accounts.account_of("Vega", None)


def test_the_name_map_overrules_a_merge_of_that_name(desk: Desk) -> None:
    desk.merge(ACME, VEGA)
    desk.load(*USES, rules=changed(RULES, accounts__name_map={"Acme": "Orion"}))
    assert desk.accounts.account_of("Acme", None) == ORION
    assert desk.accounts.accounts[ORION].merged_into is None
    desk.load(*USES)
    assert desk.accounts.account_of("Acme", None) == VEGA


def test_a_confirmed_candidate_is_one_account_and_no_longer_asked(asking: Desk) -> None:
    decision = asking.confirm(*PAIR, why="same group")
    assert asking.asked() == []
    assert asking.accounts.account_of("Apple Computer", None) == of_territory("1")
    assert asking.accounts.accounts[of_territory("1")].territory_ids == ("1", "2")
    asking.undo(decision.number)
    assert asking.accounts == asking.base


def test_a_merge_settles_the_candidates_between_its_accounts(asking: Desk) -> None:
    asking.merge(of_territory("1"), of_territory("2"))
    assert asking.asked() == []


def test_a_refused_candidate_never_comes_back_by_itself(asking: Desk) -> None:
    uses = a_use("Apple", "1"), a_use("Apple Computer", "2")
    asking.refuse(*PAIR)
    assert asking.asked() == []
    assert asking.accounts.accounts == asking.base.accounts
    asking.load(*uses, a_use("Apple Computer Ltd", "4"))
    assert asking.asked() == []
    asking.load(*uses, rules=changed(RULES, accounts__legal_suffixes=("zeta",)))
    asking.load(*uses)
    assert asking.asked() == []


def test_an_open_candidate_and_a_refusal_outlive_other_suffixes_in_the_rules() -> None:
    uses = a_use("Apple Zeta", "1"), a_use("Apple Computer", "2")
    rules = changed(RULES, accounts__legal_suffixes=("zeta",))
    desk = Desk()
    desk.load(*uses, a_use("Apple", "3"))
    pairs = desk.asked()
    assert ("apple computer", "apple") in pairs
    apart = Desk()
    apart.load(a_use("Vega Zeta", "1"), a_use("Vega Zeta Clinics", "2"))
    assert apart.asked() == [("vega zeta clinics", "vega zeta")]
    refused = Desk(apart.base)
    refused.refuse("vega zeta", "vega zeta clinics")
    for each in (apart, refused):
        each.load(a_use("Vega Zeta", "1"), a_use("Vega Zeta Clinics", "2"), rules=rules)
    assert apart.asked() == [("vega zeta clinics", "vega")]
    assert refused.asked() == []


def test_a_refusal_that_is_undone_asks_again(asking: Desk) -> None:
    asking.undo(asking.refuse(*PAIR).number)
    assert asking.asked() == [PAIR]


def test_refusing_one_candidate_leaves_the_others_open() -> None:
    desk = Desk()
    desk.load(a_use("Apple", "1"), a_use("Apple Computer", "2"), a_use("Apple Energy", "3"))
    desk.refuse("apple computer", "apple")
    assert desk.asked() == [("apple energy", "apple"), ("apple energy", "apple computer")]


def test_decisions_that_were_only_asked_or_refused_have_no_effect(desk: Desk) -> None:
    refused = desk.merge(ACME, ACME)
    assert not is_made(refused)
    asked = refused.model_copy(update={"state": "asked", "into": VEGA})
    assert overlay(desk.base, [refused, asked]) == desk.base


def test_a_decision_about_accounts_that_are_not_here_has_no_effect(desk: Desk) -> None:
    made = desk.merge(ACME, VEGA).model_copy(update={"name": None, "founder": None, "into": "gone"})
    assert overlay(desk.base, [made]) == desk.base


def test_an_undo_says_by_whom_and_when(desk: Desk) -> None:
    decision = desk.merge(ACME, VEGA)
    desk.undo(decision.number)
    [undone, _] = desk.log
    assert undone.undone_by is not None
    assert (undone.undone_by.id, undone.undone_at, undone.state) == ("anna", AT, "undone")
