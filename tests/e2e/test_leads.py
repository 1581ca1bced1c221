"""`onelead leads` on a running edition: people work on leads, reminders come, offices respect each other."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest

from onelead.edition.edition import Edition
from onelead.messages import publisher, read_from_beginning
from shared import clock
from shared.events import LeadChange, LeadChanged, LeadStatusChanged
from shared.messaging.codec import UnreadableMessageError, decode, encode
from shared.topics import LEAD_STATUS, LEADS
from tests.support.command import run_onelead
from tests.support.edition import import_into, running_edition, service_process, settle
from tests.support.notifier_builders import public_lead
from tests.support.pipeline import add_tenant, leads_of
from tests.support.waiting import wait_until
from tests.support.workbooks import BOX_HEADERS, CATALOGUE, as_rows, write_workbook

pytestmark = pytest.mark.slow

TENANT = "selling"
ELSEWHERE = "lead-of-romandie"


def export(path: Path) -> Path:
    """Two boxes of one account without a contract, each with a renewal and a service to attach."""
    box = {
        "Account_Sales_Territory_Id": "70001",
        "Product_Id": "N9Z62A",
        "Product_Name": "HPE Primera 650 4-way Storage Base",
        "Product_Platform_Description_Name": "Primera 600",
        "Product_End_of_Life_Date": "2027-01-01",
        "Final_Service_End_Date": "2024-09-01",
        "Support_Status": "Warranty Expired - Uncovered Box",
    }
    boxes = [box | {"Product_Serial_Number": serial} for serial in ("SN1", "SN2")]
    return write_workbook(path, {"Install Base": as_rows(BOX_HEADERS, boxes)})


async def publish(edition: Edition, event: LeadChanged) -> None:
    """A lead goes out on the tenant's public topic, as the recommender would tell of it."""
    message = encode(
        event,
        tenant_id=TENANT,
        source="/onelead/recommender",
        subject=event.lead_id,
        topic=LEADS.for_tenant(TENANT),
        key=f"{TENANT}|{event.lead_id}",
    )
    async with publisher(edition.bootstrap) as out:
        await out.send([message])


@pytest.fixture(scope="module")
async def edition(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edition]:
    """An edition with an account's leads: four of no office, and one of another."""
    folder = tmp_path_factory.mktemp("leads")
    async with running_edition(folder / "home") as running:
        await add_tenant(running, TENANT)
        await import_into(running, [export(folder / "boxes.xlsx"), CATALOGUE], tenant=TENANT)
        await settle(running, TENANT)
        account_id = next(iter((await leads_of(running, TENANT)).values())).account_id
        lead = public_lead(
            version=1, lead_id=ELSEWHERE, account_id=account_id, office_id="romandie"
        )
        await publish(running, lead)
        await settle(running, TENANT)
        yield running


def run(edition: Edition, *arguments: str, code: int = 0) -> Any:
    # A box without a contract has two leads.
    one = ("--type", "renewal") if arguments[1:2] in {("SN1",), ("SN2",)} else ()
    options = (*one, "--tenant", TENANT)
    result = run_onelead("leads", *arguments, *options, home=edition.folder.home)
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


def as_json(edition: Edition, *arguments: str) -> Any:
    return json.loads(run(edition, *arguments, "--json").stdout)


async def facts_of(edition: Edition, lead_id: str) -> list[LeadStatusChanged]:
    """What lifecycle told of a lead, in its order."""
    found = []
    for record in await read_from_beginning(edition.bootstrap, LEAD_STATUS.name):
        try:
            event = decode(record).event
        except UnreadableMessageError:
            continue
        if isinstance(event, LeadStatusChanged) and event.lead_id == lead_id:
            found.append(event)
    return sorted(found, key=lambda fact: fact.version)


async def test_a_lead_is_assigned_moved_and_closed_by_the_command_line(edition: Edition) -> None:
    assert {row["state"] for row in as_json(edition, "list")} == {"new"}

    said = run(edition, "assign", "SN1", "ben", "--by", "anna").stdout
    assert "assigned to ben, now assigned" in said
    assert "moved from assigned to meeting" in run(edition, "move", "SN1", "meeting").stdout

    refused = run(edition, "move", "SN1", "assigned", code=1).stderr
    assert "refused: a lead that is meeting cannot become assigned" in refused
    assert "qualified" in refused
    assert "needs a reason" in run(edition, "move", "SN1", "qualified", code=1).stderr
    run(edition, "move", "SN1", "qualified", "--why", "too early")
    wrong = run(edition, "move", "SN1", "rejected", "--why", "boring", code=1).stderr
    assert "wrong segment" in wrong

    shown = as_json(edition, "show", "SN1")
    assert (shown["state"], shown["owner"]) == ("qualified", "ben")
    assert [row["lead_id"] for row in as_json(edition, "list", "--owner", "ben")] == [
        shown["lead_id"]
    ]
    steps = [
        (entry["field"], entry["after"], entry["why"])
        for entry in as_json(edition, "history", "SN1")
    ]
    assert steps == [
        ("state", "new", ""),
        ("owner", "ben", ""),
        ("state", "assigned", ""),
        ("state", "meeting", ""),
        ("state", "qualified", "too early"),
    ]
    assert "too early" in run(edition, "history", "SN1").stdout


async def test_a_follow_up_falls_due_by_itself_once_also_when_lifecycle_was_killed(
    edition: Edition,
) -> None:
    at = clock.now() + timedelta(seconds=15)
    moment = at.astimezone(UTC).isoformat()
    said = run(edition, "follow-up", "SN2", moment, "--note", "call Eva").stdout
    assert "UTC" in said
    lead_id = as_json(edition, "show", "SN2")["lead_id"]
    service_process(edition, "lifecycle").kill()

    async def due() -> list[LeadStatusChanged]:
        told = await facts_of(edition, lead_id)
        return [fact for fact in told if fact.change is LeadChange.FOLLOW_UP_DUE]

    told: list[LeadStatusChanged] = await wait_until(due, "the follow-up", timeout_s=90)
    [fact] = told
    assert (fact.follow_up_note, fact.changed_at >= at) == ("call Eva", True)
    await asyncio.sleep(3)
    assert len(await due()) == 1
    assert [row["lead_id"] for row in as_json(edition, "list", "--overdue")] == [lead_id]
    assert "overdue since" in run(edition, "show", "SN2").stdout
    run(edition, "follow-up", "SN2", "none")
    assert as_json(edition, "list", "--overdue") == []


async def test_do_not_contact_reaches_the_other_office_as_a_date_and_nothing_else(
    edition: Edition,
) -> None:
    run(edition, "do-not-contact", "SN1", "2w", "--why", "they asked us", "--by", "anna")
    ours = as_json(edition, "show", "SN1")["do_not_contact_until"]

    async def reached() -> list[LeadStatusChanged]:
        told = await facts_of(edition, ELSEWHERE)
        return [fact for fact in told if fact.change is LeadChange.DO_NOT_CONTACT_SET]

    told: list[LeadStatusChanged] = await wait_until(reached, "the other office's lead")
    [fact] = told
    assert fact.do_not_contact_until is not None
    assert fact.do_not_contact_until.isoformat() == ours.replace("Z", "+00:00")
    assert "anna" not in fact.model_dump_json()
    assert "they asked us" not in fact.model_dump_json()
    assert as_json(edition, "show", ELSEWHERE)["do_not_contact_until"] == ours
    history = run(edition, "history", ELSEWHERE, "--json").stdout
    assert "anna" not in history
    run(edition, "do-not-contact", "SN2", "none")
    assert as_json(edition, "show", ELSEWHERE)["do_not_contact_until"] is None


async def test_a_list_is_chosen_by_what_a_seller_asks_for(edition: Edition) -> None:
    run(edition, "snooze", ELSEWHERE, "3d")
    assert [row["lead_id"] for row in as_json(edition, "list", "--snoozed")] == [ELSEWHERE]
    assert [row["lead_id"] for row in as_json(edition, "list", "--office", "romandie")] == [
        ELSEWHERE
    ]
    assert as_json(edition, "list", "--priority", "low", "--type", "hardware_refresh") == []
    text = run(edition, "list", "--csv", "--limit", "1")
    header, line = text.stdout.splitlines()
    assert header.startswith("lead_id,state,priority")
    assert line
    assert "The first 1" in text.stderr


async def test_what_cannot_be_is_refused_before_anything_is_sent(edition: Edition) -> None:
    assert "has no lead called 'NOPE'" in run(edition, "show", "NOPE", code=2).stderr
    assert "there is no state" in run(edition, "move", "SN1", "sold", code=2).stderr
    assert "is no moment" in run(edition, "snooze", "SN1", "soon", code=2).stderr
    assert "in the past" in run(edition, "snooze", "SN1", "2020-01-01", code=1).stderr
