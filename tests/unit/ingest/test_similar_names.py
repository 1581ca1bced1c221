"""The fast search finds exactly what comparing with every known name finds (rules.md §2)."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rapidfuzz import fuzz, process
from rapidfuzz.distance import Indel

from bench.company_names import companies, spellings
from services.ingest.domain.accounts.normalise import name_key, naming_of
from services.ingest.domain.accounts.similar_names import SimilarNames, most_steps, signature
from shared.rules.load import default_rules

NAMING = naming_of(default_rules().accounts)


def keys(raw: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(key for each in raw if (key := name_key(each, NAMING))))


def index_of(known: Sequence[str]) -> SimilarNames:
    """All of them behind signatures from the first search on."""
    index = SimilarNames(loose_names=0, loose_searches=0)
    for name in known:
        index.add(name)
    return index


def by_brute_force(name: str, known: Sequence[str], ratio: float) -> dict[str, float]:
    found = process.extract(name, known, scorer=fuzz.ratio, score_cutoff=ratio, limit=None)
    return {other: score for other, score, _ in found}


letters = st.sampled_from("aab eé12 東西パ삼й")
texts = st.text(alphabet=letters, min_size=1, max_size=45) | st.text(min_size=1, max_size=12)
ratios = st.sampled_from([0.0, 50.0, 60.0, 84.9, 85.0, 85.1, 90.0, 99.9, 100.0])


@given(texts, st.lists(texts, unique=True, max_size=40), ratios)
@example("a" * 17, ["a" * 23, "a" * 24, "a" * 13, "a" * 12], 85.0)
@example("a" * 600, ["a" * 700, "b" * 600, "a" * 443, "a" * 442], 85.0)
def test_a_search_finds_what_brute_force_finds(name: str, known: list[str], ratio: float) -> None:
    assert dict(index_of(known).at_least(name, ratio)) == by_brute_force(name, known, ratio)


COMPANIES = companies(2_000, seed=11)
KNOWN = keys(COMPANIES)
NEW = keys([each.raw for each in spellings(COMPANIES, 150, 0.4, seed=12)])


@pytest.mark.parametrize("ratio", [60.0, 85.0, 92.5])
def test_misspelt_companies_in_every_script_find_what_brute_force_finds(ratio: float) -> None:
    index = index_of(KNOWN)
    found = {name: dict(index.at_least(name, ratio)) for name in NEW}
    assert found == {name: by_brute_force(name, KNOWN, ratio) for name in NEW}
    assert sum(map(len, found.values())) > 30


def test_names_that_come_between_searches_are_found_each_once() -> None:
    draw = random.Random(5)  # noqa: S311 - reproducible, not secret
    index, known = SimilarNames(loose_names=20, loose_searches=3), list[str]()
    for name in draw.sample(KNOWN, 1_000):
        index.add(name)
        known.append(name)
        if draw.random() < 0.1:
            sought = draw.choice(NEW)
            found = index.at_least(sought, 85)
            assert dict(found) == by_brute_force(sought, known, 85)
            assert len(found) == len(dict(found))
    assert sorted(index.likely("a", 0)) == sorted(known)


def test_few_names_are_compared_one_by_one_and_a_crowd_only_while_few_ask() -> None:
    few, crowd = SimilarNames(loose_names=3, loose_searches=2), SimilarNames(3, 2)
    for name in ("aaa", "bbb", "ccc"):
        few.add(name)
        crowd.add(name)
    crowd.add("ddd")
    assert [len(few.likely("aaa", 85)) for _ in range(4)] == [3, 3, 3, 3]
    assert [len(crowd.likely("aaa", 85)) for _ in range(4)] == [4, 4, 1, 1]


def test_an_index_without_names_finds_nothing() -> None:
    assert SimilarNames().at_least("acme", 0) == []
    assert index_of([]).at_least("acme", 0) == []


def test_few_unlike_names_are_left_to_compare() -> None:
    index = index_of(KNOWN)
    left = sum(len(index.likely(name, 85)) for name in NEW)
    alike = sum(len(by_brute_force(name, KNOWN, 85)) for name in NEW)
    assert alike <= left < len(NEW) * len(KNOWN) / 250


@given(st.text(max_size=40), st.integers(0, 40), st.characters())
def test_a_letter_more_turns_over_exactly_one_bit(name: str, at: int, letter: str) -> None:
    longer = name[:at] + letter + name[at:]
    assert (signature(name) ^ signature(longer)).bit_count() == 1


@given(texts, texts)
def test_signatures_differ_in_no_more_bits_than_there_are_steps(one: str, other: str) -> None:
    assert (signature(one) ^ signature(other)).bit_count() <= Indel.distance(one, other)
    assert signature(one) < 1 << 64


def test_common_letters_share_no_bit() -> None:
    alphabet = "abcdefghijklmnopqrstuvwxyz 0123456789"
    assert signature(alphabet).bit_count() == len(alphabet)
    assert signature("ee").bit_count() == 2


@pytest.mark.parametrize(
    ("together", "ratio", "steps"),
    [(40, 85, 6), (39, 85, 5), (20, 85, 3), (19, 85, 2), (7, 100, 0), (7, 0, 7), (1_000, 99.9, 1)],
)
def test_a_ratio_allows_so_many_steps(together: int, ratio: float, steps: int) -> None:
    assert most_steps(together, ratio) == steps


@given(texts, texts, ratios)
def test_no_pair_within_the_ratio_takes_more_steps(one: str, other: str, ratio: float) -> None:
    within = Indel.distance(one, other) <= most_steps(len(one) + len(other), ratio)
    assert within or fuzz.ratio(one, other) < ratio
