"""Public leads: they appear, change, are withdrawn and return, and keep what people did."""

import pytest

from shared.events import LeadAction, LeadChange, LeadCommandRefused, LeadState, LeadStatusChanged
from tests.integration.lifecycle.bench import Life, lead
from tests.support.lifecycle_builders import LATER, MUCH_LATER, command
from tests.support.service_bench import of_type

pytestmark = pytest.mark.usefixtures("now_is")


async def changes(life: Life, *events: object) -> list[LeadChange]:
    return [fact.change for fact in of_type(await life.hear(*events), LeadStatusChanged)]  # type: ignore[arg-type]


async def test_a_lead_appears_once_and_new(life: Life) -> None:
    [fact] = of_type(await life.hear(lead()), LeadStatusChanged)
    assert (fact.change, fact.state, fact.state_before) == (LeadChange.APPEARED, "new", None)
    assert fact.command_id is None
    assert await life.hear(lead()) == []
    assert await life.hear(lead(2, score=10.0)) == []
    assert (await life.held()).known.score == 10.0


async def test_a_stale_version_changes_nothing(life: Life) -> None:
    await life.hear(lead(5, title="new title"))
    assert await life.hear(lead(4, title="old title", because="gone")) == []
    stored = await life.held()
    assert (stored.known.title, stored.status.withdrawn) == ("new title", False)


async def test_a_lead_that_was_never_open_here_leaves_nothing(life: Life) -> None:
    assert await life.hear(lead(because="gone")) == []
    assert await life.hear_tombstone("lead-1", 3) == []
    assert await life.history() == []


async def test_a_withdrawn_lead_keeps_its_state_and_history_and_returns_as_it_was(
    life: Life,
) -> None:
    await life.hear(lead())
    await life.hear(command(LeadAction.ASSIGN, owner="ben"))
    kept = await life.history()

    assert await changes(life, lead(2, because="Active Contract")) == [LeadChange.WITHDRAWN]
    assert (await life.history())[: len(kept)] == kept
    assert await changes(life, lead(3)) == [LeadChange.RETURNED]

    status = (await life.held()).status
    assert (status.state, status.owner, status.withdrawn) == (LeadState.ASSIGNED, "ben", False)


@pytest.mark.parametrize("state", [LeadState.LOST, LeadState.REJECTED])
async def test_a_lead_that_was_closed_returns_closed(life: Life, state: LeadState) -> None:
    await life.hear(lead(), command(LeadAction.MOVE, to=state, why="duplicate"))
    await life.hear(lead(2, because="gone"))
    await life.hear(lead(3))
    assert (await life.held()).status.state is state


async def test_a_tombstone_alone_withdraws_and_one_after_a_withdrawal_says_nothing(
    life: Life,
) -> None:
    await life.hear(lead(), lead(1, "lead-2"))
    [fact] = of_type(await life.hear_tombstone("lead-1", 2), LeadStatusChanged)
    assert (fact.change, fact.withdrawn) == (LeadChange.WITHDRAWN, True)
    await life.hear(lead(2, "lead-2", because="gone"))
    assert await life.hear_tombstone("lead-2", 3) == []


async def test_a_withdrawn_lead_can_be_closed_and_no_more_be_worked_on(life: Life) -> None:
    await life.hear(lead())
    await life.hear(lead(2, because="gone"))
    [refused] = of_type(
        await life.hear(command(LeadAction.ASSIGN, owner="ben")), LeadCommandRefused
    )
    assert refused.refusal == "withdrawn"
    assert refused.allowed == (LeadState.WON, LeadState.LOST, LeadState.REJECTED)
    assert await changes(life, command(LeadAction.MOVE, to=LeadState.WON)) == [LeadChange.MOVED]


async def test_a_lead_that_moves_to_an_account_not_to_be_contacted_is_not_contacted(
    life: Life,
) -> None:
    await life.hear(lead(), lead(1, "lead-2", account_id="account-2"))
    await life.hear(command(LeadAction.DO_NOT_CONTACT, until=LATER))
    told = await life.hear(lead(2, "lead-2", account_id="account-1"))
    [fact] = of_type(told, LeadStatusChanged)
    assert (fact.change, fact.do_not_contact_until) == (LeadChange.DO_NOT_CONTACT_SET, LATER)


async def test_a_lead_keeps_the_later_of_its_own_and_its_new_accounts_do_not_contact(
    life: Life,
) -> None:
    await life.hear(lead(), lead(1, "lead-2", account_id="account-2"))
    await life.hear(command(LeadAction.DO_NOT_CONTACT, until=MUCH_LATER))
    await life.hear(command(LeadAction.DO_NOT_CONTACT, lead_id="lead-2", until=LATER))
    assert await life.hear(lead(2, account_id="account-2")) == []
    assert (await life.held()).status.do_not_contact_until == MUCH_LATER
