"""`onelead notify` on a running edition: what it shows is what the notifier has sent."""

import json
import subprocess
from collections.abc import AsyncIterator
from email import message_from_string
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from onelead.edition.edition import DEFAULT_TENANT, Edition
from shared.events import LeadChanged
from tests.support.command import run_onelead
from tests.support.edition import SAMPLES, import_into, running_edition, settle
from tests.support.pipeline import Sinks, leads_of

pytestmark = pytest.mark.slow

BOX = "USE3256NX0"
FILE = """\
sinks:
  hook: {{channel: slack, webhook_url: {{env: HOOK}}}}
  mail:
    channel: email
    host: {mail_host}
    port: {mail_port}
    security: none
    sender: onelead@example.com
    recipients: [sales@example.com]
  owners:
    channel: email
    host: {mail_host}
    port: {mail_port}
    security: none
    sender: onelead@example.com
    recipients: owner
  crm:
    channel: salesforce
    url: {salesforce_url}
    client_id: {salesforce_client_id}
    client_secret: {{env: CRM}}
people:
  anna: {{mail: anna@example.com, territories: ["56088"]}}
  bert: {{mail: bert@example.com}}
routes:
  - {{when: {{type: renewal}}, to: [hook, mail, owners]}}
  - {{when: {{value_at_least: 50000000}}, to: [crm]}}
"""


@pytest.fixture(scope="module")
async def edition(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edition]:
    """An edition that has taken in the reference workbooks and told of them."""
    async with running_edition(tmp_path_factory.mktemp("notify") / "home") as running:
        await import_into(running, SAMPLES)
        await settle(running)
        yield running


@pytest.fixture(scope="module")
async def lead(edition: Edition) -> LeadChanged:
    return (await leads_of(edition, DEFAULT_TENANT))[f"{BOX}/renewal"]


class Notify:
    """The command, with a file whose sinks are the edition's stand-ins."""

    def __init__(self, edition: Edition, folder: Path) -> None:
        assert edition.standins is not None
        at = edition.standins.addresses
        file = folder / "notify.yaml"
        file.write_text(FILE.format(**at))
        self._home = edition.folder.home
        self._settings: dict[str, Any] = {
            "HOOK": at["slack_webhook_url"],
            "CRM": at["salesforce_client_secret"],
            "ONELEAD_NOTIFY_FILE": file,
            "ONELEAD_CONSOLE_URL": at["page_url"],
            "ONELEAD_OUTBOUND_TRUSTED": at["mail_host"],
        }

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        result = run_onelead("notify", *arguments, home=self._home, settings=self._settings)
        assert result.returncode == code, result.stderr
        assert "Traceback" not in result.stderr
        return result

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json").stdout)


@pytest.fixture
def notify(edition: Edition, tmp_path: Path) -> Notify:
    return Notify(edition, tmp_path)


async def test_the_preview_is_what_the_notifier_has_sent(
    edition: Edition, notify: Notify, lead: LeadChanged
) -> None:
    previews = notify.json("preview", BOX, "--type", "renewal")
    assert [(p["sink"], p["address"]) for p in previews] == [
        ("hook", "T0STANDIN/B0ALERTS"),
        ("mail", "sales@example.com"),
        ("owners", "anna@example.com"),
    ]
    sent = await Sinks(edition).messages("slack")
    bodies = [message["content"] for message in sent if lead.lead_id in json.dumps(message)]
    assert previews[0]["message"] in bodies
    mail = message_from_string(previews[1]["message"], policy=default)
    subjects = [str(message) for message in await Sinks(edition).messages("email")]
    assert any(str(mail["Subject"]) in text for text in subjects)


async def test_the_routes_say_why(notify: Notify, lead: LeadChanged) -> None:
    said = notify.json("routes", lead.lead_id)
    assert said["lead_id"] == lead.lead_id
    assert said["owner"] == "anna"
    assert [route["taken"] for route in said["routes"]] == [True, False]
    assert said["routes"][1]["misses"][0].endswith("not USD 50,000,000 or more")
    table = notify.run("routes", lead.lead_id, "--owner", "bert").stdout
    assert "bert@example.com" in table
    assert "anna@example.com" not in table
    assert "no route that was taken leads to it" in table


async def test_a_person_reads_text_and_opens_pages(
    notify: Notify, lead: LeadChanged, tmp_path: Path
) -> None:
    result = notify.run("preview", lead.lead_id, "--sink", "mail", "--html", str(tmp_path / "p"))
    assert lead.title in result.stdout
    (page,) = sorted((tmp_path / "p").iterdir())
    assert page.name == "mail-sales@example.com-alert.html"
    assert "<html" in page.read_text()
    nobody = notify.run("preview", lead.lead_id, "--channel", "salesforce")
    assert "Nobody would be told" in nobody.stderr


async def test_a_test_message_arrives_where_the_notifier_sends(
    edition: Edition, notify: Notify
) -> None:
    before = len(await Sinks(edition).messages("slack"))
    assert "took the test message" in notify.run("test", "hook").stdout
    assert len(await Sinks(edition).messages("slack")) == before + 1


async def test_a_lead_that_is_not_there_is_named(notify: Notify) -> None:
    result = notify.run("preview", "NO-SUCH-BOX", code=2)
    assert "has no lead called 'NO-SUCH-BOX'" in result.stderr
