"""Rows for tests: plain ones, changed by keyword; leads, profiles and catalogue entries beside them."""

from datetime import date
from typing import Any

from services.ingest.domain.accounts.directory import Directory, NameUse
from services.ingest.domain.accounts.reconcile import reconcile
from services.ingest.domain.leads.case import BoxCase, box_case
from services.ingest.domain.profile import AccountRows
from services.ingest.domain.records import Box, Opportunity, Project
from services.ingest.domain.values import PriceList
from shared.events import (
    BatchMode,
    BatchPart,
    CatalogueEntry,
    JsonScalar,
    RecordKind,
    RecordObserved,
)
from shared.rules.load import default_rules
from shared.rules.model import Rules
from tests.support.scoring_builders import AS_OF, a_lead, a_profile, an_entry, days_ago

__all__ = [
    "AS_OF",
    "TENANT",
    "a_box",
    "a_case",
    "a_lead",
    "a_part",
    "a_price_list",
    "a_profile",
    "a_project",
    "a_use",
    "an_entry",
    "an_observed_row",
    "an_opportunity",
    "changed",
    "days_ago",
    "reconciled",
    "some_rows",
]

TENANT = "t"
TERRITORY = "70001"
"""A territory that the default rules' manual map does not know."""


def changed(rules: Rules, **paths: Any) -> Rules:
    """The rules with some values changed; `leads__renewal__ahead_days=90` names leads.renewal.…"""
    document = rules.model_dump()
    for path, value in paths.items():
        *sections, name = path.split("__")
        place = document
        for section in sections:
            place = place[section]
        place[name] = value
    return Rules.model_validate(document)


def a_box(**changes: Any) -> Box:
    """A supported ProLiant without dates."""
    facts: dict[str, Any] = {
        "record_id": "SERIAL1",
        "row": 1,
        "serial_number": "SERIAL1",
        "territory_id": TERRITORY,
        "product_id": "P1",
        "product_name": "HPE DL380 Gen10 Server",
        "platform": "ProLiant DL380 Gen10",
        "support_status": "Active Contract",
    }
    return Box(**{**facts, **changes})


def an_opportunity(**changes: Any) -> Opportunity:
    """An open deal of Acme in its territory."""
    facts: dict[str, Any] = {
        "record_id": "OPE-1",
        "row": 1,
        "account_name": "Acme Logistics",
        "territory_id": TERRITORY,
        "stage": "Proposal",
        "created": date(2025, 1, 1),
    }
    return Opportunity(**{**facts, **changes})


def a_project(**changes: Any) -> Project:
    """A closed project of Acme."""
    facts: dict[str, Any] = {
        "record_id": "JP1-1",
        "row": 1,
        "account_name": "Acme Logistics",
        "status": "CLSD",
        "amount": 10_000,
        "updated": days_ago(30),
    }
    return Project(**{**facts, **changes})


def some_rows(*records: Box | Opportunity | Project) -> AccountRows:
    """Rows of one account, by kind."""
    return AccountRows(
        [each for each in records if isinstance(each, Box)],
        [each for each in records if isinstance(each, Opportunity)],
        [each for each in records if isinstance(each, Project)],
    )


def a_price_list(*entries: CatalogueEntry, **versions: int) -> PriceList:
    """The price list of a catalogue in US dollars."""
    families = {entry.family for entry in entries}
    catalogue = {family: [e for e in entries if e.family == family] for family in families}
    return PriceList(catalogue, versions, "USD")


def a_case(
    box: Box, rules: Rules | None = None, prices: PriceList | None = None, as_of: date = AS_OF
) -> BoxCase:
    """What the lead rules see of a box."""
    return box_case(box, prices or a_price_list(), rules or default_rules(), as_of)


def a_use(raw_name: str, territory_id: str | None = None, **changes: Any) -> NameUse:
    """A spelling used in one row, an opportunity where it stands in a territory."""
    facts: dict[str, Any] = {
        "raw_name": raw_name,
        "territory_id": territory_id,
        "rows": 1,
        "opportunity_rows": 1 if territory_id else 0,
        "first_row": 1,
    }
    return NameUse(**{**facts, **changes})


def reconciled(
    *uses: NameUse,
    territories: tuple[str, ...] = (),
    known: Directory | None = None,
    rules: Rules | None = None,
) -> Directory:
    """The directory after these uses."""
    accounts = (rules or default_rules()).accounts
    return reconcile(TENANT, uses, territories, known or Directory(), accounts)


def an_observed_row(
    kind: RecordKind, values: dict[str, JsonScalar], row: int = 1, record_id: str = "R1"
) -> RecordObserved:
    """A row as a source sends it."""
    return RecordObserved(
        kind=kind, source="test", record_id=record_id, values=values, batch_id="b", row=row
    )


def a_part(kind: RecordKind, **headers: str) -> BatchPart:
    """A sheet whose data begins in row 4."""
    return BatchPart(
        kind=kind,
        source="test",
        mode=BatchMode.SNAPSHOT,
        file="export.xlsx",
        sheet="Sheet 1",
        first_row=4,
        headers=headers,
    )
