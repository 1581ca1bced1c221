"""Links every name of a tenant to its founder: by hand, as known before, or by stage 3 (rules.md §2)."""

from collections.abc import Collection, Iterable, Mapping

from services.ingest.domain.accounts.directory import Directory, LinkStage, NameLink, NameUse
from services.ingest.domain.accounts.matching import (
    Candidate,
    NameDecision,
    NameIndex,
    NameKey,
    link_names,
)
from services.ingest.domain.accounts.normalise import Naming, name_forms, name_key
from shared.rules.model import Accounts

Links = dict[str, NameLink]


def link_uses(
    uses: Collection[NameUse], by_hand: Iterable[str], known: Directory, rules: Accounts
) -> tuple[Links, tuple[Candidate, ...]]:
    """The links of all names, by normalised name (their `account_id` still open), and candidates.

    `by_hand`: spellings that the territory map gives to accounts; like those of the name map they
    are linked only when equal. `known` must be under the naming of the rules, see `under_naming`.
    """
    naming = known.naming
    map_to = _manual_map({name_key(use.raw_name, naming) for use in uses}, naming, rules)
    spelled = [*by_hand, *map_to.values()]
    names = _name_keys([*uses, *(NameUse(raw_name=raw) for raw in spelled)], naming)
    links = {
        key: link
        for key, link in sorted(known.names.items())
        if link.stage is not LinkStage.MANUAL and key not in map_to
    }
    index = _index(links, names)
    for key in sorted({name_key(raw, naming) for raw in spelled} - links.keys()):
        founder = index.equal(names[key]) or key
        links[key] = _link(names[key], NameDecision(key, founder, 100.0, "named by hand"))
        index.add(names[key], founder)
    for key, raw in sorted(map_to.items()):
        founder = links[name_key(raw, naming)].founder
        decision = NameDecision(key, founder, 100.0, f'name map: "{raw}"')
        links[key] = _link(names[key], decision, LinkStage.MANUAL)
        index.add(names[key], founder)
    decisions = link_names([names[key] for key in names.keys() - links.keys()], index, rules)
    links |= {each.key: _link(names[each.key], each) for each in decisions}
    return links, _candidates(known, decisions, links)


def under_naming(known: Directory, uses: Iterable[NameUse], naming: Naming) -> Directory:
    """The directory with its names normalised anew, after the rules for suffixes changed.

    A spelling that is in use keeps its link: a change of the rules founds no accounts.
    """
    if known.naming == naming:
        return known
    renamed = {
        name_key(raw, known.naming): name_key(raw, naming) or name_key(raw, known.naming)
        for raw in sorted((use.raw_name for use in uses), reverse=True)
    }
    names = {
        renamed.get(key, key): link.model_copy(
            update={"founder": renamed.get(link.founder, link.founder)}
        )
        for key, link in sorted(known.names.items(), reverse=True)
    }
    candidates = tuple(
        each.model_copy(
            update={
                "name": renamed.get(each.name, each.name),
                "founder": renamed.get(each.founder, each.founder),
            }
        )
        for each in known.candidates
    )
    return known.model_copy(update={"naming": naming, "names": names, "candidates": candidates})


def _name_keys(uses: Iterable[NameUse], naming: Naming) -> dict[str, NameKey]:
    """Every name that is not empty, with where it is used."""
    groups: dict[str, list[NameUse]] = {}
    for use in uses:
        if key := name_key(use.raw_name, naming):
            groups.setdefault(key, []).append(use)
    return {
        key: NameKey(
            key=key,
            forms=tuple(dict.fromkeys(f for u in group for f in name_forms(u.raw_name, naming))),
            territories=frozenset(use.territory_id for use in group if use.territory_id),
            postal_codes=frozenset(use.postal_code for use in group if use.postal_code),
            domains=frozenset(use.domain for use in group if use.domain),
        )
        for key, group in groups.items()
    }


def _manual_map(keys: Collection[str], naming: Naming, rules: Accounts) -> dict[str, str]:
    """Names in use → the spelling that the name map sends them to, at the end of its chain.

    A name that is sent to itself stands for itself: so two are parted that were linked as alike.
    """
    entries = {name_key(raw, naming): to for raw, to in rules.name_map.items()}
    found = {}
    for key in entries.keys() & keys:
        target = entries[key]
        for _ in entries:
            target = entries.get(name_key(target, naming), target)
        if name_key(target, naming):
            found[key] = target
    return found


def _index(links: Links, names: Mapping[str, NameKey]) -> NameIndex:
    """What is known already: founders first, so that equality finds them before their followers."""
    index = NameIndex()
    for key, link in sorted(links.items(), key=lambda item: (item[1].founder != item[0], item[0])):
        index.add(names.get(key) or NameKey(key, link.forms), link.founder)
    return index


def _link(name: NameKey, decision: NameDecision, stage: LinkStage = LinkStage.NAME) -> NameLink:
    founded = decision.founder == name.key
    return NameLink(
        account_id="",
        founder=decision.founder,
        forms=name.forms,
        stage=LinkStage.FOUNDED if founded else stage,
        evidence=decision.evidence,
        similarity=None if founded else round(decision.similarity, 1),
    )


def _candidates(
    known: Directory, decisions: Iterable[NameDecision], links: Links
) -> tuple[Candidate, ...]:
    """Open questions: of names that still stand for themselves, about founders that still do."""
    asked = [*known.candidates, *(each for one in decisions for each in one.candidates)]
    by_pair = {(each.name, each.founder): each for each in asked}
    own = {key for key, link in links.items() if link.founder == key}
    return tuple(by_pair[pair] for pair in sorted(by_pair) if own.issuperset(pair))
