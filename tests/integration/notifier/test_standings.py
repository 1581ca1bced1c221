from datetime import timedelta

import pytest

from services.notifier.domain.delivery import Purpose
from shared import clock
from shared.events import Actor, LeadChange, LeadState
from shared.ops.composition import Base
from tests.integration.notifier.people import LEAD, People, due, plan_for, states, status
from tests.support.notifier_builders import public_lead


@pytest.fixture
def people(base: Base, tenant_id: str) -> People:
    return People(base, tenant_id, plan_for(tenant_id))


async def test_a_moved_score_reaches_those_who_were_told_in_their_thread_and_the_crm(
    people: People,
) -> None:
    await people.hear(public_lead(version=1))
    await people.sent()
    await people.hear(public_lead(version=2, score=84.0))
    updates = await people.rows(Purpose.UPDATE)
    assert [row.channel for row in updates] == ["salesforce"]
    await people.hear(public_lead(version=3, score=91.0))
    updates = await people.rows(Purpose.UPDATE)
    assert sorted((row.channel, row.number, row.state) for row in updates) == [
        ("email", 3, "pending"),
        ("salesforce", 2, "cancelled"),
        ("salesforce", 3, "pending"),
        ("slack_bot", 3, "pending"),
    ]
    mail = next(row for row in updates if row.channel == "email")
    assert mail.content["changes"] == [{"what": "Score", "before": "82.5", "after": "91.0"}]


async def test_nobody_is_updated_about_what_nobody_was_told(people: People) -> None:
    await people.hear(public_lead(version=1))
    await people.hear(public_lead(version=2, score=99.0))
    assert await people.rows(Purpose.UPDATE) == []


async def test_a_second_episode_is_an_alert_of_its_own_and_no_update(people: People) -> None:
    await people.hear(public_lead(version=1))
    await people.sent()
    await people.hear(public_lead(version=2, score=55.0, priority="MEDIUM", episode_open=False))
    await people.sent()
    before = len(await people.rows(Purpose.UPDATE))
    await people.hear(public_lead(version=3, episode=2, score=95.0))
    assert len(await people.rows(Purpose.UPDATE)) == before
    assert sorted(row.episode for row in await people.rows(Purpose.ALERT)) == [1, 1, 1, 2, 2, 2]


async def test_a_snooze_holds_back_what_waits_and_ends_by_its_end(people: People) -> None:
    until = clock.now() + timedelta(days=2)
    await people.hear(public_lead(version=1))
    await people.stand(status(1, change=LeadChange.SNOOZED, snoozed_until=until))
    held = due(await people.rows(Purpose.ALERT))
    assert held["email"] == held["slack_bot"] == until
    assert held["salesforce"] < until
    await people.stand(status(2, change=LeadChange.SNOOZE_DUE))
    assert max(due(await people.rows(Purpose.ALERT)).values()) < until


async def test_do_not_contact_heard_of_before_the_lead_holds_back_its_alerts_everywhere(
    people: People,
) -> None:
    until = clock.now() + timedelta(days=30)
    await people.stand(status(1, change=LeadChange.DO_NOT_CONTACT_SET, do_not_contact_until=until))
    await people.hear(public_lead(version=1))
    assert set(due(await people.rows(Purpose.ALERT)).values()) == {until}


@pytest.mark.parametrize("state", [LeadState.WON, LeadState.LOST, LeadState.REJECTED])
async def test_a_lead_that_people_are_done_with_is_announced_no_more(
    people: People, state: LeadState
) -> None:
    await people.hear(public_lead(version=1))
    await people.stand(status(1, state=state, state_before=LeadState.NEW))
    assert set(states(await people.rows(Purpose.ALERT)).values()) == {"cancelled"}
    await people.hear(public_lead(version=2, episode=2))
    assert {row.episode for row in await people.rows(Purpose.ALERT)} == {1}


async def test_a_status_is_told_to_those_who_were_told_and_not_back_to_the_crm_it_came_from(
    people: People,
) -> None:
    await people.hear(public_lead(version=1))
    await people.sent()
    crm = Actor(kind="crm", id="salesforce")
    await people.stand(status(1, state=LeadState.QUALIFIED, actor=crm))
    assert {row.channel for row in await people.rows(Purpose.UPDATE)} == {"email", "slack_bot"}
    await people.stand(status(2, state=LeadState.QUALIFIED, owner="anna"))
    updates = [row for row in await people.rows(Purpose.UPDATE) if row.state == "pending"]
    assert {row.channel for row in updates} == {"email", "slack_bot", "salesforce"}
    assert all(row.content["alert"]["owner"] == "anna" for row in updates)


async def test_facts_read_again_or_late_change_nothing(people: People) -> None:
    await people.hear(public_lead(version=1))
    await people.sent()
    newer = status(5, state=LeadState.MEETING)
    await people.stand(newer)
    before = await people.rows()
    await people.stand(newer, status(4, state=LeadState.CONTACTED))
    assert await people.rows() == before


async def test_a_follow_up_is_an_invitation_and_its_end_a_reminder(people: People) -> None:
    await people.hear(public_lead(version=1))
    at = clock.now() + timedelta(days=1)
    await people.stand(
        status(1, change=LeadChange.FOLLOW_UP_SET, follow_up_at=at, follow_up_note="call")
    )
    await people.stand(status(2, change=LeadChange.FOLLOW_UP_DUE, follow_up_at=at))
    found = await people.rows(Purpose.FOLLOW_UP)
    assert [(r.channel, r.number, r.content["kind"]) for r in found if r.channel == "email"] == [
        ("email", 1, "set"),
        ("email", 2, "due"),
    ]
    assert found[0].lead_id == LEAD


async def test_a_withdrawal_is_told_where_the_alert_went(people: People) -> None:
    await people.hear(public_lead(version=1))
    await people.sent()
    gone = {"state": "withdrawn", "reason": "support renewed", "episode_open": False}
    await people.hear(public_lead(version=2, **gone))
    assert set(states(await people.rows(Purpose.WITHDRAWAL))) == {
        "email",
        "slack_bot",
        "salesforce",
    }
    await people.hear(public_lead(version=3, episode=2))
    assert {r.episode for r in await people.rows(Purpose.ALERT)} == {1, 2}
