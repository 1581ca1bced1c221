"""Assesses tables as of a day: rows → accounts → leads → scores → services, in memory.

The same pure code as in the services, and nothing else: no Kafka, no database, no review decisions.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from onelead.assess.rows import judged_rows
from onelead.assess.uses import name_uses
from services.ingest.domain.accounts.directory import Directory, own_name
from services.ingest.domain.accounts.matching import Candidate
from services.ingest.domain.accounts.reconcile import reconcile
from services.ingest.domain.derive import Derivation, derive_account
from services.ingest.domain.profile import AccountRows, ClosedTotals, closed_totals
from services.ingest.domain.records import (
    Box,
    CatalogueRow,
    CustomerRecord,
    Opportunity,
    Project,
)
from services.ingest.domain.values import PriceList
from services.ingest.sources.catalogue import families_of
from services.ingest.sources.tables import SourceTable
from services.recommender.domain.recommend import Recommendation, recommend
from services.scoring.domain.score import score_lead
from shared.events import AccountProfile, CatalogueEntry, Finding, LeadFacts, RowCounts, Score
from shared.rules.load import rules_version
from shared.rules.model import Rules


@dataclass(frozen=True)
class AssessedLead:
    """A lead with its score and what to offer."""

    lead: LeadFacts
    score: Score
    recommendation: Recommendation


@dataclass(frozen=True)
class Assessment:
    """What there would be: leads with the highest score first, accounts by name, and the report."""

    as_of: date
    rules_version: str
    rows: tuple[RowCounts, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    directory: Directory
    accounts: tuple[AccountProfile, ...]
    leads: tuple[AssessedLead, ...]

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Names that may be the same account; a person would decide."""
        return self.directory.candidates

    @property
    def open_pipeline(self) -> Decimal:
        """The highest value of each box's plays, counted once per box (rules.md §3)."""
        best: dict[str, Decimal] = {}
        for each in self.leads:
            box, value = each.lead.box_id, each.lead.estimated_value_max
            best[box] = max(value, best.get(box, value))
        return sum(best.values(), Decimal(0))


def assess(
    tables: Sequence[SourceTable], rules: Rules, as_of: date, *, tenant_id: str = "default"
) -> Assessment:
    """The leads of these tables as of a day; ids are those of the tenant."""
    rows = judged_rows(tables, rules, as_of)
    customers = rows.customers()
    territories = {each.territory_id for each in customers if each.territory_id is not None}
    directory = reconcile(tenant_id, name_uses(customers), territories, Directory(), rules.accounts)
    catalogue = families_of(rows.of_type(CatalogueRow), rules.currency)
    accounts = _by_account(customers, directory)
    derivations = _derivations(tenant_id, directory, accounts, catalogue, rules=rules, as_of=as_of)
    leads = [
        _assessed(lead, each.profile, catalogue, rules, as_of)
        for each in derivations
        for lead in each.leads
    ]
    profiles = [each.profile for each in derivations]
    return Assessment(
        as_of=as_of,
        rules_version=rules_version(rules),
        rows=tuple(rows.counts()),
        findings=tuple(rows.findings),
        notes=tuple(note for table in tables for note in table.notes),
        directory=directory,
        accounts=tuple(sorted(profiles, key=lambda each: (each.name, each.account_id))),
        leads=tuple(sorted(leads, key=lambda each: (-each.score.score, each.lead.lead_id))),
    )


def _by_account(
    customers: Sequence[CustomerRecord], directory: Directory
) -> dict[str, AccountRows]:
    groups: dict[str, list[CustomerRecord]] = defaultdict(list)
    for record in customers:
        account_id = directory.account_of(own_name(record), record.territory_id)
        if account_id is not None:
            groups[account_id].append(record)
    return {
        account_id: AccountRows(
            boxes=[each for each in rows if isinstance(each, Box)],
            opportunities=[each for each in rows if isinstance(each, Opportunity)],
            projects=[each for each in rows if isinstance(each, Project)],
        )
        for account_id, rows in sorted(groups.items())
    }


def _derivations(
    tenant_id: str,
    directory: Directory,
    accounts: Mapping[str, AccountRows],
    catalogue: Mapping[str, Sequence[CatalogueEntry]],
    *,
    rules: Rules,
    as_of: date,
) -> list[Derivation]:
    totals = _territory_totals(directory, accounts, rules)
    prices = PriceList(catalogue, {}, rules.currency)
    return [
        derive_account(
            tenant_id,
            directory.accounts[account_id],
            rows,
            territory_totals=totals,
            prices=prices,
            rules=rules,
            as_of=as_of,
        )
        for account_id, rows in accounts.items()
    ]


def _territory_totals(
    directory: Directory, accounts: Mapping[str, AccountRows], rules: Rules
) -> dict[str, ClosedTotals]:
    """The closed projects of each territory, over all accounts in it (rules.md §2)."""
    totals: dict[str, ClosedTotals] = defaultdict(ClosedTotals)
    for account_id, rows in accounts.items():
        own = closed_totals(rows.projects, rules)
        for territory in directory.accounts[account_id].territory_ids:
            before = totals[territory]
            totals[territory] = ClosedTotals(before.count + own.count, before.sum + own.sum)
    return totals


def _assessed(
    lead: LeadFacts,
    profile: AccountProfile,
    catalogue: Mapping[str, Sequence[CatalogueEntry]],
    rules: Rules,
    as_of: date,
) -> AssessedLead:
    score = score_lead(
        lead,
        profile,
        rules.scoring,
        products=rules.products,
        as_of=as_of,
        rules_version=rules_version(rules),
    )
    offered = catalogue.get(lead.catalogue_family or "", ())
    return AssessedLead(lead, score, recommend(lead, offered, rules.recommendation))
