"""Flags fall due by themselves, once, whoever else looks; do-not-contact holds for the account."""

import asyncio
from datetime import timedelta

import pytest

from shared.events import (
    Actor,
    LeadAction,
    LeadChange,
    LeadCommandRefused,
    LeadRefusal,
    LeadStatusChanged,
)
from tests.integration.lifecycle.bench import Life, lead
from tests.support.lifecycle_builders import LATER, MUCH_LATER, command
from tests.support.service_bench import of_type
from tests.support.set_clock import SetClock


async def until_quiet(life: Life) -> None:
    while await life.tick().step():
        pass


async def told_by_itself(life: Life) -> list[LeadStatusChanged]:
    await until_quiet(life)
    return of_type(await life.sent.messages(), LeadStatusChanged)


async def dies_before_the_commit(life: Life) -> None:
    async with life.base.database.transaction({life.tenant}) as connection:
        assert await life.handlers().due_step(connection, life.tenant, 10) == 1
        raise ConnectionError("killed")


async def test_nothing_falls_due_before_its_moment(life: Life, now_is: SetClock) -> None:
    await life.hear(lead(), command(LeadAction.SNOOZE, until=LATER))
    now_is.set(LATER - timedelta(microseconds=1))
    assert await told_by_itself(life) == []


async def test_each_flag_falls_due_once_and_by_itself(life: Life, now_is: SetClock) -> None:
    await life.hear(
        lead(),
        command(LeadAction.SNOOZE, until=LATER),
        command(LeadAction.FOLLOW_UP, until=LATER, note="call Eva"),
        command(LeadAction.DO_NOT_CONTACT, until=LATER),
    )
    now_is.set(LATER)

    facts = await told_by_itself(life)

    assert [fact.change for fact in facts] == [
        LeadChange.SNOOZE_DUE,
        LeadChange.FOLLOW_UP_DUE,
        LeadChange.DO_NOT_CONTACT_ENDED,
    ]
    assert {fact.actor for fact in facts} == {Actor()}
    assert {fact.command_id for fact in facts} == {None}
    assert (facts[-1].snoozed_until, facts[-1].do_not_contact_until) == (None, None)
    assert (facts[1].follow_up_at, facts[1].follow_up_note) == (LATER, "call Eva")
    assert await told_by_itself(life) == []
    assert (await life.replayed()).follow_up_due


async def test_a_follow_up_set_again_falls_due_again(life: Life, now_is: SetClock) -> None:
    await life.hear(lead(), command(LeadAction.FOLLOW_UP, until=LATER))
    now_is.set(LATER)
    await told_by_itself(life)
    await life.hear(command(LeadAction.FOLLOW_UP, until=MUCH_LATER))
    assert await told_by_itself(life) == []
    now_is.set(MUCH_LATER)
    assert [fact.change for fact in await told_by_itself(life)] == [LeadChange.FOLLOW_UP_DUE]


async def test_two_replicas_tell_of_what_falls_due_once(life: Life, now_is: SetClock) -> None:
    leads = [lead(1, f"lead-{n}") for n in range(9)]
    wishes = [command(LeadAction.SNOOZE, lead_id=f"lead-{n}", until=LATER) for n in range(9)]
    await life.hear(*leads, *wishes)
    now_is.set(LATER)

    await asyncio.gather(until_quiet(life), until_quiet(life))

    facts = await told_by_itself(life)
    assert sorted(fact.lead_id for fact in facts) == [f"lead-{n}" for n in range(9)]


async def test_a_process_that_dies_while_flags_fall_due_neither_loses_nor_doubles_them(
    life: Life, now_is: SetClock
) -> None:
    await life.hear(lead(), command(LeadAction.FOLLOW_UP, until=LATER))
    now_is.set(LATER)
    with pytest.raises(ConnectionError):
        await dies_before_the_commit(life)
    assert [fact.change for fact in await told_by_itself(life)] == [LeadChange.FOLLOW_UP_DUE]


@pytest.mark.usefixtures("now_is")
async def test_do_not_contact_reaches_every_lead_of_the_account_and_tells_other_offices_the_date_only(
    life: Life,
) -> None:
    await life.hear(
        lead(office_id="luzern"),
        lead(1, "lead-2", office_id="luzern"),
        lead(1, "lead-3", office_id="romandie"),
        lead(1, "lead-4", account_id="account-2"),
    )
    wish = command(LeadAction.DO_NOT_CONTACT, until=LATER, why="asked us", office_id="luzern")

    told = of_type(await life.hear(wish), LeadStatusChanged)

    facts = {fact.lead_id: fact for fact in told}
    assert set(facts) == {"lead-1", "lead-2", "lead-3"}
    assert {fact.do_not_contact_until for fact in told} == {LATER}
    assert {facts[key].why for key in ("lead-1", "lead-2")} == {"asked us"}
    elsewhere = facts["lead-3"]
    assert (elsewhere.actor, elsewhere.why, elsewhere.command_id) == (Actor(), "", None)
    assert (elsewhere.causes, elsewhere.office_id) == ((), "romandie")
    entry = (await life.history("lead-3"))[-1]
    assert (entry.actor_id, entry.why, entry.command_id, entry.causes) == ("onelead", "", None, [])
    assert facts["lead-2"].touched_at is None


async def test_a_new_lead_of_such_an_account_is_born_with_it_until_it_ends(
    life: Life, now_is: SetClock
) -> None:
    await life.hear(lead(), command(LeadAction.DO_NOT_CONTACT, until=LATER))
    [born] = of_type(await life.hear(lead(1, "lead-2")), LeadStatusChanged)
    assert (born.change, born.do_not_contact_until) == (LeadChange.APPEARED, LATER)
    now_is.set(LATER)
    [later] = of_type(await life.hear(lead(1, "lead-3")), LeadStatusChanged)
    assert later.do_not_contact_until is None
    assert {fact.lead_id for fact in await told_by_itself(life)} == {"lead-1", "lead-2"}


@pytest.mark.usefixtures("now_is")
async def test_another_office_may_make_it_longer_but_not_shorter(life: Life) -> None:
    await life.hear(lead(office_id="luzern"), lead(1, "lead-2", office_id="romandie"))
    await life.hear(command(LeadAction.DO_NOT_CONTACT, until=LATER, office_id="luzern"))
    ending = command(LeadAction.DO_NOT_CONTACT, lead_id="lead-2", office_id="romandie")
    [refused] = of_type(await life.hear(ending), LeadCommandRefused)
    assert refused.refusal is LeadRefusal.OTHER_OFFICE
    longer = ending.model_copy(update={"until": MUCH_LATER, "command_id": "longer"})
    told = of_type(await life.hear(longer), LeadStatusChanged)
    assert {fact.do_not_contact_until for fact in told} == {MUCH_LATER}
    told = of_type(await life.hear(command(LeadAction.DO_NOT_CONTACT)), LeadStatusChanged)
    assert {fact.change for fact in told} == {LeadChange.DO_NOT_CONTACT_ENDED}


@pytest.mark.usefixtures("now_is")
async def test_a_lead_that_appears_while_its_account_is_flagged_is_never_missed(life: Life) -> None:
    for number in range(5):
        account = f"account-{number}"
        await life.hear(lead(1, f"old-{number}", account_id=account))
        wish = command(LeadAction.DO_NOT_CONTACT, lead_id=f"old-{number}", until=LATER)
        await asyncio.gather(
            life.hear(wish), life.hear(lead(1, f"new-{number}", account_id=account))
        )
        assert (await life.held(f"new-{number}")).status.do_not_contact_until == LATER
