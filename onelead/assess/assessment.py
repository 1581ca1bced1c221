"""Assesses tables as of a day: rows → accounts → leads → scores → services, account by account.

The same pure code as in the services: no Kafka, no services, no review decisions. Rows are read once
and wait on disk (`spill`) until their account is due, so memory grows with accounts, not with rows.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from onelead.assess.findings import Findings
from onelead.assess.rows import judged_rows
from onelead.assess.spill import Spill
from services.ingest.domain.accounts.directory import Directory
from services.ingest.domain.accounts.matching import Candidate
from services.ingest.domain.accounts.reconcile import reconcile
from services.ingest.domain.catalogue import families_of
from services.ingest.domain.derive import derive_account
from services.ingest.domain.profile import ClosedTotals, closed_totals
from services.ingest.domain.records import CatalogueRow, Project
from services.ingest.domain.values import PriceList
from services.ingest.sources.tables import SourceTable
from services.recommender.domain.recommend import Recommendation, recommend
from services.scoring.domain.factors import Known
from services.scoring.domain.score import score_lead
from shared.events import (
    AccountProfile,
    CatalogueEntry,
    Finding,
    FindingGroup,
    LeadFacts,
    RowCounts,
    Score,
)
from shared.rules.load import rules_version
from shared.rules.model import Rules

_KNOWN_COMPONENTS = 10_000
NO_CATALOGUE = "no service catalogue was given: values are benchmarks, and no services are offered"


@dataclass(frozen=True)
class AssessedLead:
    """A lead with its score and what to offer."""

    lead: LeadFacts
    score: Score
    recommendation: Recommendation


@dataclass(frozen=True)
class AssessedAccount:
    """An account with its leads, in the order of its boxes."""

    profile: AccountProfile
    leads: tuple[AssessedLead, ...]


@dataclass(frozen=True)
class Assessment:
    """What there would be: leads with the highest score first, accounts by name, and the report."""

    as_of: date
    rules_version: str
    rows: tuple[RowCounts, ...]
    findings: tuple[Finding, ...]
    finding_groups: tuple[FindingGroup, ...]
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
    tables: Sequence[SourceTable],
    rules: Rules,
    as_of: date,
    *,
    tenant_id: str = "default",
    keep_findings: bool = True,
) -> Assessment:
    """The leads of these tables as of a day; ids are those of the tenant.

    Without `keep_findings` only their groups are there.
    """
    with Spill() as kept:
        findings = Findings(keep_all=keep_findings)
        ground = prepare(tables, rules, as_of, kept, findings, tenant_id=tenant_id)
        accounts = list(ground.accounts())
    leads = [lead for each in accounts for lead in each.leads]
    profiles = [each.profile for each in accounts]
    return Assessment(
        as_of=as_of,
        rules_version=ground.rules_version,
        rows=ground.rows,
        findings=tuple(findings.all),
        finding_groups=tuple(findings.groups()),
        notes=ground.notes,
        directory=ground.directory,
        accounts=tuple(sorted(profiles, key=lambda each: (each.name, each.account_id))),
        leads=tuple(sorted(leads, key=lambda each: (-each.score.score, each.lead.lead_id))),
    )


def prepare(
    tables: Sequence[SourceTable],
    rules: Rules,
    as_of: date,
    kept: Spill,
    findings: Findings,
    *,
    tenant_id: str = "default",
) -> "Ground":
    """Reads every row once, keeps the usable ones, and reconciles their names to accounts."""
    rows = judged_rows(tables, rules, as_of, kept, findings)
    territories = {territory for _, territory in kept.places if territory is not None}
    directory = reconcile(tenant_id, kept.name_uses(), territories, Directory(), rules.accounts)
    catalogue = families_of(kept.of_type(CatalogueRow), rules.currency)
    owners = {place: directory.account_of(*place) for place in kept.places}
    account_ids = sorted({account_id for account_id in owners.values() if account_id})
    numbers = {account_id: number for number, account_id in enumerate(account_ids)}
    kept.group({place: numbers[owner] for place, owner in owners.items() if owner})
    notes = [note for table in tables for note in table.notes]
    return Ground(
        tenant_id=tenant_id,
        rules=rules,
        rules_version=rules_version(rules),
        as_of=as_of,
        rows=tuple(rows.counts()),
        notes=(*notes, *([] if catalogue else [NO_CATALOGUE])),
        directory=directory,
        catalogue=catalogue,
        kept=kept,
        account_ids=account_ids,
    )


@dataclass(frozen=True)
class Ground:
    """All that must be known before the first lead: accounts, services, the report on the rows."""

    tenant_id: str
    rules: Rules
    rules_version: str
    as_of: date
    rows: tuple[RowCounts, ...]
    notes: tuple[str, ...]
    directory: Directory
    catalogue: Mapping[str, Sequence[CatalogueEntry]]
    kept: Spill
    account_ids: Sequence[str]

    def accounts(self) -> Iterator[AssessedAccount]:
        """Every account with rows, derived and scored, in order of the ids; one in memory at a time."""
        totals = self._territory_totals()
        prices = PriceList(self.catalogue, {}, self.rules.currency)
        known: Known = {}
        for number, rows in self.kept.by_account():
            derived = derive_account(
                self.tenant_id,
                self.directory.accounts[self.account_ids[number]],
                rows,
                territory_totals=totals,
                prices=prices,
                rules=self.rules,
                as_of=self.as_of,
            )
            if len(known) > _KNOWN_COMPONENTS:
                known.clear()
            leads = tuple(self._assessed(each, derived.profile, known) for each in derived.leads)
            yield AssessedAccount(derived.profile, leads)

    def _territory_totals(self) -> dict[str, ClosedTotals]:
        """The closed projects of each territory, over all accounts in it (rules.md §2)."""
        totals: dict[str, ClosedTotals] = defaultdict(ClosedTotals)
        for number, rows in self.kept.by_account(only=Project):
            own = closed_totals(rows.projects, self.rules)
            for territory in self.directory.accounts[self.account_ids[number]].territory_ids:
                before = totals[territory]
                totals[territory] = ClosedTotals(before.count + own.count, before.sum + own.sum)
        return totals

    def _assessed(self, lead: LeadFacts, profile: AccountProfile, known: Known) -> AssessedLead:
        score = score_lead(
            lead,
            profile,
            self.rules.scoring,
            products=self.rules.products,
            as_of=self.as_of,
            rules_version=self.rules_version,
            known=known,
        )
        offered = self.catalogue.get(lead.catalogue_family or "", ())
        return AssessedLead(lead, score, recommend(lead, offered, self.rules.recommendation))
