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


def evidence(new: NameKey, *known: NameKey, rules: Rules = RULES) -> list[str]:
    """Why each candidate was not linked."""
    return [each.evidence for each in decided(new, *known, rules=rules).candidates]


def test_the_evidence_says_how_a_link_was_made_and_why_another_was_not() -> None:
    assert decided(name("Vega AG"), name("Vega Inc")).evidence == 'equal to "vega" once normalised'
    assert decided(name("Vega"), name("Kestrel")).evidence == "no known name is the same"
    assert evidence(name("東日本電信電話"), name("西日本電信電話")) == [
        "ratio, but names in East Asian scripts are linked only when equal"
    ]
    assert evidence(name("Acmes"), name("Acme")) == [
        "ratio, but a short name, and no territory, postal code or domain in common"
    ]
    assert evidence(name("Vega Clinics 1"), name("Vega Clinics 2")) == [
        "ratio, but the names differ in a number or a word that tells accounts apart"
    ]
    assert evidence(name("Kestrels"), name("Kestrelx"), name("Kestrely")) == [
        "ratio, but so is another account",
        "ratio, but so is another account",
    ]
    assert evidence(name("Apple Computer"), name("Apple")) == ["token set ratio"]
    assert evidence(name("Nordwind Logistik"), name("Nordwind Energie")) == ["ratio"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Vegas Cit", "Vegas City"),
        ("Йотапром", "Йотапромм"),
        ("Ελλάδαα", "Ελλάδα"),
        ("النورر", "النور"),
    ],
)
def test_names_in_alphabets_are_linked_when_alike(one: str, other: str) -> None:
    linked = decided(name(one, "1"), name(other, "1"))
    assert linked.founder == name(other).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("東京電力電話局工業所", "東京電力電話局工業"),
        ("サヨコパッカード", "サヨコパッカードド"),
        ("ひらがなのなまえ", "ひらがなのなまええ"),
        ("삼성전자산업통신", "삼성전자산업통신주"),
        ("Hewlett 日本 Packard", "Hewlett 日本 Packards"),
    ],
)
def test_names_with_han_kana_or_hangul_are_questions_in_the_same_place_too(
    one: str, other: str
) -> None:
    assert fuzz.ratio(name(one).key, name(other).key) >= 85
    decision = decided(name(one, "1"), name(other, "1"))
    assert is_founder(decision)
    assert [each.founder for each in decision.candidates] == [name(other).key]
    assert is_founder(decided(name(other, "1"), name(one, "1")))


def test_one_name_with_han_is_enough_for_a_question() -> None:
    with_han, without = name("Hewlett Packard 日"), name("Hewlett Packard")
    assert is_founder(decided(with_han, without))
    assert is_founder(decided(without, with_han))


def test_both_names_must_have_six_letters_to_be_linked_from_afar() -> None:
    assert decided(name("vegast"), name("vegasts")).founder == "vegasts"
    assert is_founder(decided(name("vegast"), name("vegas")))
    assert is_founder(decided(name("vegas"), name("vegast")))
    assert decided(name("vegas", "7"), name("vegast", "7")).founder == "vegast"
    assert is_founder(decided(name("vegas", "7"), name("vegast", "8")))


def test_exactly_85_links_and_just_below_asks() -> None:
    long, short = "a" * 23, "a" * 17
    assert fuzz.ratio(long, short) == 85.0
    assert decided(name(long), name(short)).founder == short
    assert fuzz.ratio(long, "a" * 16) < 85
    below = decided(name(long, "1"), name("a" * 16, "1"))
    assert is_founder(below)
    assert [each.similarity for each in below.candidates] == [82.1]


def test_exactly_60_asks_and_just_below_does_not() -> None:
    assert fuzz.ratio("abcde", "abcxy") == 60.0
    asked = decided(name("abcde", "1"), name("abcxy", "1"))
    assert [(each.name, each.founder, each.similarity) for each in asked.candidates] == [
        ("abcde", "abcxy", 60.0)
    ]
    assert not decided(name("abcde", "1"), name("abcxyz", "1")).candidates


def test_all_words_of_the_other_ask_from_95_on() -> None:
    one, other, third = "abcdefghij klmnopqrs", "klmnopqrs abcdefghix", "klmnopqrs abcdefghxy"
    assert fuzz.token_set_ratio(one, other) == 95.0
    assert max(fuzz.ratio(one, other), fuzz.ratio(one, third)) < 60
    asked = decided(name(one), name(other))
    assert [(each.similarity, each.evidence) for each in asked.candidates] == [
        (95.0, "token set ratio")
    ]
    assert not decided(name(one), name(third)).candidates
    contained = decided(name("Nord Alpen"), name("Alpen Bergbahnen Sesselbahnen Nord"))
    assert [each.similarity for each in contained.candidates] == [100.0]


def test_a_common_domain_relates_names_and_a_common_postal_code_alone_does_not() -> None:
    one, other = name("Nordwindlogistik", domain="n.com"), name("Nordwind Energie", domain="n.com")
    assert decided(one, other).candidates
    there = replace(name("Nordwind Energie"), postal_codes=frozenset(["6000"]))
    here = replace(name("Nordwindlogistik"), postal_codes=frozenset(["6000"]))
    assert not decided(here, there).candidates


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Nordwind Energie Schweiz", "Nordwind Energie Schweizer"),
        ("Vega 12 Clinics", "Vega 1 2 Clinics"),
    ],
)
def test_telling_words_and_numbers_are_whole_ones(one: str, other: str) -> None:
    assert fuzz.ratio(name(one).key, name(other).key) >= 85
    assert is_founder(decided(name(one), name(other)))
    bold = changed(RULES, accounts__autolink_conflicting_words=True)
    assert decided(name(one), name(other), rules=bold).founder == name(other).key


def test_telling_words_in_another_order_are_the_same() -> None:
    one, other = name("Vega Clinics 1 and 2"), name("Vega Clinics 2 and 1")
    assert fuzz.ratio(one.key, other.key) >= 85
    assert decided(one, other).founder == other.key


def test_a_telling_word_with_an_umlaut_counts_however_it_is_written() -> None:
    words = changed(RULES, accounts__conflicting_words=(("Süd", "Nord"),))
    assert is_founder(decided(name("Vega Kliniken Süd"), name("Vega Kliniken"), rules=words))
    assert decided(name("Vega Kliniken Ost"), name("Vega Klinikem Ost"), rules=words).founder


def test_a_name_linked_in_a_batch_makes_its_own_spelling_known() -> None:
    index = NameIndex()
    first = link_names([name("First Data"), name("First Date")], index, RULES.accounts)
    assert [each.founder for each in first] == ["first data", "first data"]
    assert index.equal(name("First Date Inc")) == "first data"
    assert index.founders.keys() == {"first data"}
    assert index.equal(name("Nobody")) is None
