"""Reconciles a tenant's names and territories to accounts (rules.md §2): all uses in, directory out.

A cluster is a founder, the name that founded an account, with every name linked to it. Its home is
the account of the first territory it owned, or else the account of the founding name.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from services.ingest.domain.accounts.directory import (
    AccountEntry,
    Directory,
    LinkStage,
    NameLink,
    NameUse,
    TerritoryLink,
)
from services.ingest.domain.accounts.linking import Links, link_uses, under_naming
from services.ingest.domain.accounts.normalise import name_key, naming_of
from services.ingest.domain.ids import account_id_of_name, account_id_of_territory
from shared.rules.model import Accounts

_BY_TERRITORY, _BY_NAME = "territory:", "name:"
_L = TypeVar("_L", NameLink, TerritoryLink)


def reconcile(
    tenant_id: str,
    uses: Sequence[NameUse],
    territory_ids: Collection[str],
    known: Directory,
    rules: Accounts,
) -> Directory:
    """The directory after these uses, which are all of the tenant's, not only a batch's.

    Known names keep their links, ids stay: a new majority in a territory renames its account, and
    an account that the new owner had by name only is merged into it.
    """
    naming = naming_of(rules)
    known = under_naming(known, uses, naming)
    used_in = {use.territory_id for use in uses if use.territory_id is not None}
    territories = sorted({*territory_ids, *known.territories, *used_in})
    by_hand = {each: rules.territory_map.get(each, "") for each in territories}
    by_hand = {each: name for each, name in by_hand.items() if name_key(name, naming)}
    links, candidates = link_uses(uses, by_hand.values(), known, rules)
    run = _Reconciliation(tenant_id, known, links, by_hand, defaultdict(list))
    for use in uses:
        if key := name_key(use.raw_name, naming):
            run.uses_of[links[key].founder].append(use)
    directory = Directory(naming=naming, candidates=candidates)
    return directory.model_copy(update=run.outcome(territories))


@dataclass(frozen=True)
class _Reconciliation:
    """One run, its names linked: finds the owners of territories, gives clusters their homes."""

    tenant_id: str
    known: Directory
    links: Links
    by_hand: dict[str, str]
    uses_of: dict[str, list[NameUse]]

    def outcome(self, territories: Sequence[str]) -> dict[str, Any]:
        """Names, territories and accounts of the directory."""
        founders = sorted({link.founder for link in self.links.values()})
        majorities = self._majorities()
        owned: dict[str, list[str]] = {founder: [] for founder in founders}
        owners = {each: self._owner(each, majorities.get(each), owned) for each in territories}
        for territory, link in owners.items():
            if link.owner is not None:
                owned[link.owner].append(territory)
        homes = {founder: self._home(founder, owned[founder]) for founder in founders}
        names = {key: _moved(link, homes[link.founder]) for key, link in self.links.items()}
        links = {
            territory: link if link.owner is None else _moved(link, homes[link.owner])
            for territory, link in owners.items()
        }
        accounts = {home: self._entry(each, home, owned[each]) for each, home in homes.items()}
        accounts |= _unowned(links)
        for account_id in self.known.accounts.keys() - accounts.keys():
            accounts[account_id] = self._retired(self.known.accounts[account_id], names, links)
        return {
            "names": dict(sorted(names.items())),
            "territories": links,
            "accounts": dict(sorted(accounts.items())),
        }

    def _majorities(self) -> dict[str, tuple[str, str]]:
        """Territory → (founder most of its opportunities carry, evidence).

        Tie: the latest created opportunity, then the first row (rules.md §2).
        """
        shares: dict[str, dict[str, list[NameUse]]] = defaultdict(lambda: defaultdict(list))
        for founder, uses in sorted(self.uses_of.items()):
            for use in uses:
                if use.territory_id is not None and use.opportunity_rows:
                    shares[use.territory_id][founder].append(use)
        return {territory: _majority(by_founder) for territory, by_founder in shares.items()}

    def _owner(
        self, territory: str, majority: tuple[str, str] | None, founders: Collection[str]
    ) -> TerritoryLink:
        """The owner of a territory; the account is still that of the territory itself."""
        before = self.known.territories.get(territory)
        owner, stage, evidence = None, LinkStage.FOUNDED, "no opportunity names its account"
        if (spelling := self.by_hand.get(territory)) is not None:
            owner = self.links[name_key(spelling, self.known.naming)].founder
            stage, evidence = LinkStage.MANUAL, f'territory map: "{spelling}"'
        elif majority is not None:
            (owner, evidence), stage = majority, LinkStage.TERRITORY
        elif before and before.stage is LinkStage.TERRITORY and before.owner in founders:
            owner, stage, evidence = before.owner, before.stage, before.evidence
        account_id = account_id_of_territory(self.tenant_id, territory)
        return TerritoryLink(account_id=account_id, owner=owner, stage=stage, evidence=evidence)

    def _home(self, founder: str, owned: Sequence[str]) -> str:
        """The account of a cluster: the one it has, as long as it may keep it."""
        homes = [account_id_of_territory(self.tenant_id, territory) for territory in owned]
        before = self.known.names.get(founder)
        if before is not None and before.founder == founder:
            current = self.known.accounts[before.account_id]
            if current.account_id in homes or (not homes and _is_by_name(current)):
                return current.account_id
        known = [home for home in homes if home in self.known.accounts]
        return [*known, *homes, account_id_of_name(self.tenant_id, founder)][0]

    def _entry(self, founder: str, account_id: str, owned: Sequence[str]) -> AccountEntry:
        before = self.known.accounts.get(account_id)
        uses = self.uses_of.get(founder, [])
        of_territory = {account_id_of_territory(self.tenant_id, each): each for each in owned}
        founded_by = _BY_NAME + founder
        if account_id in of_territory:
            founded_by = _BY_TERRITORY + of_territory[account_id]
        names = [self.by_hand[each] for each in owned if each in self.by_hand]
        names += [_commonest_spelling(uses)] if uses else [before.name if before else founder]
        return AccountEntry(
            account_id=account_id,
            name=names[0],
            territory_ids=tuple(
                sorted({*owned, *(u.territory_id for u in uses if u.territory_id)})
            ),
            founded_by=before.founded_by if before else founded_by,
        )

    def _retired(
        self, entry: AccountEntry, names: Links, territories: dict[str, TerritoryLink]
    ) -> AccountEntry:
        """An account without a name or territory of its own: its id resolves to where they went."""
        founder = entry.founded_by.partition(":")[2]
        if _is_by_name(entry):
            link = names.get(founder) or names.get(name_key(entry.name, self.known.naming))
            merged_into = link.account_id if link else entry.merged_into
        else:
            merged_into = territories[founder].account_id
        return entry.model_copy(update={"merged_into": merged_into, "territory_ids": ()})


def _moved(link: _L, account_id: str) -> _L:
    return link.model_copy(update={"account_id": account_id})


def _is_by_name(entry: AccountEntry) -> bool:
    return entry.founded_by.startswith(_BY_NAME)


def _unowned(territories: dict[str, TerritoryLink]) -> dict[str, AccountEntry]:
    """The accounts of territories that no opportunity names."""
    return {
        link.account_id: AccountEntry(
            account_id=link.account_id,
            name=f"Territory {territory}",
            territory_ids=(territory,),
            founded_by=_BY_TERRITORY + territory,
        )
        for territory, link in territories.items()
        if link.owner is None
    }


def _majority(by_founder: dict[str, list[NameUse]]) -> tuple[str, str]:
    """(founder most opportunities carry, evidence)."""
    weights = {each: _weight(uses, "opportunity_rows") for each, uses in by_founder.items()}
    winner = max(weights, key=weights.__getitem__)
    of = sum(rows for rows, _, _ in weights.values())
    return winner, f"{weights[winner][0]} of {of} opportunities carry its name"


def _weight(uses: Sequence[NameUse], rows: str) -> tuple[int, date, int]:
    """Rows, then the latest created opportunity, then the first row: the greater weighs more."""
    latest = max(use.latest_created or date.min for use in uses)
    return sum(getattr(use, rows) for use in uses), latest, -min(use.first_row for use in uses)


def _commonest_spelling(uses: Sequence[NameUse]) -> str:
    spellings = sorted({use.raw_name for use in uses})
    weights = {raw: _weight([u for u in uses if u.raw_name == raw], "rows") for raw in spellings}
    return max(weights, key=weights.__getitem__)
