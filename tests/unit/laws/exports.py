"""Any small export: rows with ids of their own and no two on one date, names in several spellings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from onelead.assess.assessment import Assessment, assess
from services.ingest.sources.record_ids import RecordIds
from services.ingest.sources.tables import SourceRow, SourceTable
from shared.events import RecordKind
from tests.support.builders import AS_OF
from tests.support.rule_sets import DEFAULT, RULE_SETS

Cells = dict[str, Any]
TERRITORIES = ("1", "2", "3")
SPELLINGS = (
    *(("Nordwind Logistik", "NORDWIND LOGISTIK GmbH"), ("Vega Clinics", "Vega Clinics, Inc.")),
    *(("東日本電信電話", "東日本電信電話株式会社"), ("Lumière & Fils", "LUMIERE FILS")),
)
_PRODUCTS = (
    ("HP DL360p Gen8", "ProLiant DL360p"),
    ("HPE DL380 Gen11", "ProLiant DL380 Gen11"),
    ("HPE Primera 650", "Primera 600"),
    ("HPE MSA 2050", None),
    ("Lenovo SR650", "ThinkSystem"),
    ("Cable Bundle", None),
)
_STATUSES = ("Active Contract", "Contract Expired", "Expired - Uncovered", "UNCOVERED", None)
_STAGES = ("Closed Won", "closed lost", "Proposal", None)
_CATALOGUE = (
    {"product": "PRIMERA", "service": "Health Check", "sku": "A1", "list_price": "20,000"},
    {"product": "PRIMERA", "service": "OS Upgrade", "sku": "A2", "list_price": None, "margin": 0.4},
    {"product": "COMPUTE", "service": "Foundation Care", "sku": "B1", "list_price": 4900},
)


@dataclass(frozen=True)
class Export:
    """The rows of a tenant's files, in some order."""

    boxes: Sequence[Cells] = ()
    deals: Sequence[Cells] = ()
    projects: Sequence[Cells] = ()

    def assessed(self, rules: str = "default") -> Assessment:
        """All that follows from it under one of RULE_SETS, as of the tests' day."""
        kinds = (RecordKind.INSTALL_BASE, RecordKind.OPPORTUNITY, RecordKind.PROJECT)
        sheets = zip(kinds, (self.boxes, self.deals, self.projects), strict=True)
        tables = [_table(kind, rows) for kind, rows in sheets]
        return assess([*tables, _table(RecordKind.CATALOGUE, _CATALOGUE)], RULE_SETS[rules], AS_OF)


def what_follows(found: Assessment) -> dict[str, Any]:
    """Accounts, links, leads, scores and services: everything but the report on the rows."""
    return {
        "accounts": found.accounts,
        "directory": found.directory,
        "leads": found.leads,
    }


def _table(kind: RecordKind, rows: Sequence[Mapping[str, Any]]) -> SourceTable:
    ids = RecordIds(kind, DEFAULT.reading.missing_values)
    return SourceTable(
        file="export.xlsx",
        sheet=kind.value,
        kind=kind,
        first_row=2,
        headers={name: name for row in rows for name in row},
        rows=[SourceRow(n, ids.of(n, row), row, {}) for n, row in enumerate(rows, start=1)],
    )


def _day(number: int) -> str:
    return str(AS_OF - timedelta(days=number))


_ages = st.none() | st.integers(-400, 4_000).map(_day)


@st.composite
def exports(draw: st.DrawFn) -> Export:
    """Any export without two rows that tie: ids and the dates that decide are all different."""
    days = iter(draw(st.lists(st.integers(-3, 1_500), min_size=12, max_size=12, unique=True)))
    return Export(
        boxes=[draw(_box(f"SN{number}")) for number in range(draw(st.integers(0, 5)))],
        deals=[draw(_deal(n, _day(next(days)))) for n in range(draw(st.integers(0, 5)))],
        projects=[draw(_project(n, _day(next(days)))) for n in range(draw(st.integers(0, 7)))],
    )


@st.composite
def _box(draw: st.DrawFn, serial: str) -> Cells:
    name, platform = draw(st.sampled_from(_PRODUCTS))
    return {
        "territory_id": draw(st.sampled_from(TERRITORIES)),
        "product_name": name,
        "platform": platform,
        "serial_number": serial,
        "end_of_life": draw(_ages),
        "service_end": draw(_ages),
        "support_status": draw(st.sampled_from(_STATUSES)),
        "quantity": draw(st.none() | st.integers(0, 30)),
    }


@st.composite
def _deal(draw: st.DrawFn, number: int, created: str) -> Cells:
    return {
        "opportunity_id": f"OPE-{number}",
        "account_name": draw(st.sampled_from(draw(st.sampled_from(SPELLINGS)))),
        "territory_id": draw(st.sampled_from(TERRITORIES) | st.none()),
        "stage": draw(st.sampled_from(_STAGES)),
        "created": created,
    }


@st.composite
def _project(draw: st.DrawFn, number: int, updated: str) -> Cells:
    return {
        "project_id": f"JP1-{number}",
        # One spelling: without a created date nothing but the row could tell two apart.
        "account_name": draw(st.sampled_from(SPELLINGS))[0],
        "status": draw(st.sampled_from(("CLSD", "clsd", "REL", None))),
        "amount": draw(st.none() | st.integers(-500, 900_000)),
        "updated": updated,
        "currency": draw(st.sampled_from((None, "USD", "EUR"))),
    }
