"""Stage 3 of reconciliation (rules.md §2): links new names to known ones, or proposes them to a person.

A link is made to a founder, the name that founded an account. What is compared is in `NameIndex`.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from rapidfuzz import fuzz, process

from services.ingest.domain.accounts.normalise import folded_words, is_east_asian
from services.ingest.domain.accounts.similar_names import SimilarNames
from shared.events import Value
from shared.rules.model import Accounts

_RARE_TOKEN_FOUNDERS = 25
"""A word that at most so many founders carry says something about who they are."""


@dataclass(frozen=True)
class NameKey:
    """A normalised name with its forms, and where it occurs."""

    key: str
    forms: tuple[str, ...]
    territories: frozenset[str] = frozenset()
    postal_codes: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()

    def is_near(self, other: "NameKey") -> bool:
        """Whether the two share a territory, a postal code or a domain."""
        return bool(
            self.territories & other.territories
            or self.postal_codes & other.postal_codes
            or self.domains & other.domains
        )


class Candidate(Value):
    """A founder that a name may be the same account as; a person decides (rules.md §2)."""

    name: str
    founder: str
    similarity: float
    evidence: str


@dataclass(frozen=True)
class NameDecision:
    """What a name is: linked to a founder, or (founder == key) an account of its own."""

    key: str
    founder: str
    similarity: float
    evidence: str
    candidates: tuple[Candidate, ...] = ()


@dataclass
class NameIndex:
    """The known names: founders to compare with, and every known form for equality."""

    founders: dict[str, NameKey] = field(default_factory=dict)
    _founder_of: dict[str, str] = field(default_factory=dict)
    _founder_with: dict[str, str] = field(default_factory=dict)
    _similar: SimilarNames = field(default_factory=SimilarNames)
    _by_hint: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: NameKey, founder: str) -> None:
        """Makes a name known. It is a founder when `founder` is its own key."""
        for form in name.forms:
            self._founder_of.setdefault(form, founder)
        if founder != name.key:
            return
        self.founders[name.key] = name
        for form in name.forms:
            if form not in self._founder_with:
                self._founder_with[form] = name.key
                self._similar.add(form)
        for hint in _hints(name):
            self._by_hint[hint].append(name.key)

    def equal(self, name: NameKey) -> str | None:
        """The founder of a known name that has a form in common with this one."""
        return next((self._founder_of[f] for f in name.forms if f in self._founder_of), None)

    def alike(self, name: NameKey, link_at: float) -> dict[str, float]:
        """Founders whose ratio to the name is at least `link_at`, with the better of their forms."""
        found: dict[str, float] = {}
        for form in name.forms:
            for other, ratio in self._similar.at_least(form, link_at):
                founder = self._founder_with[other]
                found[founder] = max(ratio, found.get(founder, 0.0))
        return found

    def related(self, name: NameKey) -> Iterator[NameKey]:
        """Founders that share a territory, a domain or a rare word with the name."""
        seen: set[str] = set()
        for hint in _hints(name):
            sharing = self._by_hint.get(hint, ())
            if hint.startswith("word ") and len(sharing) > _RARE_TOKEN_FOUNDERS:
                continue
            seen.update(sharing)
        return (self.founders[key] for key in seen)


def link_names(new: Sequence[NameKey], known: NameIndex, rules: Accounts) -> list[NameDecision]:
    """Decides every new name, in sorted order; each decision is added to `known` for those after it."""
    decisions = []
    for name in sorted(new, key=lambda each: each.key):
        decision = _decide(name, known, rules)
        known.add(name, decision.founder)
        decisions.append(decision)
    return decisions


def _decide(name: NameKey, known: NameIndex, rules: Accounts) -> NameDecision:
    if (founder := known.equal(name)) is not None:
        return NameDecision(name.key, founder, 100.0, f'equal to "{founder}" once normalised')
    alike = known.alike(name, rules.link_at)
    objections = {key: _objection(name, known.founders[key], rules) for key in alike}
    free = [key for key, objection in objections.items() if objection is None]
    best = max((alike[key] for key in free), default=0.0)
    winners = [key for key in free if alike[key] == best]
    if len(winners) == 1:
        return NameDecision(name.key, winners[0], best, f'ratio {best:.1f} with "{winners[0]}"')
    candidates = [
        _candidate(name, key, score, f"ratio, but {objections[key] or 'so is another account'}")
        for key, score in alike.items()
    ]
    candidates += _related(name, known, rules, skip=alike.keys())
    candidates.sort(key=lambda each: (-each.similarity, each.founder))
    top = tuple(candidates[: rules.review_candidates])
    return NameDecision(name.key, name.key, 100.0, "no known name is the same", top)


def _related(
    name: NameKey, known: NameIndex, rules: Accounts, skip: Container[str]
) -> Iterator[Candidate]:
    """Related founders that are somewhat alike, or one of which contains the other's words."""
    pairs = [
        (f, each.key) for each in known.related(name) if each.key not in skip for f in each.forms
    ]
    contained = _scores(name, pairs, fuzz.token_set_ratio, rules.review_token_set_at)
    ratios = _scores(name, pairs, fuzz.ratio, rules.review_at)
    for founder, score in contained.items():
        yield _candidate(name, founder, score, "token set ratio")
    for founder in ratios.keys() - contained.keys():
        yield _candidate(name, founder, ratios[founder], "ratio")


def _scores(
    name: NameKey, pairs: Sequence[tuple[str, str]], scorer: Callable[..., float], at_least: float
) -> dict[str, float]:
    """Of (form, founder) pairs: the founders that score so much, with the better of their forms."""
    found: dict[str, float] = {}
    others = [form for form, _ in pairs]
    for mine in name.forms:
        for _, score, index in process.extract(
            mine, others, scorer=scorer, score_cutoff=at_least, limit=None
        ):
            founder = pairs[index][1]
            found[founder] = max(score, found.get(founder, 0.0))
    return found


def _candidate(name: NameKey, founder: str, score: float, evidence: str) -> Candidate:
    return Candidate(name=name.key, founder=founder, similarity=round(score, 1), evidence=evidence)


def _objection(one: NameKey, other: NameKey, rules: Accounts) -> str | None:
    """Why a person must decide although two names are alike, or None."""
    if is_east_asian(one.key) or is_east_asian(other.key):
        return "names in East Asian scripts are linked only when equal"
    if min(len(one.key), len(other.key)) < rules.min_link_length and not one.is_near(other):
        return "a short name, and no territory, postal code or domain in common"
    telling = _telling_words(rules.conflicting_words)
    if not rules.autolink_conflicting_words and _marks(one, telling) != _marks(other, telling):
        return "the names differ in a number or a word that tells accounts apart"
    return None


@lru_cache(maxsize=16)
def _telling_words(groups: tuple[tuple[str, ...], ...]) -> frozenset[str]:
    return frozenset("".join(folded_words(word)) for group in groups for word in group)


def _marks(name: NameKey, telling: frozenset[str]) -> list[str]:
    """The numbers and telling words of a name."""
    words = [word for word in name.key.split() if word in telling]
    return sorted(re.findall(r"\d+", name.key) + words)


def _hints(name: NameKey) -> Iterator[str]:
    yield from (f"territory {territory}" for territory in name.territories)
    yield from (f"domain {domain}" for domain in name.domains)
    yield from {f"word {word}" for form in name.forms for word in form.split()}
