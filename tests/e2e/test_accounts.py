"""`onelead accounts` on a running edition: what a person does, and what it does to the public leads."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from onelead.edition.edition import Edition
from shared.events import LeadChanged
from tests.support.command import run_onelead
from tests.support.edition import import_into, running_edition, settle
from tests.support.pipeline import add_tenant, facts, leads_of
from tests.support.workbooks import (
    BOX_HEADERS,
    CATALOGUE,
    OPPORTUNITY_HEADERS,
    PROJECT_HEADERS,
    as_rows,
    write_workbook,
)

pytestmark = pytest.mark.slow

TENANT, TWIN = "merging", "twin"
JAPAN, GLOBAL = "日本電気通信システム", "日本電気通信システムズ"


def a_box(serial: str, territory: str, **changes: Any) -> dict[str, Any]:
    return {
        "Account_Sales_Territory_Id": territory,
        "Product_Id": "N9Z62A",
        "Product_Name": "HPE Primera 650 4-way Storage Base",
        "Product_Platform_Description_Name": "Primera 600",
        "Product_Serial_Number": serial,
        "Product_End_of_Life_Date": "2027-01-01",
        "Final_Service_End_Date": "2024-09-01",
        "Support_Status": "Warranty Expired - Uncovered Box",
        **changes,
    }


def a_deal(number: int, name: str, territory: str, stage: str = "Closed Won") -> dict[str, Any]:
    return {
        "Opportunity_Id": f"OPE-{number}",
        "Account_Name": name,
        "Account_Territory_Id": territory,
        "Stage": stage,
        "Created_Date": "2025-03-01",
    }


def a_project(number: int, name: str, amount: int) -> dict[str, Any]:
    return {
        "Project_Id": f"JP1-{number}",
        "Customer_Name": name,
        "Status": "CLSD",
        "Amount": amount,
        "Start_Date": "2025-01-01",
        "Updated_Date": f"2025-09-{number:02}",
    }


def export(path: Path, *, later: bool = False) -> Path:
    """Two accounts whose names differ in one East Asian letter; later both have more of everything."""
    boxes = [a_box("SN1", "70001"), a_box("SN2", "70002")]
    deals = [a_deal(1, JAPAN, "70001"), a_deal(2, GLOBAL, "70002", "Proposal")]
    projects = [a_project(n, JAPAN, 9_000 * n) for n in range(1, 4)]
    if later:
        boxes += [a_box("SN3", "70001", Quantity=7), a_box("SN4", "70002")]
        deals += [a_deal(n, GLOBAL, "70002", "Proposal") for n in range(3, 6)]
        projects += [a_project(n, GLOBAL, 200_000) for n in range(4, 7)]
    sheets = {
        "Install Base": as_rows(BOX_HEADERS, boxes),
        "Opportunities": as_rows(OPPORTUNITY_HEADERS, deals),
        "Projects": as_rows(PROJECT_HEADERS, projects),
    }
    return write_workbook(path, sheets)


@pytest.fixture(scope="module")
async def edition(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edition]:
    """An edition that has taken in the same rows for two tenants."""
    folder = tmp_path_factory.mktemp("accounts")
    async with running_edition(folder / "home") as running:
        for tenant in (TENANT, TWIN):
            await add_tenant(running, tenant)
        await load(running, export(folder / "first.xlsx"))
        yield running


async def load(edition: Edition, workbook: Path) -> None:
    """The same rows for both tenants."""
    for tenant in (TENANT, TWIN):
        await import_into(edition, [workbook, CATALOGUE], tenant=tenant)
    await settle(edition, TENANT, TWIN)


def run(edition: Edition, *arguments: str, code: int = 0) -> Any:
    result = run_onelead("accounts", *arguments, "--tenant", TENANT, home=edition.folder.home)
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


def asked_json(edition: Edition, *arguments: str) -> Any:
    return json.loads(run(edition, *arguments, "--json").stdout)


def ids(leads: dict[str, LeadChanged]) -> dict[str, str]:
    return {key: lead.lead_id for key, lead in leads.items()}


def scores(leads: dict[str, LeadChanged]) -> dict[str, float]:
    return {key: lead.score for key, lead in leads.items()}


async def test_a_candidate_is_reviewed_with_all_that_a_person_needs_to_judge(
    edition: Edition,
) -> None:
    [candidate] = asked_json(edition, "review")["candidates"]
    assert {each["name"] for each in candidate["accounts"]} == {JAPAN, GLOBAL}
    assert [each["boxes"] for each in candidate["accounts"]] == [1, 1]
    assert [each["open_leads"] for each in candidate["accounts"]] == [2, 2]
    assert "East Asian" in candidate["why_not_automatic"]
    table = run(edition, "review").stdout
    assert candidate["id"] in table
    assert JAPAN in table


async def test_a_person_confirms_and_undoes_and_every_lead_comes_back(
    edition: Edition, tmp_path: Path
) -> None:
    before = await leads_of(edition, TENANT)
    assert len(before) == 4
    candidate = asked_json(edition, "review")["candidates"][0]["id"]

    told = run(edition, "confirm", candidate, "--why", "同じ会社", "--by", "花子").stdout
    await settle(edition, TENANT)
    merged = await leads_of(edition, TENANT)
    assert {lead.account for lead in merged.values()} == {JAPAN}
    assert len({lead.account_id for lead in merged.values()}) == 1
    assert scores(merged) != scores(before)
    assert ids(merged) == ids(before)
    decision = decision_about(edition, GLOBAL)
    assert told.strip().endswith(f"(decision {decision})")

    await load(edition, export(tmp_path / "second.xlsx", later=True))
    assert len({lead.account_id for lead in (await leads_of(edition, TENANT)).values()}) == 1

    run(edition, "undo", decision, "--by", "花子")
    await settle(edition, TENANT)
    after, twin = await leads_of(edition, TENANT), await leads_of(edition, TWIN)
    assert len(after) == 8
    assert facts(after.values()) == facts(twin.values())
    assert len(asked_json(edition, "review")["candidates"]) == 1


def decision_about(edition: Edition, name: str) -> str:
    """The decision that stands about an account, once its explanation was checked."""
    explained = asked_json(edition, "explain", name)
    assert explained["territory_ids"] == ["70001", "70002"]
    [decision] = explained["decisions"]
    assert (decision["state"], decision["why"]) == ("made", "同じ会社")
    assert decision["actor"]["id"] == "花子"
    evidence = {each.get("name"): each["evidence"] for each in explained["links"]}
    assert evidence[name].startswith("merged by 花子 on ")
    assert explained["candidates"] == []
    assert "花子" in run(edition, "explain", "70002").stdout
    return str(decision["decision"])


async def test_what_cannot_be_is_refused_in_words_and_with_an_exit_code(edition: Edition) -> None:
    assert "merged with itself" in run(edition, "merge", JAPAN, "70001", code=1).stderr
    assert "no open candidate" in run(edition, "refuse", JAPAN, JAPAN, code=1).stderr
    assert "no decision is called d999" in run(edition, "undo", "d999", code=2).stderr
    missing = run(edition, "merge", "日本電信", JAPAN, code=2).stderr
    assert "there is no account" in missing
    assert JAPAN in missing
    assert "no open candidate czzz" in run(edition, "confirm", "czzz", code=2).stderr
    assert "nobody merged" in run(edition, "undo", JAPAN, code=2).stderr
    nobody = run_onelead("accounts", "review", "--tenant", "nobody", home=edition.folder.home)
    assert (nobody.returncode, "has no accounts" in nobody.stderr) == (2, True)
    odd = run_onelead("accounts", "review", "--tenant", "No_Such", home=edition.folder.home)
    assert (odd.returncode, "use 1 to 40" in odd.stderr) == (2, True)


async def test_accounts_are_merged_by_any_name_and_undone_by_one(edition: Edition) -> None:
    run(edition, "refuse", GLOBAL, JAPAN)
    assert asked_json(edition, "review")["candidates"] == []
    run(edition, "merge", f"{JAPAN} 株式会社", "70002", "--why", "one after all")
    await settle(edition, TENANT)
    assert {x.account for x in (await leads_of(edition, TENANT)).values()} == {GLOBAL}
    went = {each["account_id"] for each in asked_json(edition, "explain", JAPAN)["merged"]}
    [account_id] = went
    assert asked_json(edition, "explain", account_id)["resolved_from"] == account_id
    assert "already" in run(edition, "merge", account_id, "70002", code=1).stderr
    run(edition, "undo", JAPAN)
    await settle(edition, TENANT)
    after, twin = await leads_of(edition, TENANT), await leads_of(edition, TWIN)
    assert facts(after.values()) == facts(twin.values())
