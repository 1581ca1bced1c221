"""Workbooks for tests: sheets of any content, and generated exports of the kind OneLead reads."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import openpyxl

from tests.support.scoring_builders import AS_OF

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
EXPORT = SAMPLES / "DataExportAug29th.xlsx"
CATALOGUE = SAMPLES / "LS_SKU_for_Onelead.xlsx"

Row = Sequence[Any]

BOX_HEADERS = (
    *("Account_Sales_Territory_Id", "Product_Id", "Product_Name"),
    *("Product_Platform_Description_Name", "Product_Serial_Number", "Product_End_of_Life_Date"),
    *("Final_Service_Start_Date", "Final_Service_End_Date", "Support_Status", "Quantity"),
)
OPPORTUNITY_HEADERS = (
    *("Opportunity_Id", "Opportunity_Name", "Account_Name", "Account_Territory_Id"),
    *("Product_Line", "Stage", "Amount", "Created_Date", "Close_Date"),
)
PROJECT_HEADERS = (
    *("Project_Id", "Project_Description", "Customer_Name", "Status", "Amount"),
    *("Start_Date", "Updated_Date", "Country", "Currency"),
)
_PRODUCTS = (
    ("670632-S01", "HP DL360p Gen8 8-SFF CTO Server", "ProLiant DL360p Gen8"),
    ("P52534-B21", "HPE DL380 Gen11 8-SFF CTO Server", "ProLiant DL380 Gen11"),
    ("C8R37A", "HP 3PAR StoreServ 7400c 2-N Storage Base", "3PAR StoreServ 7000"),
    ("N9Z62A", "HPE Primera 650 4-way Storage Base", "Primera 600"),
    ("S0B84A", "HPE Alletra 9060 2-way Storage Base", "Alletra 9000"),
    ("Q1J00A", "HPE MSA 2050 SAN Dual Controller LFF Storage", "MSA 2050"),
    ("BB955A", "HPE StoreOnce 5650 Base System", "StoreOnce 5600"),
    ("JL321A", "Aruba 2930M 48G 1-slot Switch", "Aruba 2930M"),
    ("SR650", "Lenovo ThinkSystem SR650", "ThinkSystem"),
    ("C240", "Cisco UCS C240 M4 Rack Server", "UCS C-Series"),
    ("CBL", "Cable Bundle", "(null)"),
)
_STATUSES = (
    *("Active Contract", "Contract Expired", "Warranty Expired - Uncovered Box", "UNCOVERED"),
    "(null)",
)
_STAGES = ("Closed Won", "Closed Lost", "Proposal", "negotiation", "(null)")
_NAMES = (
    "Nordwind Logistik",
    "Kestrel Aerospace",
    "Helvetia Präzision",
    "Orchard Valley School District",
    "東日本電信電話",
    "Cascade Health Partners",
    "Banco Meridional",
    "First Data Systems",
    "Lumière & Fils",
    "Vega 1 Clinics",
)
_SUFFIXES = ("", " GmbH", " Inc", ", Inc.", " AG")


@dataclass(frozen=True)
class Generated:
    """An export as rows under the reference spellings of its headers."""

    boxes: list[dict[str, Any]] = field(default_factory=list)
    opportunities: list[dict[str, Any]] = field(default_factory=list)
    projects: list[dict[str, Any]] = field(default_factory=list)

    def sheets(self) -> dict[str, list[Row]]:
        """The three sheets, headers first."""
        return {
            "Install Base": as_rows(BOX_HEADERS, self.boxes),
            "Opportunities": as_rows(OPPORTUNITY_HEADERS, self.opportunities),
            "Projects": as_rows(PROJECT_HEADERS, self.projects),
        }


def generated(
    seed: int, boxes: int = 40, opportunities: int = 40, projects: int = 120
) -> Generated:
    """An export with names in several spellings, clean and dirty cells, the same for a seed."""
    random = Random(seed)  # noqa: S311 - test data, not a secret
    territories = [str(60_000 + number) for number in range(max(2, boxes // 8))]
    return Generated(
        [_box(random, number, territories) for number in range(boxes)],
        [_opportunity(random, number, territories) for number in range(opportunities)],
        [_project(random, number) for number in range(projects)],
    )


def write_workbook(path: Path, sheets: Mapping[str, Sequence[Row]]) -> Path:
    """Writes sheets of cells as they are."""
    workbook = openpyxl.Workbook(write_only=True)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    workbook.save(path)
    return path


def write_csv(
    path: Path, rows: Sequence[Row], *, encoding: str = "utf-8", delimiter: str = ","
) -> Path:
    """Writes rows as CSV."""
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def as_rows(headers: Sequence[str], records: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Headers and the cells below them."""
    return [headers, *([record.get(header) for header in headers] for record in records)]


def _day(random: Random, first: int, last: int) -> Any:
    """A day so many days from AS_OF, in one of the ways in which exports write days."""
    day = AS_OF + timedelta(days=random.randint(first, last))
    return random.choice([day, day.isoformat(), f"{day} 00:00:00", "(null)"])


def _money(random: Random) -> Any:
    amount = round(random.uniform(500, 400_000), 2)
    return random.choice([amount, f"${amount:,.2f}", f"({amount})", "(null)", "Yes"])


def _name(random: Random, number: int) -> str:
    spelling = f"{_NAMES[number % len(_NAMES)]}{random.choice(_SUFFIXES)}"
    return random.choice([spelling, spelling.upper(), spelling.replace(" ", "-", 1)])


def _box(random: Random, number: int, territories: Sequence[str]) -> dict[str, Any]:
    territory = random.choice(territories)
    product_id, name, platform = random.choice(_PRODUCTS)
    serial = f"SN{number:06}" if random.random() > 0.05 else random.choice(["SN000001", "(null)"])
    values = (
        *(random.choice([territory, float(territory)]), product_id, name, platform, serial),
        *(_day(random, -4000, 400), _day(random, -3000, 0), _day(random, -2000, 800)),
        *(random.choice(_STATUSES), random.choice([None, 1, 3, 0])),
    )
    return dict(zip(BOX_HEADERS, values, strict=True))


def _opportunity(random: Random, number: int, territories: Sequence[str]) -> dict[str, Any]:
    place = random.randrange(len(territories))
    # Most names stay with their territory, so that majorities and neighbours both occur.
    name = _name(random, place if random.random() > 0.3 else random.randrange(len(_NAMES)))
    values = (
        *(f"OPE-{number}", "Tech Care", name, random.choice([territories[place], "(null)"])),
        *("Compute", random.choice(_STAGES), _money(random)),
        *(_day(random, -900, 0), _day(random, -300, 300)),
    )
    return dict(zip(OPPORTUNITY_HEADERS, values, strict=True))


def _project(random: Random, number: int) -> dict[str, Any]:
    values = (
        random.choice([f"JP1-{number}", f"JP1-{number}", "#", "NOT AVAILABLE", "JP1-0"]),
        "Health check",
        _name(random, random.randrange(len(_NAMES))) if random.random() > 0.05 else "#",
        random.choice(["CLSD", "CLSD", "REL", "clsd", "(null)"]),
        *(_money(random), _day(random, -2500, -400), _day(random, -1200, 3)),
        *(random.choice(["DE", "JP"]), random.choice([None, None, "USD", "EUR"])),
    )
    return dict(zip(PROJECT_HEADERS, values, strict=True))
