"""What every CRM must do: the same tests on Salesforce's stand-in and on a second, smaller CRM."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date

import pytest

from services.notifier.domain.attempt import Delivered, Outcome, Rejected
from services.notifier.domain.contents import CallTask, Content, Update, Withdrawal
from services.notifier.domain.crm.records import Field
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.message import Alert
from tests.integration.notifier.conftest import a_delivery
from tests.integration.notifier.crm_worlds import WORLDS, World
from tests.support.notifier_builders import alert

LEAD = alert().lead_id
PURPOSES = {
    Alert: Purpose.ALERT,
    Update: Purpose.UPDATE,
    Withdrawal: Purpose.WITHDRAWAL,
    CallTask: Purpose.CALL_TASK,
}


@pytest.fixture(params=list(WORLDS))
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with WORLDS[request.param]() as found:
        yield found


async def send(world: World, content: Content, **changes: object) -> Outcome:
    (target,) = world.channel.targets
    delivery = a_delivery(
        target.channel, target.address, purpose=PURPOSES[type(content)], **changes
    )
    return await world.channel.send(world.channel.render(content, delivery))


def call() -> CallTask:
    return CallTask(alert=alert(), campaign="drip", contact="Kim", due=date(2025, 10, 24))


async def test_an_alert_becomes_one_record_of_its_account_however_often_sent(world: World) -> None:
    await world.accounts("Banana AG", "apple inc")
    for _ in range(2):
        outcome = await send(world, alert())
        assert isinstance(outcome, Delivered)
        assert outcome.note is None
    (record,) = await world.records(LEAD)
    assert record[Field.NAME] == alert().title
    assert (record[Field.STAGE], record[Field.CLOSE_DATE]) == ("Qualification", "2025-11-23")
    assert float(record[Field.AMOUNT]) == 10525.0
    assert record[Field.ACCOUNT]


@pytest.mark.parametrize(
    ("names", "said"),
    [((), "no account has"), (("Apple Inc", "APPLE INC"), "2 accounts have")],
)
async def test_an_account_is_never_guessed(world: World, names: tuple[str, ...], said: str) -> None:
    await world.accounts(*names)
    outcome = await send(world, alert())
    assert isinstance(outcome, Delivered)
    assert outcome.note == f"account left open: {said} the name Apple Inc"
    (record,) = await world.records(LEAD)
    assert not record[Field.ACCOUNT]
    assert outcome.note in record[Field.DESCRIPTION]


async def test_an_account_that_appears_later_is_written_once_and_then_is_the_crms(
    world: World,
) -> None:
    await send(world, alert())
    await world.accounts("Apple Inc", "Apple Japan")
    await send(world, alert())
    (record,) = await world.records(LEAD)
    first = record[Field.ACCOUNT]
    await world.accounts("Other")
    await send(world, Update(alert=alert(account="Apple Japan"), changes=()))
    (record,) = await world.records(LEAD)
    assert record[Field.ACCOUNT] == first


async def test_what_people_own_is_never_written_again(world: World) -> None:
    await world.accounts("Apple Inc")
    await send(world, alert())
    await world.change(LEAD, stage="Negotiation", close_date="2027-01-01")
    better = alert(score=90.0, episode=2)
    for content in (alert(), Update(alert=better, changes=()), better):
        await send(world, content, episode=2)
    (record,) = await world.records(LEAD)
    assert (record[Field.STAGE], record[Field.CLOSE_DATE]) == ("Negotiation", "2027-01-01")
    assert float(record[Field.SCORE]) == 90.0


async def test_a_withdrawal_says_why_and_leaves_the_stage(world: World) -> None:
    await send(world, alert())
    await send(world, Withdrawal(alert=alert(), reason="support renewed"))
    (record,) = await world.records(LEAD)
    assert record[Field.STATUS] == "Withdrawn"
    assert record[Field.STAGE] == "Qualification"
    assert record[Field.DESCRIPTION].startswith("Withdrawn by OneLead: support renewed.")
    await send(world, alert(episode=2), episode=2)
    (record,) = await world.records(LEAD)
    assert record[Field.STATUS] == "Open"


@pytest.mark.parametrize(
    "content", [Withdrawal(alert=alert(), reason="gone"), Update(alert=alert(), changes=())]
)
async def test_news_of_a_lead_that_the_crm_does_not_hold_creates_nothing(
    world: World, content: Content
) -> None:
    outcome = await send(world, content)
    assert outcome == Delivered("nothing to change: the CRM holds no record of this lead")
    assert await world.records(LEAD) == []


async def test_several_records_of_a_lead_are_for_a_person_to_sort_out(world: World) -> None:
    await send(world, alert())
    await world.copy(LEAD)
    for content in (alert(score=99.0), call()):
        outcome = await send(world, content)
        assert isinstance(outcome, Rejected)
        assert outcome.error == "ambiguous"
    assert all(float(record[Field.SCORE] or 0) != 99.0 for record in await world.records(LEAD))


async def test_a_call_task_is_one_for_the_owner_of_the_record(world: World) -> None:
    await send(world, alert())
    for _ in range(2):
        assert isinstance(await send(world, call(), number=3), Delivered)
    (task,) = await world.tasks()
    assert task["subject"] == f"Call Kim: {alert().title}"
    (record,) = await world.records(LEAD)
    assert record[Field.OWNER] in task.values()


async def test_a_call_task_without_a_record_stands_alone_and_says_so(world: World) -> None:
    outcome = await send(world, call())
    assert isinstance(outcome, Delivered)
    assert outcome.note is not None
    assert "stands alone" in outcome.note
    assert len(await world.tasks()) == 1


async def test_what_changed_is_read_from_its_moment_on(world: World) -> None:
    await send(world, alert())
    (before,) = await world.channel.crm.changed_since(None, (Field.STAGE,))
    assert (before.lead_id, before.stage) == (LEAD, "Qualification")
    await world.change(LEAD, stage="Closed Won")
    (after,) = await world.channel.crm.changed_since(before.changed_at, (Field.STAGE,))
    assert (after.stage, after.external_id) == ("Closed Won", before.external_id)


async def test_many_at_once_each_get_their_own_outcome(world: World) -> None:
    leads = [alert(lead_id=f"lead-{n}", title=f"Lead {n}") for n in range(120)]
    await asyncio.gather(*(send(world, each) for each in leads[:60]))
    await world.copy("lead-7")
    outcomes = await asyncio.gather(*(send(world, each) for each in leads))
    refused = [n for n, outcome in enumerate(outcomes) if not isinstance(outcome, Delivered)]
    assert refused == [7]
    for n in (0, 59, 60, 119):
        (record,) = await world.records(f"lead-{n}")
        assert record[Field.NAME] == f"Lead {n}"
