"""`onelead offices` on a running edition: leads go to their offices, and move when the offices do."""

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from onelead.edition.edition import Edition
from onelead.rules_in_force import rules_of
from tests.support.command import ROOT, run_onelead
from tests.support.edition import import_into, running_edition, settle
from tests.support.pipeline import add_tenant, leads_of
from tests.support.workbooks import BOX_HEADERS, CATALOGUE, as_rows, write_workbook

pytestmark = pytest.mark.slow

TENANT = "swiss"
SAMPLE = ROOT / "samples/offices.yaml"
CODES = {"LU": 6003, "GE": "CH-1201", "ZH": "8001", "NONE": None}
ROUTED = {"LU": "luzern", "GE": "romandie", "ZH": "egeli", "NONE": "unassigned"}


def export(path: Path) -> Path:
    """A box in each place, of a territory of its own, with a renewal and a service to attach."""
    boxes = [
        {
            "Account_Sales_Territory_Id": f"7000{number}",
            "Product_Id": "N9Z62A",
            "Product_Name": "HPE Primera 650 4-way Storage Base",
            "Product_Platform_Description_Name": "Primera 600",
            "Product_Serial_Number": serial,
            "Product_End_of_Life_Date": "2027-01-01",
            "Final_Service_End_Date": "2024-09-01",
            "Support_Status": "Warranty Expired - Uncovered Box",
            "PLZ": code,
        }
        for number, (serial, code) in enumerate(CODES.items())
    ]
    return write_workbook(path, {"Install Base": as_rows((*BOX_HEADERS, "PLZ"), boxes)})


@pytest.fixture(scope="module")
async def edition(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edition]:
    """An edition with boxes in several places, and no offices yet."""
    folder = tmp_path_factory.mktemp("offices")
    async with running_edition(folder / "home") as running:
        await add_tenant(running, TENANT)
        await import_into(running, [export(folder / "boxes.xlsx"), CATALOGUE], tenant=TENANT)
        await settle(running, TENANT)
        yield running


def run(edition: Edition, *arguments: str | Path, code: int = 0) -> Any:
    result = run_onelead(*arguments, "--tenant", TENANT, home=edition.folder.home)
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


async def offices_of(edition: Edition) -> dict[str, str | None]:
    """The office of each box's leads, as subscribers see them."""
    leads = (await leads_of(edition, TENANT)).values()
    found = {(lead.box_id, lead.office_id) for lead in leads}
    assert len(leads) == 2 * len(found), "both leads of a box are of one office"
    return dict(found)


def listed(edition: Edition, *offices: str) -> set[str]:
    chosen: Sequence[str] = [part for office in offices for part in ("--office", office)]
    rows = json.loads(run(edition, "leads", "list", *chosen, "--json").stdout)
    assert not offices or {row["office_id"] for row in rows} <= set(offices)
    return {row["serial_number"] for row in rows}


async def apply(edition: Edition, file: Path) -> str:
    """What is said when a file of offices is applied and all is settled."""
    said = str(run(edition, "offices", "apply", file).stdout)
    await settle(edition, TENANT)
    return said


async def test_leads_go_to_the_offices_that_are_applied(edition: Edition) -> None:
    assert set((await offices_of(edition)).values()) == {None}

    assert "+ luzern 6000–6999" in await apply(edition, SAMPLE)

    assert await offices_of(edition) == ROUTED
    assert listed(edition, "luzern") == {"LU"}
    assert listed(edition, "romandie", "unassigned") == {"GE", "NONE"}
    assert "already; nothing was sent" in await apply(edition, SAMPLE)


async def test_rules_that_say_nothing_of_offices_leave_them_alone(
    edition: Edition, tmp_path: Path
) -> None:
    await apply(edition, SAMPLE)
    rules = tmp_path / "rules.yaml"
    rules.write_text("scoring: {priorities: {critical: 76}}\n")
    run(edition, "rules", "apply", rules)
    await settle(edition, TENANT)

    assert await offices_of(edition) == ROUTED
    in_force, _ = await rules_of(edition.bootstrap, TENANT)
    assert in_force.scoring.priorities.critical == 76


async def test_what_was_exported_and_changed_moves_the_leads_concerned(
    edition: Edition, tmp_path: Path
) -> None:
    await apply(edition, SAMPLE)
    exported = tmp_path / "offices.csv"
    run(edition, "offices", "export", "--as", "csv", "--out", exported)
    exported.write_text(exported.read_text().replace("luzern", "zug"))

    assert "- luzern 6000–6999" in await apply(edition, exported)

    assert await offices_of(edition) == {**ROUTED, "LU": "zug"}
    assert listed(edition, "luzern") == set()
    assert listed(edition, "zug") == {"LU"}


def test_offices_are_shown_by_name_and_found_by_code(edition: Edition) -> None:
    run(edition, "offices", "apply", SAMPLE)
    shown = json.loads(run(edition, "offices", "list", "--json").stdout)
    assert [each["office"] for each in shown] == ["egeli", "luzern", "romandie"]
    assert "3900–3999" in run(edition, "offices", "show", "Romandie").stdout
    found = run(edition, "offices", "show", "CH-3950", "--day", "2026-01-31").stdout
    assert "3950 belongs to romandie on 2026-01-31: range 3" in " ".join(found.split())
    unknown = run(edition, "offices", "show", "lucerne", code=2).stderr
    assert "did you mean luzern?" in unknown
    text = run(edition, "offices", "export").stdout
    assert "office: egeli" in text


def test_a_file_with_an_overlap_is_refused_and_changes_nothing(
    edition: Edition, tmp_path: Path
) -> None:
    before = run(edition, "offices", "export").stdout
    file = tmp_path / "offices.csv"
    file.write_text("office,from,to\nluzern,6000,6999\nzug,6300,6319\n")
    for command in ("apply", "check"):
        options = ("--tenant", TENANT) if command == "apply" else ()
        result = run_onelead("offices", command, file, *options, home=edition.folder.home)
        assert result.returncode == 2
        said = " ".join(result.stderr.split())
        assert "row 3, column office" in said
        assert "zug 6300–6319 overlaps luzern 6000–6999" in said
    assert run(edition, "offices", "export").stdout == before


def test_offices_of_an_unknown_tenant_are_refused(edition: Edition) -> None:
    result = run_onelead("offices", "list", "--tenant", "nobody", home=edition.folder.home)
    assert (result.returncode, "there is no tenant nobody" in result.stderr) == (2, True)
