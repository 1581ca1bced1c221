"""One tenant's user sees nothing of another, whatever the command; an erased tenant stays erased."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

from onelead.cli import build_app
from tests.e2e.tenants_world import ALPHA, BETA, OWN, SECRET, TwoTenants, export, two_tenants
from tests.support.command import run_onelead
from tests.support.edition import settle

pytestmark = pytest.mark.slow

SEES_ITS_OWN: dict[str, tuple[str, ...]] = {
    "leads list": (),
    "calendar": ("--days", "1000"),
    "imports list": (),
    "imports show": ("last",),
    "what-if": ("--set", "scoring.priorities.critical=99", "--all"),
    "leads show": (f"{OWN}1", "--type", "renewal"),
    "leads history": (f"{OWN}1", "--type", "renewal"),
    "explain": (f"{OWN}1", "--type", "renewal"),
}
"""Commands that show a tenant's data, run by its own user: something of it, nothing of the other."""
SEES_NOTHING: dict[str, tuple[str, ...]] = {
    "accounts review": (),
    "campaigns list": (),
    "campaigns refused": (),
    "campaigns unsubscribe": ("eva@example.com",),
    "campaigns allow": ("eva@example.com",),
    "deliveries list": (),
    "deliveries sinks": (),
    "deliveries enable": ("slack", "sales"),
    "digests": ("daily",),
    "crm reconcile": (),
    "rules show": (),
    "notify preview": (f"{OWN}1", "--type", "renewal"),
    "notify routes": (f"{OWN}1", "--type", "renewal"),
    "offices list": (),
    "offices show": ("6003",),
    "offices export": (),
}
"""Commands that have nothing to show to the second tenant, which has no sinks and no candidates."""
REFUSES: dict[str, tuple[str, ...]] = {
    "leads show": ("{lead}",),
    "leads history": ("{lead}",),
    "leads assign": ("{lead}", "ben"),
    "leads move": ("{lead}", "contacted"),
    "leads snooze": ("{lead}", "3d"),
    "leads follow-up": ("{lead}", "3d"),
    "leads do-not-contact": ("{lead}", "3d"),
    "explain": ("{lead}",),
    "notify preview": ("{lead}",),
    "notify routes": ("{lead}",),
    "campaigns preview": ("{lead}",),
    "campaigns start": ("{lead}", "--to", "eva@example.com"),
    "campaigns stop": ("{lead}",),
    "accounts explain": ("{account}",),
    "accounts merge": ("{account}", "{own}", "--wait", "20"),
    "accounts refuse": ("{account}", "{own}", "--wait", "20"),
    "accounts confirm": ("{account}", "{own}", "--wait", "20"),
    "accounts undo": ("{account}", "--wait", "20"),
    "imports show": ("{import}",),
    "imports export": ("{import}", "--to", "{folder}/mend.xlsx"),
    "deliveries show": ("{delivery}",),
    "deliveries retry": ("{delivery}", "--yes"),
    "deliveries cancel": ("{delivery}",),
}
"""Commands given another tenant's lead, account, import or delivery by its id: it is not there."""
WRITES_ITS_OWN = {"import", "rules apply", "offices apply"}
"""Commands that only write, in their tenant's name; tried below."""
SHOWS_NO_DATA = {"topics", "topics acls"}
"""The operator's: names and rights of topics."""


NAMES_IT = {"leads list", "leads show", "explain"}
"""Those whose output has the product's name in it."""


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Every command, and every group that does something itself, that takes a tenant."""
    if any("--tenant" in parameter.opts for parameter in command.params):
        yield " ".join(path)
    for name, sub in getattr(command, "commands", {}).items():
        yield from commands(sub, (*path, name))


def test_every_command_that_takes_a_tenant_is_tried_here() -> None:
    taking = set(commands(typer.main.get_command(build_app())))
    tried = {*SEES_ITS_OWN, *SEES_NOTHING, *REFUSES, *WRITES_ITS_OWN, *SHOWS_NO_DATA}
    assert taking - tried == set()
    assert tried - taking == set()


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TwoTenants]:
    async with two_tenants(tmp_path_factory.mktemp("tenants")) as running:
        yield running


@pytest.fixture(scope="module")
async def called(world: TwoTenants) -> dict[str, str]:
    """How things of the first tenant are called, as its own user sees them."""
    leads = world.json("leads", "list", "--type", "renewal", tenant=ALPHA)
    own = world.json("leads", "list", "--type", "renewal", tenant=BETA)
    deliveries: Any = world.json("deliveries", "list", tenant=ALPHA)
    listed = deliveries if isinstance(deliveries, list) else deliveries["deliveries"]
    return {
        "lead": leads[0]["lead_id"],
        "account": leads[0]["account_id"],
        "own": own[0]["account_id"],
        "import": world.json("imports", "list", tenant=ALPHA)[0]["batch_id"],
        "delivery": str(listed[0].get("delivery_id") or listed[0]["id"]),
        "folder": str(world.folder),
    }


@pytest.mark.parametrize("command", SEES_ITS_OWN)
async def test_a_command_shows_its_tenants_data_and_nothing_of_another(
    world: TwoTenants, command: str
) -> None:
    said = world.run(*command.split(), *SEES_ITS_OWN[command], tenant=BETA)
    assert SECRET not in said
    ours = world.run(
        *command.split(), *(w.replace(OWN, SECRET) for w in SEES_ITS_OWN[command]), tenant=ALPHA
    )
    assert OWN not in ours
    if command in NAMES_IT:
        assert OWN in said
        assert SECRET in ours


@pytest.mark.parametrize("command", SEES_NOTHING)
async def test_a_command_without_anything_to_show_shows_nothing_of_another(
    world: TwoTenants, command: str
) -> None:
    said = world.run(*command.split(), *SEES_NOTHING[command], tenant=BETA, code=None)
    assert SECRET not in said


@pytest.mark.parametrize("command", REFUSES)
async def test_another_tenants_things_are_not_there_even_by_their_ids(
    world: TwoTenants, called: dict[str, str], command: str
) -> None:
    words = [word.format_map(called) for word in REFUSES[command]]
    result = run_onelead(
        *command.split(), *words, "--tenant", BETA, home=world.edition.folder.home, timeout_s=120
    )
    said = result.stdout + result.stderr
    assert SECRET not in said
    assert "Traceback" not in said
    assert result.returncode in (1, 2), said


async def test_what_one_tenant_writes_the_other_does_not_meet(
    world: TwoTenants, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("scoring:\n  priorities:\n    critical: 91\n")
    before = world.run("rules", "show", tenant=ALPHA)
    world.run("rules", "apply", str(rules), tenant=BETA)
    assert "91" in world.run("rules", "show", tenant=BETA)
    assert world.run("rules", "show", tenant=ALPHA) == before
    world.run("import", str(export(tmp_path / "more.xlsx", f"{OWN}MORE")), tenant=BETA)
    await settle(world.edition, ALPHA, BETA)
    shown = world.run("leads", "list", "--limit", "100", tenant=ALPHA)
    assert OWN not in shown


async def test_a_tenant_erased_in_the_middle_of_an_import_stays_erased(
    world: TwoTenants, tmp_path: Path
) -> None:
    home = world.edition.folder.home
    before = world.json("leads", "list", "--limit", "100", tenant=BETA)
    assert before
    big = export(tmp_path / "big.xlsx", SECRET, boxes=3_000)
    words = ("import", str(big), "--tenant", ALPHA)
    importing = asyncio.create_task(
        asyncio.to_thread(run_onelead, *words, home=home, timeout_s=240)
    )
    await asyncio.sleep(6)
    erased = run_onelead(
        "tenants", "erase", ALPHA, "--yes", ALPHA, "--json", home=home, timeout_s=240
    )
    assert erased.returncode in (0, 3), erased.stderr
    await importing
    await settle(world.edition, BETA)
    again = run_onelead(
        "tenants", "erase", ALPHA, "--yes", ALPHA, "--json", home=home, timeout_s=240
    )
    assert again.returncode in (0, 3), again.stderr
    rows = [each for each in json.loads(again.stdout)["places"] if each["what"] == "rows"]
    assert len(rows) > 50
    assert [each for each in rows if each["before"] or each["after"]] == []
    assert world.json("leads", "list", "--limit", "100", tenant=BETA) == before
    async with httpx.AsyncClient() as client:
        for service in world.edition.services:
            answer = await client.get(str(service.health_url()))
            assert answer.status_code == httpx.codes.OK, answer.text
