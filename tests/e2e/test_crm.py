"""A running edition and its CRM: what people move there comes back, what they overwrite can be mended."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from onelead.edition.edition import DEFAULT_TENANT, Edition
from tests.support.command import run_onelead
from tests.support.edition import SAMPLES, import_into, running_edition, settle
from tests.support.pipeline import leads_of
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

BOX = "USE3256NX0"


@pytest.fixture(scope="module")
async def edition(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edition]:
    async with running_edition(tmp_path_factory.mktemp("crm") / "home") as running:
        await import_into(running, SAMPLES)
        await settle(running)
        yield running


def reconciled(edition: Edition, *options: str, code: int) -> dict[str, Any]:
    assert edition.standins is not None
    settings = edition.standins.notifier_settings()
    home = edition.folder.home
    result = run_onelead("crm", "reconcile", "--json", *options, home=home, settings=settings)
    assert result.returncode == code, result.stdout + result.stderr
    (found,) = json.loads(result.stdout)
    assert isinstance(found, dict)
    return found


async def test_people_and_onelead_each_keep_what_is_theirs(edition: Edition) -> None:
    assert edition.standins is not None
    count = reconciled(edition, code=0)["in_sync"]
    assert count == 43
    lead = (await leads_of(edition, DEFAULT_TENANT))[f"{BOX}/renewal"].lead_id
    page = edition.standins.addresses["page_url"]
    async with httpx.AsyncClient(base_url=page, trust_env=False) as client:
        moved = {"StageName": "Closed Won", "Amount": 1}
        answer = await client.post(f"/api/salesforce/opportunities/{lead}", json=moved)
        answer.raise_for_status()

    def only_the_amount() -> bool:
        """The stage is no drift any more once lifecycle has taken it over."""
        (drifted,) = reconciled(edition, code=1)["drifted"]
        return [each["field"] for each in drifted["fields"]] == ["amount"]

    await wait_until(only_the_amount, "the lead is won", timeout_s=60)
    mended = reconciled(edition, "--mend", code=0)
    assert (mended["mended"], mended["in_sync"]) == ([lead], count)
    shown = run_onelead("leads", "show", lead, "--json", home=edition.folder.home)
    assert json.loads(shown.stdout)["state"] == "won"
