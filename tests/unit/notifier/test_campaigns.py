from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from services.notifier.domain.campaigns import (
    STANDARD,
    Call,
    Circumstances,
    Enrolment,
    Stop,
    Write,
    due_at,
    next_action,
    variables,
)
from services.notifier.domain.standing import Standing
from shared.events import LeadState
from tests.support.notifier_builders import alert

NOW = datetime(2025, 10, 9, 8, tzinfo=UTC)
ENROLMENT = Enrolment(
    tenant_id="default",
    lead_id="lead-1",
    contact="cio@customer.example",
    campaign="drip",
    round=1,
    started_at=NOW,
    next_step=0,
    state_at_start=LeadState.ASSIGNED,
)
KNOWN = Circumstances(alert(), Standing(state=LeadState.ASSIGNED), None, NOW)


@pytest.mark.parametrize(("step", "day"), [(0, 0), (1, 3), (2, 7), (3, 14)])
def test_the_steps_fall_due_on_day_0_3_7_and_14(step: int, day: int) -> None:
    assert due_at(STANDARD, ENROLMENT, step) == NOW + timedelta(days=day)


def test_after_the_last_step_nothing_is_due() -> None:
    assert due_at(STANDARD, ENROLMENT, 4) is None


def test_three_mails_and_then_a_call() -> None:
    actions = [next_action(STANDARD, replace(ENROLMENT, next_step=n), KNOWN) for n in range(4)]
    assert actions == [Write("first_outreach"), Write("value"), Write("last_reminder"), Call()]


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (replace(KNOWN, suppressed="unsubscribed"), "unsubscribed"),
        (replace(KNOWN, suppressed="bounced"), "bounced"),
        (replace(KNOWN, alert=None), "the lead was withdrawn"),
        (replace(KNOWN, standing=Standing(state=LeadState.CONTACTED)), "the lead is contacted now"),
        (
            replace(
                KNOWN,
                standing=Standing(
                    state=LeadState.ASSIGNED, do_not_contact_until=NOW + timedelta(days=1)
                ),
            ),
            "the account is not to be contacted",
        ),
    ],
)
def test_a_campaign_stops_for_each_of_its_reasons(known: Circumstances, reason: str) -> None:
    assert next_action(STANDARD, ENROLMENT, known) == Stop(reason)


def test_do_not_contact_that_has_ended_stops_nothing() -> None:
    standing = Standing(state=LeadState.ASSIGNED, do_not_contact_until=NOW)
    assert next_action(STANDARD, ENROLMENT, replace(KNOWN, standing=standing)) == Write(
        "first_outreach"
    )


def test_steps_and_rounds_have_numbers_of_their_own() -> None:
    numbers = {
        replace(ENROLMENT, round=r, next_step=s).number() for r in range(5) for s in range(4)
    }
    assert len(numbers) == 20


def test_a_template_may_name_the_box_and_its_age() -> None:
    found = variables(alert(), "anna")
    assert found["serial_number"] == "USE3256NX0"
    assert found["years_since_end_of_life"] == "10"
    assert found["owner"] == "anna"
    assert found["services"] == ["OS Upgrade", "Health Check", "Bundle renewal basic"]


@pytest.mark.parametrize("day", [None, date(2030, 1, 1)])
def test_a_box_still_supported_has_no_years_since_its_end(day: date | None) -> None:
    assert variables(alert(end_of_life=day), None)["years_since_end_of_life"] == ""
