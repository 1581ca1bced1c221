"""Lays what people decided over the directory that reconciliation made (rules.md §2): pure, so that a
decision taken back leaves no trace.

The base never learns of a decision, the effective directory is never reconciled any further.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar

from services.ingest.domain.accounts.decisions import Decision, DecisionState, pairs_of
from services.ingest.domain.accounts.directory import (
    AccountEntry,
    Directory,
    LinkStage,
    NameLink,
    TerritoryLink,
)
from services.ingest.domain.accounts.matching import Candidate

_L = TypeVar("_L", NameLink, TerritoryLink)
Merges = dict[str, tuple[str, Decision]]
"""Account that is merged into another → that one, and the decision that did it."""


def overlay(base: Directory, log: Iterable[Decision]) -> Directory:
    """The directory in force: the base with every decision that was made and not undone.

    Merged accounts are united under the surviving id, with its name and the territories of all; the
    ids that went keep resolving. Refused candidates are no longer asked.
    """
    standing = sorted(
        (each for each in log if each.state is DecisionState.MADE), key=lambda each: each.number
    )
    merges = _merges(base, standing)
    changes: dict[str, Any] = {}
    if merges:
        changes = {
            "accounts": {**base.accounts, **_accounts(base, merges)},
            "names": {**base.names, **_moved(base.names, merges)},
            "territories": {**base.territories, **_moved(base.territories, merges)},
        }
    effective = base.model_copy(update=changes)
    if not standing:
        return effective
    refused = [pairs_of(each, base.naming) for each in standing if each.refuses]
    asked = _still_asked(effective, {pair for pairs in refused for pair in pairs})
    return effective.model_copy(update={"candidates": asked})


def _merges(base: Directory, standing: Iterable[Decision]) -> Merges:
    """Who went where; a decision about accounts that are one by now has no effect."""
    found: Merges = {}
    for decision in standing:
        parties = _parties(base, decision) if decision.merges else None
        if parties is not None and base.accounts.keys() >= set(parties):
            gone, taker = (_end(found, each) for each in parties)
            if gone != taker:
                found[gone] = (taker, decision)
    return found


def _parties(base: Directory, decision: Decision) -> tuple[str, str] | None:
    """The accounts a merge is about today: those of its names, or else those it gives by id.

    None when the name map has given one of the names to another account since.
    """
    ids = []
    for name, account_id in (
        (decision.name, decision.account_id),
        (decision.founder, decision.into),
    ):
        link = base.names.get(name or "")
        if link is not None and link.founder != name:
            return None
        ids.append(link.account_id if link else _resolved(base, account_id or ""))
    return ids[0], ids[1]


def _resolved(base: Directory, account_id: str) -> str:
    """The account that an id leads to in the base."""
    seen = set()
    while account_id not in seen and account_id in base.accounts:
        seen.add(account_id)
        account_id = base.accounts[account_id].merged_into or account_id
    return account_id


def _end(merges: Mapping[str, tuple[str, Decision]], account_id: str) -> str:
    while account_id in merges:
        account_id = merges[account_id][0]
    return account_id


def _accounts(base: Directory, merges: Merges) -> dict[str, AccountEntry]:
    """The accounts that are other than in the base: those that took in, those that went, and those
    that reconciliation had led to one that went."""
    territories: dict[str, set[str]] = defaultdict(set)
    for account_id in {*merges, *(taker for taker, _ in merges.values())}:
        members = territories[_end(merges, account_id)]
        members.update(base.accounts[account_id].territory_ids)
    found = {
        taker: base.accounts[taker].model_copy(update={"territory_ids": tuple(sorted(members))})
        for taker, members in territories.items()
    }
    retired = [key for key, entry in base.accounts.items() if entry.merged_into is not None]
    for account_id in (*merges, *retired):
        live = _resolved(base, account_id)
        if live in merges:
            gone: dict[str, Any] = {"merged_into": _end(merges, live), "territory_ids": ()}
            found[account_id] = base.accounts[account_id].model_copy(update=gone)
    return found


def _moved(links: Mapping[str, _L], merges: Merges) -> dict[str, _L]:
    """The links that lead to another account than in the base, with who decided it."""
    return {
        key: link.model_copy(
            update={
                "account_id": _end(merges, link.account_id),
                "stage": LinkStage.MANUAL,
                "evidence": merges[link.account_id][1].told(),
            }
        )
        for key, link in links.items()
        if link.account_id in merges
    }


def _still_asked(
    effective: Directory, refused: Collection[frozenset[str]]
) -> tuple[Candidate, ...]:
    """Candidates whose names are still two accounts, and of whom nobody said that they are."""
    names = effective.names
    return tuple(
        each
        for each in effective.candidates
        if names[each.name].account_id != names[each.founder].account_id
        and frozenset((each.name, each.founder)) not in refused
    )
