"""What people decide about accounts, through ingest on the real PostgreSQL: leads and profiles move, and
an undo leaves the tenant as its twin, which never merged anything."""

from decimal import Decimal
from typing import Any

import pytest

from services.ingest.domain.ids import account_id_of_name, account_id_of_territory
from shared.events import (
    AccountAction,
    AccountCommand,
    AccountOutcome,
    AccountRefusal,
    Actor,
    RecordKind,
)
from tests.integration.ingest.upstream import (
    Upstream,
    a_box_row,
    a_deal_row,
    a_project_row,
    tables,
)
from tests.support.builders import days_ago

ANNA = Actor(kind="person", id="anna")
BOXES = [a_box_row("SN1"), a_box_row("SN2", territory_id="70002")]
DEALS = [
    a_deal_row(1),
    a_deal_row(2, account_name="Vega Clinics", territory_id="70002", stage="Proposal"),
    a_deal_row(3, account_name="Orion Mills", territory_id="70002", created=str(days_ago(900))),
]
PROJECTS = [
    a_project_row(1, amount=10_000),
    a_project_row(2, account_name="Vega Clinics", amount=50_000),
    a_project_row(3, account_name="Orion Mills", amount=90_000),
]
EXPORT = tables(BOXES, DEALS, PROJECTS)
LATER = tables(
    [*BOXES, a_box_row("SN3"), a_box_row("SN4", territory_id="70002", quantity="9")],
    [*DEALS, a_deal_row(4, stage="Closed Lost")],
    [*PROJECTS, a_project_row(4, account_name="VEGA CLINICS INC", amount=70_000)],
)


def merge(upstream: Upstream, number: int = 1, **changes: Any) -> AccountCommand:
    """Acme goes into Vega."""
    what = {
        "command_id": f"merge-{number}",
        "action": AccountAction.MERGE,
        "account_id": acme(upstream),
        "into": vega(upstream),
        "why": "one group",
        "actor": ANNA,
        "version": number,
    }
    return AccountCommand.model_validate({**what, **changes})


def undo(upstream: Upstream, decision: int, number: int = 1) -> AccountCommand:
    return AccountCommand(
        command_id=f"undo-{number}",
        action=AccountAction.UNDO,
        account_id=acme(upstream),
        decision=decision,
        actor=ANNA,
        version=number,
    )


def acme(upstream: Upstream) -> str:
    return account_id_of_territory(upstream.tenant, "70001")


def vega(upstream: Upstream) -> str:
    return account_id_of_territory(upstream.tenant, "70002")


async def state_of(upstream: Upstream) -> dict[str, Any]:
    """Every profile and open lead as it was last told, without what differs from tenant to tenant."""
    profiles = {each: p.profile for each, p in (await upstream.profiles()).items()}
    names = {each: profile.name for each, profile in profiles.items()}
    leads = await upstream.open_leads()
    linked = await upstream.rows(
        "SELECT kind, source, record_id, account_id FROM ingest.records"
        " WHERE tenant_id = :tenant AND kind <> 'catalogue' ORDER BY 1, 2, 3"
    )
    places = await upstream.rows(
        "SELECT territory_id, account_id FROM ingest.account_territories WHERE tenant_id = :tenant"
    )
    return {
        "profiles": {
            names[each]: profile.model_dump(exclude={"account_id", "merged_into"})
            | {"merged_into": names.get(profile.merged_into or "")}
            for each, profile in profiles.items()
        },
        "leads": {
            key: lead.lead.model_dump(exclude={"lead_id", "account_id", "catalogue_version"})
            for key, lead in leads.items()
        },
        "of": {key: names[lead.lead.account_id] for key, lead in leads.items()},
        "rows": [(row.kind, row.record_id, names[row.account_id]) for row in linked],
        "places": sorted((row.territory_id, names[row.account_id]) for row in places),
    }


@pytest.fixture
async def loaded(upstream: Upstream) -> Upstream:
    await upstream.load(EXPORT)
    return upstream


async def test_a_merge_puts_the_leads_of_both_under_one_account(loaded: Upstream) -> None:
    before = await loaded.open_leads()
    [answer] = await loaded.command(merge(loaded))

    assert (answer.outcome, answer.detail) == (
        AccountOutcome.MADE,
        "Acme Logistics is merged into Vega Clinics",
    )
    assert (answer.actor, answer.why, answer.causes) == (ANNA, "one group", ("decision-merge-1",))
    leads = await loaded.open_leads()
    assert leads.keys() == before.keys()
    assert {each.lead.account_id for each in leads.values()} == {vega(loaded)}
    assert {each.lead.account_name for each in leads.values()} == {"Vega Clinics"}
    assert {key: each.lead.lead_id for key, each in leads.items()} == {
        key: each.lead.lead_id for key, each in before.items()
    }
    profiles = await loaded.profiles()
    merged, gone = profiles[vega(loaded)].profile, profiles[acme(loaded)].profile
    assert (merged.items, merged.won, merged.open_opportunities) == (2, 1, 1)
    assert merged.average_closed_amount == Decimal(30_000)
    assert merged.territory_ids == ("70001", "70002")
    assert (gone.items, gone.projects, gone.territory_ids) == (0, 0, ())
    assert gone.merged_into == vega(loaded)


async def test_a_merge_reaches_the_neighbours_in_both_territories(loaded: Upstream) -> None:
    orion = account_id_of_name(loaded.tenant, "orion mills")
    before = (await loaded.profiles())[orion].profile
    assert before.territory_average("70002") == Decimal(70_000)
    await loaded.command(merge(loaded))
    assert (await loaded.profiles())[orion].profile.territory_average("70002") == Decimal(50_000)


async def test_an_undo_leaves_the_tenant_as_its_twin_that_never_merged(
    loaded: Upstream, neighbour: Upstream
) -> None:
    await neighbour.load(EXPORT)
    before = await state_of(loaded)
    assert before == await state_of(neighbour)
    [answer] = await loaded.command(merge(loaded))
    assert await state_of(loaded) != before

    [undone] = await loaded.command(undo(loaded, answer.decision))

    assert undone.outcome is AccountOutcome.UNDONE
    assert undone.undoes == answer.decision
    assert await state_of(loaded) == before


async def test_an_undo_after_imports_and_changes_leaves_the_tenant_as_its_twin(
    loaded: Upstream, neighbour: Upstream
) -> None:
    await neighbour.load(EXPORT)
    [answer] = await loaded.command(merge(loaded))
    for each in (loaded, neighbour):
        await each.load(LATER)
        await each.change(RecordKind.PROJECT, "JP1-2", a_project_row(2, amount=1), version=1)
        await each.settle(days_ago(-1))
    grown = (await loaded.profiles())[vega(loaded)].profile
    assert (grown.items, grown.projects) == (12, 3)

    await loaded.command(undo(loaded, answer.decision))
    await loaded.settle(days_ago(-1))

    assert await state_of(loaded) == await state_of(neighbour)


async def test_a_merge_that_holds_takes_in_what_imports_bring_to_either(loaded: Upstream) -> None:
    await loaded.command(merge(loaded))
    await loaded.load(LATER)
    leads = await loaded.open_leads()
    assert len(leads) == 8
    assert {each.lead.account_id for each in leads.values()} == {vega(loaded)}


async def test_the_same_import_after_a_merge_tells_nobody_anything(loaded: Upstream) -> None:
    await loaded.command(merge(loaded))
    assert await loaded.load(EXPORT) == []


async def test_a_command_that_comes_again_is_decided_once(loaded: Upstream) -> None:
    command = merge(loaded)
    assert len(await loaded.command(command, command)) == 1
    assert await loaded.command(command.model_copy(update={"version": 9})) == []
    rows = await loaded.rows("SELECT 1 FROM ingest.account_decisions WHERE tenant_id = :tenant")
    assert len(rows) == 1


async def test_commands_that_come_together_are_decided_in_their_order(loaded: Upstream) -> None:
    back = {"account_id": vega(loaded), "into": acme(loaded)}
    answers = await loaded.command(merge(loaded), merge(loaded, 2, **back))
    assert [each.outcome for each in answers] == [AccountOutcome.MADE, AccountOutcome.REFUSED]
    assert answers[1].refusal is AccountRefusal.ALREADY_MERGED


async def test_a_refused_command_changes_nothing_and_is_kept_with_its_reason(
    loaded: Upstream,
) -> None:
    before = await state_of(loaded)
    [answer] = await loaded.command(merge(loaded, into="nobody"))
    assert (answer.outcome, answer.refusal) == (
        AccountOutcome.REFUSED,
        AccountRefusal.UNKNOWN_ACCOUNT,
    )
    assert await state_of(loaded) == before
    [row] = await loaded.rows("SELECT * FROM ingest.account_decisions WHERE tenant_id = :tenant")
    assert (row.command_id, row.state, row.decision["refusal"]) == (
        "merge-1",
        "refused",
        "unknown_account",
    )


async def test_a_command_waits_for_the_imports_that_came_before_it(upstream: Upstream) -> None:
    await upstream.send(*upstream.events(EXPORT))
    [answer] = await upstream.command(merge(upstream))
    assert answer.outcome is AccountOutcome.MADE
    assert {e.lead.account_id for e in (await upstream.open_leads()).values()} == {vega(upstream)}


async def test_a_candidate_is_confirmed_refused_and_undone(upstream: Upstream) -> None:
    deals = [a_deal_row(1), a_deal_row(2, account_name="Acme Logistics Europe")]
    deals[1]["territory_id"] = "70002"
    await upstream.load(tables(BOXES, deals))
    what = {"name": "acme logistics", "founder": "acme logistics europe", "into": None}
    refuse = merge(upstream, 1, action=AccountAction.REFUSE, **what)
    confirm = merge(upstream, 2, action=AccountAction.CONFIRM, **what)
    [refused, denied] = await upstream.command(refuse, confirm)
    assert (refused.outcome, denied.refusal) == (
        AccountOutcome.MADE,
        AccountRefusal.NOT_A_CANDIDATE,
    )
    again = merge(upstream, 3, action=AccountAction.CONFIRM, **what)
    [_, confirmed] = await upstream.command(undo(upstream, refused.decision), again)
    assert confirmed.outcome is AccountOutcome.MADE
    assert len({e.lead.account_id for e in (await upstream.open_leads()).values()}) == 1


async def test_a_merge_belongs_to_its_tenant_alone(loaded: Upstream, neighbour: Upstream) -> None:
    await neighbour.load(EXPORT)
    before = await state_of(neighbour)
    [answer] = await neighbour.command(merge(neighbour, account_id=acme(loaded)))
    assert answer.refusal is AccountRefusal.UNKNOWN_ACCOUNT
    await loaded.command(merge(loaded))
    assert await neighbour.settle() == []
    assert await state_of(neighbour) == before


async def test_a_command_that_cannot_be_worked_off_is_answered_and_stops_nothing(
    loaded: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyError("a bug")

    with monkeypatch.context() as broken:
        broken.setattr("services.ingest.deciding.decide", fail)
        [answer] = await loaded.command(merge(loaded))
    assert (answer.outcome, answer.refusal) == (AccountOutcome.REFUSED, AccountRefusal.FAILED)
    [made] = await loaded.command(merge(loaded, 2))
    assert made.outcome is AccountOutcome.MADE
