"""Makes large exports as customers have them: an install base, opportunities and projects as CSV.

Reads nothing but a seed; the same seed gives the same files. The mix of products, statuses and dates
is that of the sample export: about one lead for each box.
"""

import csv
import random
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path

from bench.company_names import companies

AS_OF = date(2025, 10, 9)
_SEED = 20251009

_BOX_HEADERS = (
    *("Account_Sales_Territory_Id", "Product_Id", "Product_Name"),
    *("Product_Platform_Description_Name", "Product_Serial_Number", "Product_End_of_Life_Date"),
    *(
        "Final_Service_Start_Date",
        "Final_Service_End_Date",
        "Support_Status",
        "Service_Agreement_Id",
    ),
)
_DEAL_HEADERS = (
    *("Opportunity_Id", "Opportunity_Name", "Account_Name", "Account_Territory_Id"),
    *("Product_Line", "Stage", "Amount", "Created_Date", "Close_Date"),
)
_PROJECT_HEADERS = (
    *("Project_Id", "Project_Description", "Customer_Name", "Status", "Amount"),
    *("Start_Date", "Updated_Date", "Country"),
)
_PRODUCTS = (
    (8, "JL321A", "Aruba 2930M 48G 1-slot Switch", "Aruba 2930M", "2027-04-30"),
    (6, "736958-B21", "HPE ML350 Gen9 8-LFF CTO Server", "ProLiant ML350 Gen9", "2020-01-31"),
    (6, "Q1J00A", "HPE MSA 2050 SAN Dual Controller LFF Storage", "MSA 2050", "2022-08-31"),
    (8, "670632-S01", "HP DL360p Gen8 8-SFF CTO Server", "ProLiant DL360p Gen8", "2015-07-01"),
    (5, "C8R37A", "HP 3PAR StoreServ 7400c 2-N Storage Base", "3PAR StoreServ 7000", "2018-10-31"),
    (
        5,
        "P19720-B21",
        "HPE DL380 Gen10+ 8-SFF CTO Server",
        "ProLiant DL380 Gen10 Plus",
        "2026-02-28",
    ),
    (4, "N9Z62A", "HPE Primera 650 4-way Storage Base", "Primera 600", "2025-06-30"),
    (4, "K2Q36A", "HPE 3PAR StoreServ 8440 2N Storage Base", "3PAR StoreServ 8000", "2021-07-31"),
    (3, "S0B84A", "HPE Alletra 9060 2-way Storage Base", "Alletra 9000", "(null)"),
    (
        3,
        "719061-B21",
        "HP DL380 Gen9 8-LFF CTO Server",
        "ProLiant DL380 Gen9",
        "2019-05-31 00:00:00",
    ),
    (3, "P52534-B21", "HPE DL380 Gen11 8-SFF CTO Server", "ProLiant DL380 Gen11", "NaN"),
    (2, "Q8H41A", "HPE Nimble Storage AF40 All Flash CTO Base Array", "Nimble AF", "2023-03-31"),
    (1, "R730-XD", "Dell PowerEdge R730xd Rack Server", "PowerEdge R730", "2019-12-31"),
    (1, "UCSC-C240", "Cisco UCS C240 M4 Rack Server", "UCS C-Series", "2020-02-29"),
)
_STATUSES = (
    (20, "Contract Expired", range(1, 2500)),
    (17, "Active Contract", range(-900, 0)),
    (14, "Warranty Expired - Uncovered Box", range(200, 3000)),
    (5, "Active Warranty", range(-1000, 0)),
    (6, "UNCOVERED", range(-200, 1500)),
    (1, "(null)", range(-900, 1500)),
)
_STAGES = (*("Closed Lost", "Proposal", "Qualification", "Closed Won", "Negotiation"), "(null)")
_LINES = ("Compute", "Services", "Storage")
_COUNTRIES = ("Switzerland", "Germany", "France", "Japan", "(null)")

Row = tuple[object, ...]


def write_export(folder: Path, boxes: int, accounts: int) -> list[Path]:
    """Writes the three files; every account has a territory, opportunities and projects."""
    names = companies(accounts, _SEED)
    draw = random.Random(_SEED)  # noqa: S311 - reproducible, not secret
    return [
        _write(folder / "boxes.csv", _BOX_HEADERS, _boxes(boxes, accounts, draw)),
        _write(folder / "opportunities.csv", _DEAL_HEADERS, _deals(names, draw)),
        _write(folder / "projects.csv", _PROJECT_HEADERS, _projects(names, draw)),
    ]


def first_rows(path: Path, to: Path, count: int) -> Path:
    """The same file cut off after so many rows."""
    with path.open(encoding="utf-8") as whole, to.open("w", encoding="utf-8") as part:
        part.writelines(line for line, _ in zip(whole, range(count + 1), strict=False))
    return to


def _write(path: Path, headers: Row, rows: Iterable[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(headers)
        lines.writerows(rows)
    return path


def _territory(account: int) -> str:
    return str(50_000 + account)


def _boxes(count: int, accounts: int, draw: random.Random) -> Iterator[Row]:
    """Boxes in no order; a few customers have many, and one serial number in 2,000 comes again."""
    products = list(accumulate(weight for weight, *_ in _PRODUCTS))
    statuses = list(accumulate(weight for weight, *_ in _STATUSES))
    serial = ""
    for number in range(count):
        _, product_id, name, platform, end_of_life = draw.choices(_PRODUCTS, cum_weights=products)[
            0
        ]
        _, status, ages = draw.choices(_STATUSES, cum_weights=statuses)[0]
        ended = AS_OF - timedelta(days=draw.choice(ages))
        known = draw.random() > 0.15
        if draw.random() > 0.0005 or not serial:
            serial = f"USE{number * 7919 % 10_000_019:08d}"
        yield (
            _territory(int(accounts * draw.random() ** 2)),
            *(product_id, name, platform, serial, end_of_life),
            ended - timedelta(days=1096) if known else "(null)",
            ended if known else "(null)",
            status,
            draw.randrange(4_000_000_000, 5_000_000_000) if draw.random() < 0.35 else "(null)",
        )


def _deals(names: list[str], draw: random.Random) -> Iterator[Row]:
    """Up to five opportunities of an account, all in its territory."""
    for account, name in enumerate(names):
        for _ in range(draw.randint(0, 5)):
            created = AS_OF - timedelta(days=draw.randrange(900))
            line, amount = draw.choice(_LINES), f"${draw.randrange(5, 400)},000.00"
            yield (
                f"OPE-{draw.randrange(10**9, 10**10)}",
                *(f"{line} renewal", name, _territory(account), line, draw.choice(_STAGES)),
                *(amount, created, created + timedelta(days=120)),
            )


def _projects(names: list[str], draw: random.Random) -> Iterator[Row]:
    """Up to eight projects of an account."""
    for account, name in enumerate(names):
        for number in range(draw.randint(0, 8)):
            start = AS_OF - timedelta(days=draw.randrange(30, 1500))
            amount = draw.choice(
                (f"{draw.randrange(1, 90)},500", draw.randrange(900, 90_000), "(null)")
            )
            yield (
                f"PR-{account:06d}-{number}",
                *("Installation", name, draw.choice(("CLSD", "CLSD", "OPEN")), amount, start),
                *(start + timedelta(days=draw.randrange(1, 30)), draw.choice(_COUNTRIES)),
            )
