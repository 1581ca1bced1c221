"""One side of a comparison: rules, the accounts they make of a tenant's rows, and the leads they give."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.ingest.domain.accounts.directory import Directory
from services.ingest.domain.derive import Derivation, derive_account
from services.ingest.domain.profile import AccountRows, ClosedTotals
from services.ingest.domain.records import Box, Opportunity, Project
from services.ingest.domain.values import PriceList
from services.recommender.domain.recommend import Recommendation, recommend
from services.scoring.domain.score import score_lead
from shared.events import AccountProfile, LeadFacts, Score
from shared.rules.model import Rules

Place = tuple[str, str]
"""What rows are linked to accounts by: (name of their own, territory id), each empty when missing."""

PlacedRow = tuple[Place, Box | Opportunity | Project]


@dataclass(frozen=True, slots=True)
class Judged:
    """A lead with everything that the rules say about it."""

    lead: LeadFacts
    account: AccountProfile
    score: Score
    offer: Recommendation


@dataclass(frozen=True)
class Side:
    """Rules with what follows from them for the whole tenant: its accounts and territory totals."""

    tenant_id: str
    as_of: date
    rules: Rules
    version: str
    directory: Directory
    territory_totals: Mapping[str, ClosedTotals]
    prices: PriceList

    def account_of(self, place: Place) -> str | None:
        """The account of the rows of a place, None when they belong to none."""
        name, territory_id = place
        return self.directory.account_of(name or None, territory_id or None)

    def judged(self, rows: Sequence[PlacedRow]) -> dict[str, Judged]:
        """The leads of some accounts by lead id; `rows` are all of theirs in the order they were read.

        By the functions of the services: rules.md §3, §6, then §4, then §5.
        """
        found = {}
        for account_id, of_account in self.by_account(rows).items():
            derivation = self.derived(account_id, of_account, self.as_of)
            for lead in derivation.leads:
                found[lead.lead_id] = self._judged(lead, derivation.profile)
        return found

    def by_account(self, rows: Sequence[PlacedRow]) -> dict[str, AccountRows]:
        """The rows of each account, in the order given."""
        groups: dict[str, tuple[list[Box], list[Opportunity], list[Project]]] = {}
        for place, record in rows:
            account_id = self.account_of(place)
            if account_id is None:
                continue
            boxes, opportunities, projects = groups.setdefault(account_id, ([], [], []))
            if isinstance(record, Box):
                boxes.append(record)
            elif isinstance(record, Opportunity):
                opportunities.append(record)
            else:
                projects.append(record)
        return {account_id: AccountRows(*of_account) for account_id, of_account in groups.items()}

    def derived(self, account_id: str, rows: AccountRows, as_of: date) -> Derivation:
        """An account as of a day (rules.md §2, §3, §6)."""
        return derive_account(
            self.tenant_id,
            self.directory.accounts[account_id],
            rows,
            territory_totals=self.territory_totals,
            prices=self.prices,
            rules=self.rules,
            as_of=as_of,
        )

    def _judged(self, lead: LeadFacts, profile: AccountProfile) -> Judged:
        score = score_lead(
            lead,
            profile,
            self.rules.scoring,
            products=self.rules.products,
            as_of=self.as_of,
            rules_version=self.version,
        )
        services = self.prices.catalogue.get(lead.catalogue_family or "", ())
        return Judged(lead, profile, score, recommend(lead, services, self.rules.recommendation))


def territory_totals(
    directory: Directory, closed: Mapping[Place, ClosedTotals]
) -> dict[str, ClosedTotals]:
    """The closed projects of each territory, over all accounts in it (rules.md §2)."""
    of_account: dict[str, ClosedTotals] = defaultdict(ClosedTotals)
    for (name, territory_id), totals in closed.items():
        account_id = directory.account_of(name or None, territory_id or None)
        if account_id is not None:
            of_account[account_id] = _sum(of_account[account_id], totals)
    of_territory: dict[str, ClosedTotals] = defaultdict(ClosedTotals)
    for account_id, totals in of_account.items():
        for territory_id in directory.accounts[account_id].territory_ids:
            of_territory[territory_id] = _sum(of_territory[territory_id], totals)
    return dict(of_territory)


def _sum(one: ClosedTotals, other: ClosedTotals) -> ClosedTotals:
    return ClosedTotals(one.count + other.count, one.sum + other.sum)
