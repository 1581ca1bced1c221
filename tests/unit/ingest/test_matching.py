"""Stage 3: which new names are linked, which a person must look at, which are new (rules.md §2)."""

from collections.abc import Collection
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from services.ingest.domain.accounts.matching import NameDecision, NameIndex, NameKey, link_names
from services.ingest.domain.accounts.normalise import name_forms, naming_of
from shared.rules.load import default_rules
from shared.rules.model import Rules
from tests.support.builders import changed

RULES = default_rules()
NAMING = naming_of(RULES.accounts)


def name(raw: str, territory: str | None = None, domain: str | None = None) -> NameKey:
    forms = name_forms(raw, NAMING)
    return NameKey(
        forms[0],
        forms,
        territories=frozenset([territory] if territory else []),
        domains=frozenset([domain] if domain else []),
    )


def decided(new: NameKey, *known: NameKey, rules: Rules = RULES) -> NameDecision:
    """What becomes of a name when these are founders already."""
    index = NameIndex()
    for founder in known:
        index.add(founder, founder.key)
    (decision,) = link_names([new], index, rules.accounts)
    return decision


def is_founder(decision: NameDecision) -> bool:
    return decision.founder == decision.key


def test_equal_names_are_linked_whatever_their_length() -> None:
    decision = decided(name("HP Inc."), name("HP"))
    assert (decision.founder, decision.similarity) == ("hp", 100.0)
    assert "equal" in decision.evidence


def test_either_form_of_an_umlaut_may_be_equal() -> None:
    assert decided(name("Praezision"), name("Präzision")).founder == "prazision"
    assert decided(name("Präzision"), name("Praezision")).founder == "praezision"
    assert decided(name("Prazision"), name("Präzision")).founder == "prazision"


def test_the_facts_of_the_rules_hold() -> None:
    assert fuzz.ratio("apple", "apple computer") == pytest.approx(52.6, abs=0.05)
    assert fuzz.ratio("first data", "first date") == pytest.approx(90.0)
    assert fuzz.ratio("東日本電信電話", "西日本電信電話") == pytest.approx(85.7, abs=0.05)


def test_names_that_are_alike_are_linked_with_the_ratio_as_evidence() -> None:
    decision = decided(name("First Date"), name("First Data"))
    assert decision.founder == "first data"
    assert decision.evidence == 'ratio 90.0 with "first data"'
    school = decided(name("Orchard Valley School Dist."), name("Orchard Valley School District"))
    assert school.similarity == pytest.approx(92.9, abs=0.05)


def test_a_name_contained_in_another_is_a_question() -> None:
    decision = decided(name("Apple Computer"), name("Apple"))
    assert is_founder(decision)
    (candidate,) = decision.candidates
    assert (candidate.founder, candidate.similarity) == ("apple", 100.0)
    assert "token set" in candidate.evidence


def test_names_somewhat_alike_are_a_question_and_others_are_new() -> None:
    related = decided(name("Nordwind Logistik"), name("Nordwind Energie"))
    assert is_founder(related)
    assert [each.founder for each in related.candidates] == ["nordwind energie"]
    assert not decided(name("Nordwind Logistik"), name("Kestrel Aerospace")).candidates


def test_short_names_are_linked_only_in_one_place() -> None:
    assert is_founder(decided(name("Acmes"), name("Acme")))
    assert decided(name("Acmes", "1"), name("Acme", "1")).founder == "acme"
    assert decided(name("Acmes", domain="a.com"), name("Acme", domain="a.com")).founder == "acme"
    near = replace(name("Acme"), postal_codes=frozenset(["6000"]))
    assert decided(replace(name("Acmes"), postal_codes=near.postal_codes), near).founder == "acme"


def test_east_asian_names_are_linked_only_when_equal() -> None:
    decision = decided(name("東日本電信電話"), name("西日本電信電話"))
    assert is_founder(decision)
    assert [each.founder for each in decision.candidates] == ["西日本電信電話"]
    assert (
        decided(name("株式会社東日本電信電話"), name("東日本電信電話")).founder == "東日本電信電話"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Valley Bank of North Holm", "Valley Bank of South Holm"),
        ("Orchard Valley Iowa", "Orchard Valley Ohio"),
        ("Vega Clinics 1", "Vega Clinics 2"),
        ("Vega Clinics", "Vega Clinics 2"),
        ("Orchard Valley Medical North", "Orchard Valley Medical"),
        ("Kantonales Amt Ost", "Kantonales Amt West"),
    ],
)
def test_names_that_differ_in_a_number_or_a_telling_word_are_questions(
    one: str, other: str
) -> None:
    decision = decided(name(one), name(other))
    assert is_founder(decision)
    assert [each.founder for each in decision.candidates] == [name(other).key]
    bold = changed(RULES, accounts__autolink_conflicting_words=True)
    if fuzz.ratio(name(one).key, name(other).key) >= 85:
        assert decided(name(one), name(other), rules=bold).founder == name(other).key


def test_the_most_alike_account_wins_and_a_tie_is_a_question() -> None:
    winner = decided(
        name("Kestrel Aerospace"), name("Kestrel Aerospaces"), name("Kestrel Airspace")
    )
    assert winner.founder == "kestrel aerospaces"
    tie = decided(name("Kestrel Aerospace"), name("Kestrel Aerospacex"), name("Kestrel Aerospacey"))
    assert is_founder(tie)
    assert {each.founder for each in tie.candidates} == {
        "kestrel aerospacex",
        "kestrel aerospacey",
    }


def test_only_the_best_three_questions_are_asked() -> None:
    known = [name(f"Nordwind {word}") for word in ("Alpen", "Bern", "Chur", "Davos", "Engadin")]
    decision = decided(name("Nordwind"), *known)
    assert len(decision.candidates) == 3
    similarities = [each.similarity for each in decision.candidates]
    assert similarities == sorted(similarities, reverse=True)


def test_a_word_that_everybody_carries_relates_nobody() -> None:
    known = [name(f"{chr(97 + n) * 9} Logistik") for n in range(26)]
    assert not decided(name("Logistik"), *known).candidates
    assert decided(name("Logistik"), *known[:25]).candidates


def test_a_common_territory_relates_names_without_a_common_word() -> None:
    one, other = name("Nordwindlogistik", "5"), name("Nordwind Energie", "5")
    assert [each.founder for each in decided(one, other).candidates] == [other.key]
    assert not decided(name("Nordwindlogistik", "6"), other).candidates


def test_names_of_one_batch_are_decided_in_sorted_order() -> None:
    new = [name("First Date"), name("First Data"), name("First Dato")]
    decisions = link_names(new, NameIndex(), RULES.accounts)
    assert [(each.key, each.founder) for each in decisions] == [
        ("first data", "first data"),
        ("first date", "first data"),
        ("first dato", "first data"),
    ]


words = st.sampled_from(["acme", "north", "south", "bank", "vega", "1", "2", "präz", "東日本", "a"])
some_names = st.lists(st.lists(words, min_size=1, max_size=3).map(" ".join), max_size=12)


@given(some_names, st.randoms())
def test_the_order_in_which_names_come_does_not_matter(raw: list[str], random: object) -> None:
    unique = {name(each).key: name(each) for each in raw}
    shuffled = list(unique.values())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one = link_names(list(unique.values()), NameIndex(), RULES.accounts)
    assert one == link_names(shuffled, NameIndex(), RULES.accounts)


@given(some_names)
def test_nothing_below_the_threshold_is_ever_linked(raw: list[str]) -> None:
    unique = {name(each).key: name(each) for each in raw}
    forms = {key: each.forms for key, each in unique.items()}
    for each in link_names(list(unique.values()), NameIndex(), RULES.accounts):
        if not is_founder(each):
            assert best_ratio(forms[each.key], forms[each.founder]) >= RULES.accounts.link_at


def best_ratio(one: Collection[str], other: Collection[str]) -> float:
    return max(fuzz.ratio(mine, theirs) for mine in one for theirs in other)
