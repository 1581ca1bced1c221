"""The whole path on a real Kafka and PostgreSQL, every service a process: what any user would check."""

import asyncio
import csv
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from onelead.assess.assessment import Assessment, assess
from onelead.calendar.forecast import Turn
from onelead.calendar.read import foretell
from onelead.edition.edition import DEFAULT_TENANT, Edition
from onelead.what_if.snapshot import snapshot_of
from services.ingest.sources.files import read_files
from shared.rules.load import default_rules
from shared.topics import IMPORTS, RECORDS
from tests.support.builders import AS_OF
from tests.support.edition import (
    SAMPLES,
    import_into,
    running_edition,
    service_process,
    settle,
)
from tests.support.pipeline import Sinks, add_tenant, assessed_facts, end_offsets, facts, leads_of
from tests.support.waiting import wait_until
from tests.support.workbooks import BOX_HEADERS, CATALOGUE, generated, write_workbook

EXPECTED_FILE = Path(__file__).parents[1] / "data" / "expected_leads_2025-10-09.json"
EXPECTED: dict[str, dict[str, Any]] = json.loads(EXPECTED_FILE.read_text())
COMPONENTS = ("urgency", "value", "propensity", "strategic_fit")
CRITICAL = 43
ALERTS = {"slack": CRITICAL, "email": CRITICAL, "salesforce": CRITICAL}

SERVICES = ("ingest", "scoring", "recommender", "notifier", "lifecycle")
RULES = default_rules()
BOX = "USE3256NX0"
AHEAD_DAYS = 730


def told(summary: dict[str, Any]) -> dict[str, int]:
    """How many messages each stand-in that is set up has taken."""
    return {channel: count for channel, count in summary["deliveries"].items() if count}


def assessment_of(*files: Path) -> Assessment:
    return assess(read_files(files, RULES), RULES, AS_OF)


@pytest.fixture(scope="module")
async def edition(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edition]:
    """An edition that has taken in the reference workbooks."""
    async with running_edition(tmp_path_factory.mktemp("pipeline") / "home") as running:
        await import_into(running, SAMPLES)
        await settle(running)
        yield running


async def test_the_reference_workbooks_give_the_expected_leads(edition: Edition) -> None:
    leads = await leads_of(edition, DEFAULT_TENANT)
    assert leads.keys() == EXPECTED.keys()
    for key, expected in EXPECTED.items():
        lead = leads[key]
        for component in COMPONENTS:
            assert getattr(lead, component) == pytest.approx(expected[component], abs=0.05), key
        assert (lead.score, lead.priority) == (expected["score"], expected["priority"])
        assert lead.estimated_value_max == expected["estimated_value_max"]


async def test_pipeline_and_assessment_agree_in_every_field(edition: Edition) -> None:
    leads = await leads_of(edition, DEFAULT_TENANT)
    assert facts(leads.values()) == assessed_facts(assessment_of(*SAMPLES))


async def test_the_calendar_foretells_what_the_leads_will_be(edition: Edition) -> None:
    async with snapshot_of(edition.owner_url, None, DEFAULT_TENANT) as snapshot:
        as_of, _, expected = await foretell(snapshot, AHEAD_DAYS)
    assert as_of == AS_OF
    assert {each.turn for each in expected} >= {Turn.FIRES, Turn.CROSSES}
    standing = {
        lead.lead_id: lead.priority for lead in (await leads_of(edition, DEFAULT_TENANT)).values()
    }
    for each in expected:
        assert standing.pop(each.lead.lead_id, None) is each.before
        if each.after is not None:
            standing[each.lead.lead_id] = each.after
    then = assess(read_files(SAMPLES, RULES), RULES, AS_OF + timedelta(days=AHEAD_DAYS))
    assert standing == {each.lead.lead_id: each.score.priority for each in then.leads}


async def test_each_critical_lead_is_alerted_once_on_each_channel(edition: Edition) -> None:
    summary = await Sinks(edition).summary()
    assert told(summary) == ALERTS
    assert set(summary["repeated"].values()) <= {0}


async def test_the_same_import_again_tells_nobody_anything(edition: Edition) -> None:
    before, received = await end_offsets(edition), await Sinks(edition).summary()
    await import_into(edition, SAMPLES)
    await settle(edition)
    after = await end_offsets(edition)
    grown = {topic for topic, end in after.items() if end != before[topic]}
    assert grown == {RECORDS.for_tenant(DEFAULT_TENANT), IMPORTS.name}
    assert await Sinks(edition).summary() == received


@pytest.mark.parametrize("seed", [1, 2])
async def test_generated_exports_give_what_their_assessment_gives(
    edition: Edition, tmp_path: Path, seed: int
) -> None:
    tenant = f"generated-{seed}"
    await add_tenant(edition, tenant)
    workbook = write_workbook(tmp_path / "export.xlsx", generated(seed).sheets())
    await import_into(edition, [workbook, CATALOGUE], tenant=tenant)
    await settle(edition, tenant)
    leads = await leads_of(edition, tenant)
    assert leads
    assert facts(leads.values()) == assessed_facts(assessment_of(workbook, CATALOGUE))


async def test_a_renewed_support_withdraws_its_leads_and_the_crm_is_told(
    edition: Edition, tmp_path: Path
) -> None:
    before = await leads_of(edition, DEFAULT_TENANT)
    row = {
        "Account_Sales_Territory_Id": "56088",
        "Product_Id": "670632-S01",
        "Product_Name": "HP DL360p Gen8 8-SFF CTO Server",
        "Product_Platform_Description_Name": "ProLiant DL360p Gen8",
        "Product_Serial_Number": BOX,
        "Product_End_of_Life_Date": "2015-07-01",
        "Final_Service_Start_Date": "2025-10-01",
        "Final_Service_End_Date": "2028-09-30",
        "Support_Status": "Active Contract",
    }
    await import_into(edition, [csv_of(tmp_path / "renewed.csv", row)])
    await settle(edition)
    after = await leads_of(edition, DEFAULT_TENANT)
    gone = {f"{BOX}/renewal", f"{BOX}/service_attach"}
    assert before.keys() - after.keys() == gone
    told = await Sinks(edition).messages("salesforce")
    for key in gone:
        of_lead = [text for m in told if before[key].lead_id in (text := json.dumps(m))]
        assert any("Withdrawn" in text and "Active Contract" in text for text in of_lead)


def csv_of(path: Path, row: dict[str, str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, BOX_HEADERS)
        writer.writeheader()
        writer.writerow(row)
    return path


@pytest.mark.slow
async def test_a_restart_of_every_service_in_the_middle_changes_nothing(tmp_path: Path) -> None:
    async with running_edition(tmp_path / "home") as running:
        importing = asyncio.create_task(import_into(running, SAMPLES))
        for service in SERVICES:
            old = service_process(running, service)
            old.terminate()
            await wait_until(lambda: is_replaced(running, service, old.pid), f"a new {service}")  # noqa: B023
        await importing
        await settle(running)
        leads = await leads_of(running, DEFAULT_TENANT)
        assert facts(leads.values()) == assessed_facts(assessment_of(*SAMPLES))
        summary = await Sinks(running).summary()
        assert told(summary) == ALERTS
        assert set(summary["repeated"].values()) <= {0}


def is_replaced(running: Edition, service: str, old_pid: int) -> bool:
    try:
        return service_process(running, service).pid != old_pid
    except ValueError:
        return False
