"""Commands against the real tables: carried out once, answered the same, refused without a trace."""

import asyncio

import pytest

from services.lifecycle.domain.status import Status
from shared.events import (
    Actor,
    LeadAction,
    LeadChange,
    LeadCommandRefused,
    LeadRefusal,
    LeadState,
    LeadStatusChanged,
)
from shared.topics import LEAD_STATUS
from tests.integration.lifecycle.bench import Life, lead
from tests.support.lifecycle_builders import LATER, MUCH_LATER, NOW, command
from tests.support.service_bench import of_type
from tests.support.set_clock import SetClock

pytestmark = pytest.mark.usefixtures("now_is")

ANNA = Actor(kind="person", id="anna")


async def test_a_move_is_told_whole_and_kept_in_the_history(life: Life) -> None:
    await life.hear(lead(office_id="luzern"))
    wish = command(LeadAction.MOVE, to=LeadState.QUALIFIED, why="good talk")

    told = await life.hear(wish)

    [fact] = of_type(told, LeadStatusChanged)
    assert (fact.state_before, fact.state) == (LeadState.NEW, LeadState.QUALIFIED)
    assert (fact.change, fact.actor, fact.why) == (LeadChange.MOVED, ANNA, "good talk")
    assert (fact.account_id, fact.office_id) == ("account-1", "luzern")
    assert (fact.changed_at, fact.touched_at) == (NOW, NOW)
    assert fact.command_id == wish.command_id
    assert told[0].key == f"{life.tenant}|lead-1"
    assert told[0].topic == LEAD_STATUS.name
    appeared, moved = await life.history()
    assert (appeared.field, appeared.before, appeared.after) == ("state", None, "new")
    assert (moved.field, moved.before, moved.after) == ("state", "new", "qualified")
    assert (moved.actor_id, moved.why, moved.changed_at) == ("anna", "good talk", NOW)
    assert (moved.command_id, moved.causes) == (wish.command_id, list(fact.causes))


async def test_a_command_read_again_changes_and_tells_nothing(life: Life) -> None:
    wish = command(LeadAction.ASSIGN, owner="ben")
    assert len(await life.hear(lead(), wish, wish)) == 2

    assert await life.hear(wish) == []

    assert len(await life.history()) == 3


async def test_a_command_sent_again_counts_once_and_is_answered_the_same(life: Life) -> None:
    await life.hear(lead())
    wish = command(LeadAction.MOVE, to=LeadState.LOST)
    [first] = await life.hear(wish)
    await life.hear(command(LeadAction.MOVE, to=LeadState.NEW))

    [again] = await life.hear(wish.model_copy(update={"version": 2}))

    assert (again.event, again.envelope.id) == (first.event, first.envelope.id)
    assert (await life.held()).status.state is LeadState.NEW


async def test_a_command_sent_twice_in_one_batch_counts_once(life: Life) -> None:
    await life.hear(lead())
    wish = command(LeadAction.SNOOZE, until=LATER)
    told = await life.hear(wish, wish.model_copy(update={"version": 2}))
    assert len({message.envelope.id for message in told}) == 1
    assert len(await life.history()) == 2


async def test_a_refusal_sent_again_is_answered_the_same(life: Life) -> None:
    wish = command(LeadAction.MOVE, to=LeadState.WON)
    [first] = await life.hear(wish)
    await life.hear(lead())
    [again] = await life.hear(wish.model_copy(update={"version": 2}))
    assert again.event == first.event
    assert (await life.held()).status.state is LeadState.NEW


@pytest.mark.parametrize("kind", ["person", "crm"])
async def test_a_command_about_a_lead_that_is_not_there_is_refused(life: Life, kind: str) -> None:
    actor = Actor(kind=kind, id="x")
    told = await life.hear(command(LeadAction.MOVE, to=LeadState.WON, actor=actor))
    [refused] = of_type(told, LeadCommandRefused)
    assert refused.refusal is LeadRefusal.UNKNOWN_LEAD
    assert told[0].envelope.subject == refused.command_id


async def test_a_refused_command_leaves_lead_and_history_as_they_were(life: Life) -> None:
    await life.hear(lead(), command(LeadAction.MOVE, to=LeadState.MEETING))
    before, history = await life.held(), await life.history()

    told = await life.hear(command(LeadAction.MOVE, to=LeadState.ASSIGNED))

    [refused] = of_type(told, LeadCommandRefused)
    assert refused.refusal is LeadRefusal.ILLEGAL_TRANSITION
    assert LeadState.QUALIFIED in refused.allowed
    assert LeadState.ASSIGNED not in refused.allowed
    assert (await life.held(), await life.history()) == (before, history)


async def test_commands_of_a_batch_are_carried_out_in_their_order(life: Life) -> None:
    await life.hear(lead())
    told = await life.hear(
        command(LeadAction.ASSIGN, owner="ben"),
        command(LeadAction.MOVE, to=LeadState.PROPOSAL),
        command(LeadAction.MOVE, to=LeadState.MEETING, why="too early"),
    )
    facts = of_type(told, LeadStatusChanged)
    assert [fact.state for fact in facts] == ["assigned", "proposal", "meeting"]
    assert sorted({fact.version for fact in facts}) == [fact.version for fact in facts]
    assert await life.replayed() == Status(state=LeadState.MEETING, owner="ben")


async def test_an_owner_of_a_new_lead_is_one_fact_with_the_state(life: Life) -> None:
    await life.hear(lead())
    [fact] = of_type(await life.hear(command(LeadAction.ASSIGN, owner="ben")), LeadStatusChanged)
    assert (fact.change, fact.owner) == (LeadChange.ASSIGNED, "ben")
    assert (fact.state_before, fact.state) == (LeadState.NEW, LeadState.ASSIGNED)


async def test_another_office_is_refused_and_told_nothing_of_the_lead(life: Life) -> None:
    await life.hear(lead(office_id="luzern"))
    wish = command(LeadAction.MOVE, to=LeadState.WON, office_id="romandie")
    [refused] = of_type(await life.hear(wish), LeadCommandRefused)
    assert (refused.refusal, refused.allowed) == (LeadRefusal.OTHER_OFFICE, ())
    assert "luzern" not in refused.model_dump_json()
    assert "new" not in refused.detail


async def test_two_processes_that_read_the_same_commands_carry_them_out_once(life: Life) -> None:
    await life.hear(lead())
    wishes = [
        command(LeadAction.FOLLOW_UP, until=LATER, note="call"),
        command(LeadAction.MOVE, to=LeadState.CONTACTED),
        command(LeadAction.DO_NOT_CONTACT, until=MUCH_LATER),
    ]

    both = await asyncio.gather(life.hear(*wishes), life.hear(*wishes))

    told = [message for each in both for message in each]
    assert len(of_type(told, LeadStatusChanged)) == len(wishes)
    assert await life.sent.messages() == []


async def test_touched_is_when_a_person_last_did_something(life: Life, now_is: SetClock) -> None:
    await life.hear(lead())
    assert (await life.held()).status.touched_at is None
    now_is.pass_s(60)
    await life.hear(command(LeadAction.ASSIGN, owner="ben"))
    touched = (await life.held()).status.touched_at
    now_is.pass_s(60)
    by_itself = Actor(kind="system", id="rules")
    await life.hear(command(LeadAction.ASSIGN, owner="eva", actor=by_itself))
    assert touched is not None
    assert (await life.held()).status.touched_at == touched
