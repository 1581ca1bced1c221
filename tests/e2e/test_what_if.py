"""What-if tells beforehand just what applying the rules then does, and touches nothing meanwhile."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import yaml
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from onelead.edition.edition import DEFAULT_TENANT, Edition
from onelead.messages import publisher
from onelead.what_if.changes import Standing
from onelead.what_if.new_rules import new_rules
from onelead.what_if.replay import How, WhatIf, replay
from onelead.what_if.snapshot import snapshot_of
from shared import clock
from shared.db.engine import make_engine
from shared.errors import UserError
from shared.events import LeadChanged, LeadType, Priority, RulesApplied
from shared.messaging.codec import encode
from shared.rules.load import default_rules, rules_document, rules_version
from shared.rules.model import Rules
from shared.topics import RULES
from tests.support.command import run_onelead
from tests.support.edition import AS_OF, SAMPLES, import_into, running_edition, settle
from tests.support.pipeline import Sinks, add_tenant, end_offsets, leads_of
from tests.support.workbooks import CATALOGUE, generated, write_workbook

pytestmark = pytest.mark.slow

OTHER_TENANT = "generated"
SWITCHED = """
leads:
  competitor_support_plays: true
  one_support_play_per_box: true
  renewal: {ahead_days: 90, max_days_since_eol: 3000}
  hardware_refresh: {value_by_family: true, family_values: {3PAR: {min: 90000, max: 300000}}}
accounts:
  name_map: {"KESTREL AEROSPACE INC": Nordwind Logistik GmbH}
scoring:
  priorities: {critical: 70}
  weights: {urgency: 0.40, value: 0.25}
recommendation:
  base_priority: {Rebalance: 12}
"""


@pytest.fixture(scope="module")
async def edition(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edition]:
    """An edition that holds the reference workbooks, and a generated export of another tenant."""
    folder = tmp_path_factory.mktemp("what-if")
    async with running_edition(folder / "home") as running:
        await add_tenant(running, OTHER_TENANT)
        workbook = write_workbook(folder / "export.xlsx", generated(5, boxes=80).sheets())
        await import_into(running, SAMPLES)
        await import_into(running, [workbook, CATALOGUE], tenant=OTHER_TENANT)
        await settle(running, DEFAULT_TENANT, OTHER_TENANT)
        yield running


@pytest.fixture
def switched(tmp_path: Path) -> Path:
    file = tmp_path / "switched.yaml"
    file.write_text(SWITCHED)
    return file


async def compared(
    edition: Edition,
    *settings: str,
    file: Path | None = None,
    tenant: str = DEFAULT_TENANT,
    rows: int = 50,
) -> WhatIf:
    how = How(everything=True, rows_per_chunk=rows)
    async with snapshot_of(edition.owner_url, None, tenant) as snapshot:
        return await replay(snapshot, lambda in_force: new_rules(in_force, file, settings), how)


async def apply_rules(edition: Edition, rules: Rules, tenant: str) -> None:
    event = RulesApplied(
        version=clock.now_us(), rules_version=rules_version(rules), rules=rules_document(rules)
    )
    message = encode(
        event, tenant_id=tenant, source="/test", subject=tenant, topic=RULES.name, key=tenant
    )
    async with publisher(edition.bootstrap) as broker:
        await broker.send([message])
    await settle(edition, tenant)


async def query(edition: Edition, statement: str) -> Sequence[tuple[object, ...]]:
    engine = make_engine(make_url(edition.owner_url), application="onelead-test", pool_size=1)
    try:
        async with engine.begin() as connection:
            found = await connection.execute(text(statement))
            return [tuple(row) for row in found] if found.returns_rows else []
    finally:
        await engine.dispose()


BEATS = {"relay_holders", "crm_polls"}
"""Tables that are written while nothing happens."""


async def row_counts(edition: Edition) -> dict[str, object]:
    """Of every table of the services: how many rows, and the newest transaction that wrote one."""
    tables = await query(
        edition,
        "SELECT schemaname || '.' || relname FROM pg_stat_user_tables ORDER BY 1",
    )
    return {
        str(name): (await query(edition, f"SELECT count(*), max(xmin::text::bigint) FROM {name}"))[
            0
        ]
        for (name,) in tables
        if str(name).split(".")[1] not in BEATS
    }


async def test_before_is_what_is_in_force(edition: Edition) -> None:
    for tenant in (DEFAULT_TENANT, OTHER_TENANT):
        found = await compared(edition, "scoring.profile=classic", tenant=tenant)
        assert (found.otherwise_now, found.under_way) == (0, ())
        leads = (await leads_of(edition, tenant)).values()
        assert found.before.count() == len(leads)
        for priority in Priority:
            held = sum(lead.priority is priority for lead in leads)
            assert found.before.count(of=priority) == held


async def test_classic_against_default_is_the_built_in_example(edition: Edition) -> None:
    found = await compared(edition, "scoring.profile=classic")
    assert found.as_of == AS_OF
    assert found.before.open() == found.after.open() == 5_643_341
    assert found.before.count(of=Priority.CRITICAL) == 43
    types = (LeadType.RENEWAL, LeadType.HARDWARE_REFRESH, LeadType.SERVICE_ATTACH)
    assert [found.after.count(of=each) for each in types] == [30, 27, 20]
    for change in found.changes:
        assert change.before is not None
        assert change.after is not None
        effect = sum(each.effect for each in change.why.components)
        difference = change.after.score - change.before.score
        assert effect == pytest.approx(difference, abs=0.101), change.title


async def test_it_leaves_no_trace(edition: Edition, switched: Path) -> None:
    offsets, rows = await end_offsets(edition), await row_counts(edition)
    received = await Sinks(edition).summary()
    await compared(edition, file=switched)
    home = edition.folder.home
    assert run_onelead("what-if", "--rules", switched, home=home).returncode == 0
    await settle(edition)
    assert await end_offsets(edition) == offsets
    assert await row_counts(edition) == rows
    assert await Sinks(edition).summary() == received


@pytest.mark.parametrize("place", ["_ingest", "_scoring"])
async def test_it_could_not_write_if_it_wanted_to(edition: Edition, place: str) -> None:
    statement = f"DELETE FROM {place[1:]}.leads"
    async with snapshot_of(edition.owner_url, None, DEFAULT_TENANT) as snapshot:
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await getattr(snapshot, place).execute(text(statement))


async def unsettle(edition: Edition) -> str:
    """Makes an account wait for ingest, and a lead stand otherwise. Returns what undoes it."""
    await query(edition, "INSERT INTO ingest.dirty_accounts VALUES ('default', 'x')")
    of = "FROM scoring.emitted WHERE tenant_id = 'default' ORDER BY lead_id LIMIT 1"
    [(lead,)] = await query(edition, f"SELECT lead_id {of}")
    update = f"UPDATE scoring.emitted SET event = %s WHERE lead_id = '{lead}'"
    await query(edition, update % """jsonb_set(event, '{state}', '"withdrawn"')""")
    return update % """jsonb_set(event, '{state}', '"open"')"""


async def test_it_sees_one_moment_of_both_services(edition: Edition) -> None:
    async with snapshot_of(edition.owner_url, None, DEFAULT_TENANT) as snapshot:
        undo = await unsettle(edition)
        assert await snapshot.under_way() == ()
        assert await snapshot.open_leads() == 77
        found = await replay(snapshot, lambda rules: rules, How())
        assert (found.otherwise_now, found.under_way) == (0, ())
    found = await compared(edition, "scoring.profile=classic")
    assert found.under_way == ("1 accounts wait for ingest",)
    assert found.otherwise_now == 1
    await query(edition, undo)
    await query(edition, "DELETE FROM ingest.dirty_accounts WHERE account_id = 'x'")


async def test_a_tenant_without_records_is_told_so(edition: Edition) -> None:
    with pytest.raises(UserError, match="tenant nobody has no records yet"):
        await compared(edition, "scoring.profile=classic", tenant="nobody")


async def test_the_command_shows_tables_json_and_csv(edition: Edition, tmp_path: Path) -> None:
    home = edition.folder.home
    shown = run_onelead("what-if", "--profile", "classic", home=home)
    assert shown.returncode == 0, shown.stderr
    for words in ("scoring.profile: default → classic", "CRITICAL", "5,643,341", "alerts would"):
        assert words in shown.stdout
    assert "Note:" not in shown.stdout
    file = tmp_path / "out.csv"
    written = run_onelead(
        *("what-if", "--set", "leads.renewal.ahead_days=90", "--csv", "--out", file), home=home
    )
    assert written.returncode == 0, written.stderr
    assert len(file.read_text().splitlines()) == 4
    as_json = run_onelead("what-if", "--profile", "classic", "--all", "--json", home=home)
    found = yaml.safe_load(as_json.stdout)
    assert found["before_is_in_force"] is True
    assert len(found["leads"]) == 77


def standing_of(lead: LeadChanged | None) -> Standing | None:
    if lead is None:
        return None
    return Standing(
        priority=lead.priority,
        score=lead.score,
        value_max=lead.estimated_value_max,
        account=lead.account,
        service=lead.services[0].service_type if lead.services else None,
        bundle=lead.bundle.name if lead.bundle else None,
    )


def episode_of(lead: LeadChanged | None) -> int:
    return lead.episode if lead else 0


async def alerts(edition: Edition, tenant: str) -> set[tuple[object, object]]:
    """The leads and episodes of which the CRM was told, which is spared nothing."""
    rows = await query(
        edition,
        "SELECT lead_id, episode FROM notifier.deliveries WHERE purpose = 'alert'"
        f" AND state = 'sent' AND channel = 'salesforce' AND tenant_id = '{tenant}'",
    )
    return {(lead, episode) for lead, episode in rows}


@pytest.mark.parametrize("tenant", [DEFAULT_TENANT, OTHER_TENANT])
async def test_applying_the_rules_does_what_was_foretold(
    edition: Edition, switched: Path, tenant: str
) -> None:
    found = await compared(edition, file=switched, tenant=tenant)
    assert found.effects
    before = await leads_of(edition, tenant)
    alerted = await alerts(edition, tenant)
    rules = new_rules(default_rules(), switched, ())
    await apply_rules(edition, rules, tenant)
    after = await leads_of(edition, tenant)
    told = {lead.lead_id: lead for lead in after.values()}
    stood = {lead.lead_id: lead for lead in before.values()}
    assert found.after.count() == len(told)
    changed = {change.lead_id: change.after for change in found.changes}
    for lead_id, standing in changed.items():
        assert standing_of(told.get(lead_id)) == standing
    for lead_id in stood.keys() - changed.keys():
        assert (told[lead_id].score, told[lead_id].account) == (
            stood[lead_id].score,
            stood[lead_id].account,
        )
    begun = {key for key, lead in told.items() if lead.episode > episode_of(stood.get(key))}
    assert begun == {change.lead_id for change in found.changes if change.alert}
    assert len(begun) == found.alerts > 0
    if tenant == DEFAULT_TENANT:  # whose leads go to the sinks
        new = await alerts(edition, tenant) - alerted
        assert {(lead, told[lead].episode) for lead in begun} == new
    assert (await compared(edition, file=switched, tenant=tenant)).effects == {}
