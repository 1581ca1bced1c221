from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.notifier.domain.standing import (
    SCORE_STEP,
    Standing,
    news_between,
    status_news,
    worth_a_word,
)
from shared.events import LeadChange, LeadState, LeadStatusChanged
from tests.support.notifier_builders import alert

NOW = datetime(2025, 10, 9, 8, tzinfo=UTC)
LATER = NOW + timedelta(days=3)


def status(**changes: object) -> LeadStatusChanged:
    values = {
        "version": 5,
        "lead_id": "lead-1",
        "account_id": "account-1",
        "change": LeadChange.MOVED,
        "state": LeadState.CONTACTED,
        "changed_at": NOW,
    }
    return LeadStatusChanged.model_validate(values | changes)


def test_a_status_fact_is_taken_over_whole() -> None:
    fact = status(owner="anna", snoozed_until=LATER, do_not_contact_until=LATER, touched_at=NOW)
    assert Standing.of(fact) == Standing(5, LeadState.CONTACTED, "anna", LATER, LATER, NOW)


@pytest.mark.parametrize("state", list(LeadState))
def test_only_leads_that_people_are_done_with_are_closed(state: LeadState) -> None:
    done = {"converted", "won", "lost", "rejected"}
    assert Standing(state=state).closed is (state.value in done)


def test_nothing_holds_back_an_alert_of_a_lead_nobody_touched() -> None:
    assert Standing().held_until(NOW, keeps_records=False) == NOW
    assert not Standing().silent(NOW)


def test_a_snooze_holds_back_people_and_not_records() -> None:
    standing = Standing(snoozed_until=LATER)
    assert standing.held_until(NOW, keeps_records=False) == LATER
    assert standing.held_until(NOW, keeps_records=True) == NOW
    assert standing.silent(NOW)
    assert not standing.silent(LATER)


def test_do_not_contact_holds_back_everything_and_the_later_of_two_counts() -> None:
    standing = Standing(snoozed_until=NOW + timedelta(days=1), do_not_contact_until=LATER)
    assert standing.held_until(NOW, keeps_records=True) == LATER
    assert standing.held_until(NOW, keeps_records=False) == LATER


def test_what_is_past_holds_nothing_back() -> None:
    standing = Standing(snoozed_until=NOW - timedelta(seconds=1))
    assert standing.held_until(NOW, keeps_records=False) == NOW


def test_equal_leads_have_no_news_between_them() -> None:
    assert news_between(alert(), alert()) == ()
    assert not worth_a_word(alert(), alert())


def test_each_difference_is_told_by_its_name_with_both_values() -> None:
    (change,) = news_between(alert(), alert(score=90.0))
    assert (change.what, change.before, change.after) == ("Score", "82.5", "90.0")
    changes = news_between(alert(), alert(title="Other", estimated_value_max=Decimal(99_999)))
    assert [change.what for change in changes] == ["Title", "Value"]


@pytest.mark.parametrize(
    ("moved", "told"), [(SCORE_STEP, True), (SCORE_STEP - 0.1, False), (-SCORE_STEP, True)]
)
def test_people_hear_of_a_score_only_when_it_moved_far(moved: float, told: bool) -> None:
    assert worth_a_word(alert(), alert(score=82.5 + moved)) is told


@pytest.mark.parametrize(
    "change",
    [{"priority": "HIGH"}, {"account_id": "other"}, {"estimated_value_max": Decimal(1)}],
)
def test_people_hear_of_another_priority_account_or_value(change: dict[str, Any]) -> None:
    assert worth_a_word(alert(), alert(**change))


def test_a_moved_state_and_a_new_owner_are_news() -> None:
    changes = status_news(Standing(), status(owner="anna"))
    assert [(c.what, c.before, c.after) for c in changes] == [
        ("Status", "new", "contacted"),
        ("Owner", "nobody", "anna"),
    ]
    assert status_news(Standing(state=LeadState.CONTACTED), status()) == ()
