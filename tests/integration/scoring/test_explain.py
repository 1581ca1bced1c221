"""`onelead explain` finds a lead by any of its names, and refuses what is not one lead."""

import asyncio
import json
import sys

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from onelead.explaining.finding import explained
from onelead.settings import EditionSettings
from services.ingest.domain.ids import lead_id
from services.scoring.domain.outlook.assemble import with_outlook
from shared.db.migrate import upgrade
from shared.errors import UserError
from shared.events import LeadType
from shared.rules.load import default_rules
from shared.settings import load_settings
from tests.integration.scoring.bench import ACTIVE, OLD_BOX, Scoring, detected, profiled
from tests.support.service_bench import owner_of
from tests.support.stack import Stack

BOX = "USE3256NX0"


@pytest.fixture
def reading(migrated: Stack, scoring_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command's settings, by which it reads as scoring and as the recommender."""
    password = make_url(scoring_url).password
    for service in ("ingest", "recommender"):
        upgrade(migrated.owner_url, service, role_password=password)
    monkeypatch.setenv("ONELEAD_DATABASE_URL", migrated.owner_url)
    monkeypatch.setenv("ONELEAD_DATABASE_PASSWORD", password or "")


@pytest.fixture
async def tenant(reading: None, scoring: Scoring, migrated: Stack) -> str:
    """A tenant with two leads on one box."""
    ids = {
        each: lead_id(scoring.tenant, BOX, each)
        for each in (LeadType.RENEWAL, LeadType.HARDWARE_REFRESH)
    }
    leads = [
        detected(1, lead_id=key, lead_type=kind, box_id=BOX, **OLD_BOX) for kind, key in ids.items()
    ]
    await scoring.hear(profiled(1, **ACTIVE), *leads)
    await scoring.hear(profiled(2))
    known = text("INSERT INTO ingest.tenants VALUES (:tenant, '2025-10-09', 0, 0)")
    async with owner_of(migrated) as engine, engine.begin() as connection:
        await connection.execute(known, {"tenant": scoring.tenant})
    return scoring.tenant


@pytest.mark.parametrize("kind", [LeadType.RENEWAL, LeadType.HARDWARE_REFRESH])
async def test_a_lead_is_found_by_its_id_its_beginning_and_its_box(
    tenant: str, kind: LeadType
) -> None:
    settings = load_settings(EditionSettings)
    key = lead_id(tenant, BOX, kind)
    for name in (key, key.upper(), key[:8], BOX.lower()):
        found = await explained(settings, tenant, name, kind)
        assert found.scored.lead.lead_id == key
        assert found.public is None


async def test_the_history_holds_each_score_with_its_cause(tenant: str) -> None:
    settings = load_settings(EditionSettings)
    found = await explained(settings, tenant, BOX, LeadType.RENEWAL)
    assert [past.cause.kind for past in found.history] == ["first", "account"]
    assert found.history[-1].score == found.scored.score.score
    assert {change.field for change in found.history[-1].cause.changes} >= {"items", "won"}


async def test_a_score_that_goes_out_has_its_outlook(tenant: str) -> None:
    settings = load_settings(EditionSettings)
    scored = (await explained(settings, tenant, BOX, LeadType.RENEWAL)).scored
    rules = default_rules()
    plain = scored.score.model_copy(update={"outlook": None})
    again = with_outlook(plain, scored.lead, scored.account, rules.scoring, products=rules.products)
    assert again == scored.score


@pytest.mark.parametrize(
    ("name", "told"), [("no-such-lead", "has no lead called"), (BOX, "may be one of")]
)
async def test_what_is_not_one_lead_is_refused_with_the_way_out(
    tenant: str, name: str, told: str
) -> None:
    with pytest.raises(UserError, match=told) as refusal:
        await explained(load_settings(EditionSettings), tenant, name, None)
    assert refusal.value.hint


async def test_the_leads_of_another_tenant_are_not_seen(tenant: str) -> None:
    key = lead_id(tenant, BOX, LeadType.RENEWAL)
    with pytest.raises(UserError, match="has no lead"):
        await explained(load_settings(EditionSettings), "another", key, None)


async def test_the_command_prints_tables_or_one_json_object(tenant: str) -> None:
    arguments = ("explain", BOX, "--type", "renewal", "--tenant", tenant)
    code, text = await command(*arguments)
    assert code == 0
    assert "Points as of 2025-10-09" in text
    code, text = await command(*arguments, "--json")
    assert code == 0
    assert json.loads(text)["lead"]["box_id"] == BOX
    code, _ = await command("explain", "nothing", "--tenant", tenant)
    assert code != 0


async def command(*arguments: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "onelead", *arguments), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()
