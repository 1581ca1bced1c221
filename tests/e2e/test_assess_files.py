"""Other workbooks of the same kind: other spellings, orders, columns, numbers of rows, CSV."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from onelead.assess.assessment import Assessment, assess
from services.ingest.sources.files import read_files
from services.ingest.sources.workbook import read_workbook
from shared.events import LeadType
from shared.rules.load import default_rules
from tests.support.builders import AS_OF
from tests.support.workbooks import CATALOGUE, EXPORT, Row, generated, write_csv, write_workbook

RULES = default_rules()


def assessed(*paths: Path) -> Assessment:
    return assess(read_files(paths, RULES), RULES, AS_OF)


def facts(assessment: Assessment) -> dict[str, Any]:
    """Everything about leads and accounts, without the files they came from."""
    return {
        "leads": assessment.leads,
        "accounts": assessment.accounts,
        "rows": assessment.rows,
        "faults": [(f.row, f.raw_value, f.reason) for f in assessment.findings],
    }


def sheets_of(path: Path) -> dict[str, list[Row]]:
    return {sheet.name: list(sheet.rows) for sheet in read_workbook(path)}


def shuffled(rows: Sequence[Row]) -> list[Row]:
    """The same rows with the columns in another order, headers respelled, and foreign columns."""
    order = list(range(len(rows[0])))
    random.Random(7).shuffle(order)  # noqa: S311 - test data, not a secret
    headers = [str(rows[0][column]).replace("_", " ").upper() for column in order]
    cells = [[*row, *[None] * (len(order) - len(row))] for row in rows[1:]]
    below = [["x", *(row[column] for column in order), n] for n, row in enumerate(cells)]
    return [["My Note", *headers, "Row in the old system"], *below]


def test_other_spellings_orders_and_columns_give_the_same_leads(tmp_path: Path) -> None:
    sheets = {f"Export of {name}": shuffled(rows) for name, rows in sheets_of(EXPORT).items()}
    other = write_workbook(tmp_path / "other.xlsx", {**sheets, "Read me": [("hello",)]})
    found = assessed(other, CATALOGUE)
    assert facts(found) == facts(assessed(EXPORT, CATALOGUE))
    assert found.notes == (
        "other.xlsx: sheet 'Read me' is none that OneLead knows; it was passed over",
    )


def test_german_headers_are_known_too(tmp_path: Path) -> None:
    headers = (
        "Territorium",
        "Produktname",
        "Seriennummer",
        "Lebensende",
        "Serviceende",
        "Supportstatus",
    )
    box = ("77", "HPE MSA 2050", "X1", "2015-01-01", "2020-01-01", "Contract Expired")
    found = assessed(write_workbook(tmp_path / "de.xlsx", {"Tabelle1": [headers, box]}))
    assert [each.lead.lead_type for each in found.leads] == [
        LeadType.HARDWARE_REFRESH,
        LeadType.RENEWAL,
    ]
    assert found.accounts[0].name == "Territory 77"


def test_the_same_rows_as_csv_in_any_encoding_give_the_same_leads(tmp_path: Path) -> None:
    ways = (("utf-8", ","), ("utf-16", "\t"), ("utf-8-sig", ";"))
    paths = [
        write_csv(tmp_path / f"{name}.csv", rows, encoding=encoding, delimiter=delimiter)
        for (name, rows), (encoding, delimiter) in zip(sheets_of(EXPORT).items(), ways, strict=True)
    ]
    found, expected = assessed(*paths, CATALOGUE), assessed(EXPORT, CATALOGUE)
    assert found.leads == expected.leads
    assert found.accounts == expected.accounts


@pytest.mark.parametrize("seed", range(5))
def test_generated_exports_give_leads_and_account_for_every_row(tmp_path: Path, seed: int) -> None:
    data = generated(seed, boxes=20 + 30 * seed, opportunities=40, projects=100)
    found = assessed(write_workbook(tmp_path / "a.xlsx", data.sheets()))
    counts = {each.kind: each for each in found.rows}
    assert counts["install_base"].read == len(data.boxes)
    assert all(each.used + each.quarantined == each.read for each in found.rows)
    assert all(each.degraded <= each.used for each in found.rows)
    repeats = [f for f in found.findings if f.outcome == "quarantined"]
    assert len(repeats) == sum(each.quarantined for each in found.rows)
    assert {each.lead.lead_type for each in found.leads} >= {LeadType.SERVICE_ATTACH}
    assert sum(account.items for account in found.accounts) >= counts["install_base"].used


@pytest.mark.parametrize("seed", range(3))
def test_the_same_files_give_the_same_assessment(tmp_path: Path, seed: int) -> None:
    path = write_workbook(tmp_path / "a.xlsx", generated(seed).sheets())
    assert assessed(path) == assessed(path)


def test_a_box_that_comes_twice_is_used_once_with_the_latest_service_end(tmp_path: Path) -> None:
    headers, first, *_ = sheets_of(EXPORT)["Install Base"]
    end = list(headers).index("Final_Service_End_Date")
    later = [*first[:end], "2031-01-01", *first[end + 1 :]]
    found = assessed(write_workbook(tmp_path / "a.xlsx", {"IB": [headers, first, later, first]}))
    (count,) = found.rows
    assert (count.read, count.used, count.quarantined) == (3, 1, 2)
    assert [f.row for f in found.findings if f.outcome == "quarantined"] == [2, 4]
    assert str(found.leads[0].lead.service_end) == "2031-01-01"


def test_a_status_that_contradicts_its_dates_is_noted_and_the_row_is_used(tmp_path: Path) -> None:
    headers = ("Territory", "Product Name", "Serial", "EOL", "Service End", "Support Status")
    rows: list[Row] = [
        headers,
        ("1", "HPE MSA 2050", "A", "", "2031-01-01", "Contract Expired"),
        ("1", "HPE MSA 2050", "B", "", "2020-01-01", "Active Contract"),
        ("1", "HPE MSA 2050", "C", "", "2020-01-01", "Contract Expired"),
        ("1", "HPE MSA 2050", "D", "", AS_OF.isoformat(), "Active Contract"),
    ]
    found = assessed(write_workbook(tmp_path / "a.xlsx", {"IB": rows}))
    assert [(f.row, f.column, f.outcome) for f in found.findings] == [
        (2, "Support Status", "noted"),
        (3, "Support Status", "noted"),
    ]
    assert found.rows[0].used == 4
    assert found.rows[0].degraded == 0


def test_a_project_updated_after_the_day_is_noted(tmp_path: Path) -> None:
    rows: list[Row] = [
        ("Customer", "Status", "Amount", "Updated"),
        ("Acme", "CLSD", 5, "2025-10-10"),
        ("Acme", "CLSD", 5, "2025-10-09"),
    ]
    found = assessed(write_workbook(tmp_path / "a.xlsx", {"P": rows}))
    assert [(f.row, f.raw_value, f.outcome) for f in found.findings] == [(2, "2025-10-10", "noted")]
    assert found.accounts[0].spend_365d == 10


def test_boxes_without_serial_numbers_are_kept_apart(tmp_path: Path) -> None:
    data = generated(1)
    for each in data.boxes:
        each["Product_Serial_Number"] = None
    found = assessed(write_workbook(tmp_path / "a.xlsx", data.sheets()))
    count = next(each for each in found.rows if each.kind == "install_base")
    assert count.used == count.degraded == len(data.boxes)
