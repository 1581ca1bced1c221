"""Stage 3 decides as its text does when it is followed word by word, all names with all (rules.md §2)."""

import re
import unicodedata
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from bench.company_names import companies, spellings
from services.ingest.domain.accounts.matching import NameDecision, NameIndex, NameKey, link_names
from services.ingest.domain.accounts.normalise import folded_words, name_forms, naming_of
from shared.rules.load import default_rules
from shared.rules.model import Rules
from tests.support.builders import changed

RULES = default_rules()
BOLD = changed(RULES, accounts__autolink_conflicting_words=True)
NAMING = naming_of(RULES.accounts)
TELLING = {"".join(folded_words(w)) for group in RULES.accounts.conflicting_words for w in group}
EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "IDEOGRAPHIC")
Told = tuple[str, str, float, str, tuple[tuple[str, float], ...]]
"""Key, founder, similarity, evidence, candidates with their similarities."""


def followed(new: Sequence[NameKey], known: Sequence[NameKey], rules: Rules) -> list[Told]:
    """The decisions, by the text of the rules and without an index."""
    founders, founder_of = {name.key: name for name in known}, dict[str, str]()
    for name in known:
        for form in name.forms:
            founder_of.setdefault(form, name.key)
    decisions = []
    for name in sorted(new, key=lambda each: each.key):
        equal = [founder_of[form] for form in name.forms if form in founder_of]
        if equal:
            says = f'equal to "{equal[0]}" once normalised'
            told: Told = (name.key, equal[0], 100.0, says, ())
        else:
            told = compared(name, founders, rules)
        decisions.append(told)
        for form in name.forms:
            founder_of.setdefault(form, told[1])
        if told[1] == name.key:
            founders[name.key] = name
    return decisions


def compared(name: NameKey, founders: dict[str, NameKey], rules: Rules) -> Told:
    ratios = {key: better(fuzz.ratio, name, other) for key, other in founders.items()}
    alike = {key: ratio for key, ratio in ratios.items() if ratio >= 85}
    free = {key: alike[key] for key in alike if may_link(name, founders[key], rules)}
    best = [key for key in free if free[key] == max(free.values())]
    if len(best) == 1:
        says = f'ratio {free[best[0]]:.1f} with "{best[0]}"'
        return name.key, best[0], free[best[0]], says, ()
    questions = dict(alike)
    for key, other in founders.items():
        if key not in alike and shares(name, other, founders):
            contained = better(fuzz.token_set_ratio, name, other)
            if contained >= 95 or ratios[key] >= 60:
                questions[key] = contained if contained >= 95 else ratios[key]
    best_first = sorted(questions, key=lambda key: (-round(questions[key], 1), key))
    top = tuple((key, round(questions[key], 1)) for key in best_first[:3])
    return name.key, name.key, 100.0, "no known name is the same", top


def better(scorer: Callable[..., float], one: NameKey, other: NameKey) -> float:
    return max(scorer(mine, theirs) for mine in one.forms for theirs in other.forms)


def may_link(one: NameKey, other: NameKey, rules: Rules) -> bool:
    if any(unicodedata.name(char, "").startswith(EAST_ASIAN) for char in one.key + other.key):
        return False
    near = (
        one.territories & other.territories
        or one.postal_codes & other.postal_codes
        or one.domains & other.domains
    )
    if not near and (len(one.key) < 6 or len(other.key) < 6):
        return False
    return rules.accounts.autolink_conflicting_words or telling(one) == telling(other)


def telling(name: NameKey) -> list[str]:
    return sorted(re.findall(r"\d+", name.key) + [w for w in name.key.split() if w in TELLING])


def shares(one: NameKey, other: NameKey, founders: dict[str, NameKey]) -> bool:
    def words(name: NameKey) -> set[str]:
        return {word for form in name.forms for word in form.split()}

    def carried(word: str) -> int:
        return sum(word in words(founder) for founder in founders.values())

    rare = any(carried(word) <= 25 for word in words(one) & words(other))
    return bool(rare or one.territories & other.territories or one.domains & other.domains)


def as_told(decisions: Sequence[NameDecision]) -> list[Told]:
    return [
        (
            each.key,
            each.founder,
            each.similarity,
            each.evidence,
            tuple((c.founder, c.similarity) for c in each.candidates),
        )
        for each in decisions
    ]


WORDS = (
    "acme acmes kestrel kestrels aerospace aerospaces north nörth south bank präzision praezision "
    "prazision vega 1 2 iowa ohio 東日本電信電話 西日本電信電話 パ 삼성전자 a b"
)
words = st.sampled_from(WORDS.split())
places = st.frozensets(st.sampled_from("12"), max_size=1)


@st.composite
def some_names(draw: st.DrawFn) -> list[NameKey]:
    found: dict[str, NameKey] = {}
    for raw in draw(st.lists(st.lists(words, min_size=1, max_size=3).map(" ".join), max_size=14)):
        forms = name_forms(raw, NAMING)
        name = NameKey(forms[0], forms, draw(places), draw(places), draw(places))
        found.setdefault(name.key, name)
    return list(found.values())


def indexed(known: Sequence[NameKey]) -> NameIndex:
    index = NameIndex()
    for name in known:
        index.add(name, name.key)
    return index


def without_common_forms(names: Sequence[NameKey]) -> list[NameKey]:
    """Those that can all be founders: names that have a form in common are one account."""
    seen, found = set[str](), []
    for name in names:
        if seen.isdisjoint(name.forms):
            found.append(name)
            seen.update(name.forms)
    return found


@given(some_names(), some_names(), st.sampled_from([RULES, BOLD]))
def test_names_are_decided_as_the_text_says(
    new: list[NameKey], some: list[NameKey], rules: Rules
) -> None:
    known = without_common_forms(some)
    new = [name for name in new if all(name.key != each.key for each in known)]
    expected = followed(new, known, rules)
    assert as_told(link_names(new, indexed(known), rules.accounts)) == expected


@pytest.mark.parametrize("rules", [RULES, BOLD], ids=["careful", "bold"])
def test_a_batch_of_companies_is_decided_as_the_text_says(rules: Rules) -> None:
    base = companies(300, seed=21)
    late = [each.raw for each in spellings(base, 80, 0.3, seed=22)]
    at_home = {raw: frozenset([str(len(raw) % 7)]) for raw in [*base, *late]}
    names: dict[str, NameKey] = {}
    for raw in [*base, *late]:
        if forms := name_forms(raw, NAMING):
            names.setdefault(forms[0], NameKey(forms[0], forms, at_home[raw]))
    known = [names[key] for key in {name_forms(raw, NAMING)[0]: None for raw in base}]
    known = without_common_forms(known)
    new = [name for name in names.values() if name not in known]
    decisions = link_names(new, indexed(known), rules.accounts)
    assert as_told(decisions) == followed(new, known, rules)
    assert sum(each.founder != each.key for each in decisions) > 10
    assert sum(bool(each.candidates) for each in decisions) > 10
