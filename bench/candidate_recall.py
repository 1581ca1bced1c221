"""Measures the questions put to a person (rules.md §2) against brute force: how many of the best three
per name are found, and how often the account that is really meant is among them.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from rapidfuzz import fuzz, process

from bench.company_names import companies, spellings
from services.ingest.domain.accounts.matching import NameDecision, NameIndex, NameKey, link_names
from services.ingest.domain.accounts.normalise import name_forms, naming_of
from shared.rules.load import default_rules

_RULES = default_rules().accounts
_NAMING = naming_of(_RULES)
_RARE = 25


@dataclass
class Recall:
    """Shares are of 1. `by_rule`: of the pairs that share a territory or a rare word; `of_all`: of all."""

    names: int = 0
    asked_about: int = 0
    by_rule: float = 0.0
    of_all: float = 0.0
    meant: int = 0
    meant_found: int = 0
    meant_found_by_brute_force: int = 0


@dataclass
class _Founders:
    """Everything known so far, without an index."""

    keys: dict[str, NameKey] = field(default_factory=dict)
    forms: list[str] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)
    carriers: Counter[str] = field(default_factory=Counter)

    def add(self, name: NameKey) -> None:
        self.keys[name.key] = name
        self.forms += name.forms
        self.owners += [name.key] * len(name.forms)
        self.carriers.update(_words(name))

    def scores(self, name: NameKey, scorer: Callable[..., float], least: float) -> dict[str, float]:
        found: dict[str, float] = {}
        for form in name.forms:
            for _, score, index in process.extract(
                form, self.forms, scorer=scorer, score_cutoff=least, limit=None
            ):
                found[self.owners[index]] = max(score, found.get(self.owners[index], 0.0))
        return found

    def questions(self, name: NameKey) -> list[str]:
        """All founders that are alike or contained, the most alike first."""
        contained = self.scores(name, fuzz.token_set_ratio, _RULES.review_token_set_at)
        ratios = self.scores(name, fuzz.ratio, _RULES.review_at)
        best = ratios | {k: s for k, s in contained.items() if ratios.get(k, 0) < _RULES.link_at}
        return sorted(best, key=lambda key: (-round(best[key], 1), key))

    def share(self, name: NameKey, other: str) -> bool:
        """Whether two names share a territory, a domain or a rare word."""
        founder = self.keys[other]
        rare = {word for word in _words(name) & _words(founder) if self.carriers[word] <= _RARE}
        return bool(
            rare or name.territories & founder.territories or name.domains & founder.domains
        )


def measure(known: int, new: int, seed: int) -> Recall:
    """Decides `new` spellings against so many known companies, and again without an index."""
    draw = random.Random(seed)  # noqa: S311 - reproducible, not secret
    base = companies(known, seed)
    territory = {company: str(draw.randrange(max(1, known // 3))) for company in base}
    index, founders = NameIndex(), _Founders()
    for each in base:
        name = _name(each, territory[each])
        if name is not None and index.equal(name) is None:
            index.add(name, name.key)
            founders.add(name)
    meant: dict[str, str] = {}
    names: dict[str, NameKey] = {}
    for spelling in spellings(base, new, new_share=0.3, seed=seed + 1):
        at_home = draw.random() < 0.5
        where = territory.get(spelling.company, "new") if at_home else str(draw.randrange(known))
        name, company = _name(spelling.raw, where), _name(spelling.company, where)
        if name is not None and company is not None and name.key not in founders.keys:
            names.setdefault(name.key, name)
            meant.setdefault(name.key, company.key)
    return _compared(link_names(list(names.values()), index, _RULES), names, founders, meant)


def _compared(
    decisions: Iterable[NameDecision],
    names: dict[str, NameKey],
    founders: _Founders,
    meant: dict[str, str],
) -> Recall:
    recall = Recall()
    by_rule, of_all = [0, 0], [0, 0]
    for decision in decisions:
        name = names[decision.key]
        recall.names += 1
        if decision.founder != decision.key:
            continue
        ours = [each.founder for each in decision.candidates]
        every = founders.questions(name)
        allowed = [each for each in every if _is_due(founders, name, each)]
        recall.asked_about += bool(ours)
        _count(by_rule, ours, allowed[: _RULES.review_candidates])
        _count(of_all, ours, every[: _RULES.review_candidates])
        if meant[name.key] in founders.keys:
            recall.meant += 1
            recall.meant_found += meant[name.key] in ours
            recall.meant_found_by_brute_force += meant[name.key] in every[:3]
        founders.add(name)
    recall.by_rule, recall.of_all = (found / max(1, due) for found, due in (by_rule, of_all))
    return recall


def _is_due(founders: _Founders, name: NameKey, other: str) -> bool:
    """Whether the rule asks about this pair: it shares something, or is alike but for a guard."""
    alike = max(
        fuzz.ratio(mine, theirs) for mine in name.forms for theirs in founders.keys[other].forms
    )
    return alike >= _RULES.link_at or founders.share(name, other)


def _count(found_and_due: list[int], ours: Sequence[str], due: Sequence[str]) -> None:
    found_and_due[0] += len(set(ours) & set(due))
    found_and_due[1] += len(due)


def _words(name: NameKey) -> set[str]:
    return {word for form in name.forms for word in form.split()}


def _name(raw: str, territory: str) -> NameKey | None:
    forms = name_forms(raw, _NAMING)
    return NameKey(forms[0], forms, territories=frozenset([territory])) if forms else None
