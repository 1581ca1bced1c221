"""A drip campaign on a running edition: its letters arrive on their days, whatever says no ends it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from onelead.edition import edition as editions
from onelead.edition import ports
from onelead.edition.edition import DEFAULT_TENANT, Edition
from onelead.reporting import SilentReporter
from onelead.service_database import service_connection
from onelead.settings import EditionSettings
from onelead.standins.app import Addresses
from onelead.standins.app import running as running_standins
from onelead.standins.settings import StandinSettings
from tests.support.command import run_onelead
from tests.support.edition import AS_OF, import_into, settle
from tests.support.waiting import wait_until
from tests.support.workbooks import BOX_HEADERS, CATALOGUE, as_rows, write_workbook

pytestmark = pytest.mark.slow

FILE = """\
sinks:
  customers:
    channel: email
    host: {at.mail_host}
    port: {at.mail_port}
    security: none
    sender: sales@example.com
    outreach: true
  hook: {{channel: slack, webhook_url: {{env: HOOK}}}}
  crm:
    channel: salesforce
    url: {at.salesforce_url}
    client_id: {at.salesforce_client_id}
    client_secret: {{env: CRM}}
"""
_LET_TIME_GO = """
    UPDATE notifier.enrolments SET started_at = started_at - make_interval(days => :days),
                                   next_at = next_at - make_interval(days => :days)
    WHERE contact = :contact AND ended IS NULL
"""
_ENDED = "SELECT ended FROM notifier.enrolments WHERE contact = :contact"
_IN_STATE = (
    "SELECT delivery_id FROM notifier.deliveries WHERE purpose = :purpose AND state = :state"
)
BOXES = {"SN1": "70001", "SN2": "70001", "SN3": "70001", "SN4": "70001", "SN5": "70002"}
"""Serial numbers and the accounts they belong to."""


def export(path: Path) -> Path:
    """Boxes without a contract, each with a renewal and a service to attach."""
    box = {
        "Product_Id": "N9Z62A",
        "Product_Name": "HPE Primera 650 4-way Storage Base",
        "Product_Platform_Description_Name": "Primera 600",
        "Product_End_of_Life_Date": "2027-01-01",
        "Final_Service_End_Date": "2024-09-01",
        "Support_Status": "Warranty Expired - Uncovered Box",
    }
    boxes = [
        box | {"Product_Serial_Number": serial, "Account_Sales_Territory_Id": account}
        for serial, account in BOXES.items()
    ]
    return write_workbook(path, {"Install Base": as_rows(BOX_HEADERS, boxes)})


class Selling:
    """An edition whose sinks are stand-ins in this process, and the person who sells with it."""

    def __init__(self, edition: Edition, at: Addresses) -> None:
        self._edition = edition
        self._at = at

    async def run(self, *arguments: str, code: int = 0) -> str:
        """Runs `onelead …` aside, so that the stand-ins can answer; about renewals."""
        of_a_box = len(arguments) > 2 and arguments[2] in BOXES
        words = [*arguments, "--type", "renewal"] if of_a_box else arguments
        home = self._edition.folder.home
        result = await asyncio.to_thread(run_onelead, *words, home=home)
        assert result.returncode == code, result.stdout + result.stderr
        return result.stdout if code == 0 else result.stderr

    async def begin(self, serial: str, contact: str) -> None:
        await self.run("campaigns", "start", serial, "--to", contact)

    async def campaign(self, contact: str) -> Any:
        (found,) = json.loads(await self.run("campaigns", "list", "--to", contact, "--json"))
        return found

    async def deliveries(self, *options: str) -> Any:
        return json.loads(await self.run("deliveries", "list", *options, "--json"))

    async def messages(self, channel: str) -> list[Any]:
        query: dict[str, str] = {"channel": channel, "limit": "1000"}
        async with httpx.AsyncClient(base_url=self._at.page_url) as client:
            found = (await client.get("/api/messages", params=query)).json()["messages"]
        return list(found)

    async def letters(self, contact: str) -> list[str]:
        """What a contact got, the oldest first."""
        found = await self.messages("email")
        return [str(each) for each in found if contact in str(each) and not each["problem"]]

    async def until_letters(self, contact: str, count: int) -> list[str]:
        async def enough() -> bool:
            return len(await self.letters(contact)) >= count

        _: bool = await wait_until(enough, f"letter {count} to {contact}", timeout_s=60)
        return await self.letters(contact)

    async def until_ended(self, contact: str) -> str:
        async def over() -> str | None:
            (row,) = await self.query(_ENDED, contact=contact)
            ended: str | None = row.ended
            return ended

        found: str | None = await wait_until(over, f"the end for {contact}", timeout_s=60)
        return str(found)

    async def days_pass(self, contact: str, days: int) -> None:
        await self.query(_LET_TIME_GO, days=days, contact=contact)

    async def until_settled(self, purpose: str, state: str, count: int) -> None:
        async def settled() -> bool:
            rows = await self.query(_IN_STATE, purpose=purpose, state=state)
            return len(rows) == count

        what = f"{count} of {purpose} {state}"
        _: bool = await wait_until(settled, what, timeout_s=60)

    async def query(self, statement: str, **parameters: Any) -> Sequence[Any]:
        """Looks into the notifier's tables, or lets time pass there, without a command's start-up."""
        settings = EditionSettings(home=self._edition.folder.home)
        async with service_connection(settings, "notifier", DEFAULT_TENANT) as connection:
            found = await connection.execute(text(statement), parameters)
            return found.all() if found.returns_rows else []

    async def faults(self, **plan: Any) -> None:
        async with httpx.AsyncClient(base_url=self._at.page_url) as client:
            (await client.post("/api/faults", json=plan)).raise_for_status()

    async def stays(self, contact: str, letters: int) -> None:
        """Nothing more is written, though the day of the next letter has come."""
        await self.days_pass(contact, 30)
        await asyncio.sleep(3)
        assert len(await self.letters(contact)) == letters


def environment(at: Addresses, file: Path) -> dict[str, str]:
    """The settings of the notifier, quick to look."""
    port = ports.claim(0, "")
    return {
        "HOOK": at.slack_webhook_url,
        "CRM": at.salesforce_client_secret,
        "ONELEAD_NOTIFY_FILE": str(file),
        "ONELEAD_NOTIFY_TICK_S": "0.5",
        "ONELEAD_OUTBOUND_TRUSTED": at.mail_host,
        "ONELEAD_INBOUND_PORT": str(port),
        "ONELEAD_INBOUND_URL": f"http://127.0.0.1:{port}",
        "ONELEAD_INBOUND_SECRET": "a-secret-of-the-test-alone",
    }


@pytest.fixture(scope="module")
async def selling(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Selling]:
    folder = tmp_path_factory.mktemp("campaigns")
    settings = EditionSettings(
        home=folder / "home",
        kafka_bootstrap=None,
        database_url=None,
        kafka_port=0,
        ops_base_port=0,
        as_of=AS_OF,
    )
    async with running_standins(StandinSettings()) as at:
        file = folder / "notify.yaml"
        file.write_text(FILE.format(at=at))
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment(at, file).items():
                patch.setenv(name, value)
            async with editions.running(Edition(settings, SilentReporter())) as edition:
                await import_into(edition, [export(folder / "boxes.xlsx"), CATALOGUE])
                await settle(edition)
                yield Selling(edition, at)


def subjects(letters: Sequence[str]) -> list[str]:
    found = [re.search(r"'Subject': (.+?), '", letter) for letter in letters]
    return [match[1] for match in found if match is not None]


async def test_letters_on_days_0_3_and_7_and_a_call_task_on_day_14(selling: Selling) -> None:
    contact = "through@customer.example"
    await selling.begin("SN1", contact)
    await selling.until_letters(contact, 1)
    assert (await selling.campaign(contact))["next"] == "day 3: value"
    await selling.days_pass(contact, 3)
    await selling.until_letters(contact, 2)
    await selling.days_pass(contact, 4)
    letters = await selling.until_letters(contact, 3)
    assert (await selling.campaign(contact))["next"] == "day 14: call task"
    assert await selling.deliveries("--purpose", "call_task") == []
    await selling.days_pass(contact, 7)
    assert await selling.until_ended(contact) == "all steps done"
    await selling.until_settled("call_task", "sent", 2)
    rows = await selling.deliveries("--purpose", "call_task")
    assert {row["channel"] for row in rows} == {"slack", "salesforce"}
    assert any(contact in str(message) for message in await selling.messages("slack"))
    assert len(set(subjects(letters))) == 3
    await selling.stays(contact, 3)


async def test_a_lead_that_is_moved_ends_it(selling: Selling) -> None:
    contact = "moved@customer.example"
    await selling.begin("SN2", contact)
    await selling.until_letters(contact, 1)
    await selling.run("leads", "assign", "SN2", "ben")
    assert await selling.until_ended(contact) == "the lead is assigned now"
    await selling.stays(contact, 1)


async def test_one_click_in_the_letter_ends_it_for_good(selling: Selling) -> None:
    contact = "gone@customer.example"
    await selling.begin("SN3", contact)
    (letter,) = await selling.until_letters(contact, 1)
    link = re.search(r"http://127\.0\.0\.1:\d+/unsubscribe/[\w.-]+", letter.replace("=\\n", ""))
    assert link is not None
    async with httpx.AsyncClient() as client:
        answer = await client.post(link[0], data={"List-Unsubscribe": "One-Click"})
    assert answer.is_success
    assert await selling.until_ended(contact) == "unsubscribed"
    await selling.stays(contact, 1)
    refused = await selling.run("campaigns", "start", "SN4", "--to", contact, code=1)
    assert "nobody was written to: unsubscribed" in refused


async def test_a_letter_that_bounces_ends_it_and_the_address_is_written_to_no_more(
    selling: Selling,
) -> None:
    contact = "nobody@customer.example"
    await selling.faults(email={"status": 550, "at": "rcpt", "count": 1, "match": contact})
    await selling.begin("SN4", contact)
    await selling.until_settled("outreach", "dead", 1)
    await selling.days_pass(contact, 3)
    assert await selling.until_ended(contact) == "bounced"
    rows = json.loads(await selling.run("campaigns", "refused", "--json"))
    assert (contact, "bounced") in {(row["address"], row["reason"]) for row in rows}
    (dead,) = await selling.deliveries("--purpose", "outreach", "--state", "dead")
    assert "550" in dead["note"]
    again = await selling.run("deliveries", "retry", dead["delivery_id"], code=1)
    assert "nobody writes to (bounced)" in " ".join(again.split())
    await selling.stays(contact, 0)


async def test_an_account_that_is_not_to_be_contacted_ends_it(selling: Selling) -> None:
    contact = "quiet@customer.example"
    await selling.begin("SN5", contact)
    await selling.until_letters(contact, 1)
    await selling.run("leads", "do-not-contact", "SN5", "4w", "--why", "they asked us")
    await selling.days_pass(contact, 3)
    assert await selling.until_ended(contact) == "the account is not to be contacted"
    await selling.stays(contact, 1)
