"""The notifier as a process with a notify file: who gets what, seen in the ledger and at the sinks."""

import uuid
from pathlib import Path

import pytest

from onelead.broker import create_missing_topics
from onelead.standins.app import Addresses
from shared.events import LeadChanged, LeadType
from shared.ops.composition import Base
from tests.integration.notifier.conftest import Inside
from tests.integration.notifier.test_process import (
    deliveries,
    notifier,
    publish,
    until_all_final,
)
from tests.support.notifier_builders import public_lead
from tests.support.stack import Stack

FILE = """\
sinks:
  hook: {{channel: slack, webhook_url: {{env: HOOK}}, tenants: [{tenant}]}}
  luzern: {{channel: email, host: {at.mail_host}, port: {at.mail_port}, security: none,
           sender: onelead@example.com, recipients: [owner, luzern@example.com],
           tenants: [{tenant}], offices: [luzern]}}
  crm: {{channel: salesforce, url: "{at.salesforce_url}", client_id: {at.salesforce_client_id},
        client_secret: {{env: CRM}}, tenants: [{tenant}]}}
people:
  anna: {{mail: anna@example.com, tenants: [{tenant}], accounts: [Apple Inc]}}
routes:
  - {{when: {{value_at_least: 100000}}, to: [crm]}}
  - {{when: {{type: renewal}}, to: [luzern], stop: true}}
  - {{when: {{account: Apple Inc}}, to: [hook, luzern]}}
"""


@pytest.fixture
def environment(
    standins: Addresses, role_url: str, migrated: Stack, tenant: str, tmp_path: Path
) -> dict[str, str]:
    file = tmp_path / "notify.yaml"
    file.write_text(FILE.format(at=standins, tenant=tenant))
    return {
        "HOOK": standins.slack_webhook_url,
        "CRM": standins.salesforce_client_secret,
        "ONELEAD_NOTIFY_FILE": str(file),
        "ONELEAD_KAFKA_BOOTSTRAP": migrated.bootstrap,
        "ONELEAD_DATABASE_URL": role_url,
        "ONELEAD_INSTANCE_ID": tenant,
        "ONELEAD_NOTIFY_POLL_S": "0.1",
        "ONELEAD_OUTBOUND_TRUSTED": standins.mail_host,
    }


def a_lead(name: str, **changes: object) -> LeadChanged:
    return public_lead(lead_id=name, office_id="luzern", **changes)


LEADS = [
    a_lead("renewal"),
    a_lead("big", estimated_value_max=100_000),
    a_lead("refresh", lead_type=LeadType.HARDWARE_REFRESH),
    a_lead("stranger", lead_type=LeadType.HARDWARE_REFRESH, account="Other"),
    a_lead("strangers", account="Other"),
    public_lead(lead_id="elsewhere", office_id="egeli"),
    public_lead(lead_id="nowhere", lead_type=LeadType.HARDWARE_REFRESH),
]
ANNA, OFFICE = "anna@example.com", "luzern@example.com"
TOLD = {
    ("renewal", ANNA),
    ("renewal", OFFICE),
    ("big", ANNA),
    ("big", OFFICE),
    ("big", "crm"),
    ("refresh", "hook"),
    ("refresh", ANNA),
    ("refresh", OFFICE),
    ("strangers", OFFICE),
    ("nowhere", "hook"),
}


async def test_each_lead_goes_where_its_routes_lead_and_nowhere_else(
    environment: dict[str, str], migrated: Stack, tenant: str, inside: Inside, base: Base
) -> None:
    other = f"t-{uuid.uuid4().hex[:12]}"
    await create_missing_topics(migrated.bootstrap, [other])
    await publish(migrated.bootstrap, other, LEADS)
    await publish(migrated.bootstrap, tenant, LEADS)
    async with notifier(environment):
        rows = await until_all_final(base, tenant, len(TOLD))
    name = {"slack": "hook", "salesforce": "crm"}
    assert {(row.lead_id, name.get(row.channel, row.target)) for row in rows} == TOLD
    assert {row.state for row in rows} == {"sent"}
    assert await deliveries(base, other) == []
    counts = (await inside.summary())["deliveries"]
    assert (counts["slack"], counts["email"], counts["salesforce"]) == (2, 7, 1)
