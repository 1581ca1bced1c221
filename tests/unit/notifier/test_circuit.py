from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.dispatcher.recording import _after as after_attempts
from services.notifier.dispatcher.recording import _uneventful
from services.notifier.dispatcher.sending import Made
from services.notifier.domain.attempt import (
    Dead,
    Delivered,
    Outcome,
    Rejected,
    Retryable,
    Unsure,
)
from services.notifier.domain.circuit import (
    FAILURES_TO_OPEN,
    FIRST_REST,
    GIVE_UP_AFTER,
    LONGEST_REST,
    STILL_FAILING,
    SinkState,
    rest,
)
from services.notifier.repository import Leased
from services.notifier.repository.ledger import Attempt
from tests.support.set_clock import SetClock

NOW = datetime(2025, 10, 9, 8, tzinfo=UTC)
DOWN = Retryable("503", error="server")


def after(*outcomes: Outcome, state: SinkState | None = None) -> SinkState:
    found = state or SinkState()
    for outcome in outcomes:
        found = found.after(outcome, NOW)
    return found


def test_a_healthy_sink_takes_as_many_as_it_may() -> None:
    assert SinkState().allowance(NOW, 8) == 8


def test_five_failures_in_a_row_open_the_circuit_and_four_do_not() -> None:
    assert after(*[DOWN] * (FAILURES_TO_OPEN - 1)).allowance(NOW, 8) == 8
    opened = after(*[DOWN] * FAILURES_TO_OPEN)
    assert opened.allowance(NOW, 8) == 0
    assert opened.open_until == NOW + FIRST_REST


def test_after_its_rest_one_probe_goes_through_and_a_success_closes_it() -> None:
    opened = after(*[DOWN] * FAILURES_TO_OPEN)
    later = NOW + FIRST_REST
    assert opened.allowance(later, 8) == 1
    assert after(Delivered(), state=opened) == SinkState()


def test_what_fails_while_the_circuit_is_open_does_not_prolong_its_rest() -> None:
    assert after(*[DOWN] * 500) == after(*[DOWN] * FAILURES_TO_OPEN)


def made(outcome: Outcome) -> Made:
    attempt = Attempt("acme", "d", 1, NOW, 5, None, outcome)
    return Made(cast("Leased", None), Dead("503"), attempt)


@pytest.mark.parametrize(
    ("outcome", "remembered"),
    [
        (Delivered(), False),
        (Rejected("400"), False),
        (Rejected("403", error="auth"), True),
        (Rejected("410", gone=True), True),
        (Retryable("429", pause_s=1.0), True),
        (DOWN, True),
        (Unsure("cut"), True),
    ],
)
def test_a_healthy_sink_is_written_about_only_where_there_is_something_to_remember(
    outcome: Outcome, remembered: bool, set_clock: SetClock
) -> None:
    assert _uneventful(made(outcome)) is not remembered


def test_a_call_that_carries_many_deliveries_fails_once(set_clock: SetClock) -> None:
    one_call, others = replace(DOWN), [replace(DOWN) for _ in range(3)]
    calls = [*[made(one_call)] * 200, *map(made, others)]
    state = after_attempts(SinkState(), calls)
    assert (state.failures, state.open_until) == (4, None)


def test_a_failed_probe_doubles_the_rest_up_to_ten_minutes() -> None:
    rests = [rest(FAILURES_TO_OPEN + n) for n in range(12)]
    assert rests[:3] == [FIRST_REST, 2 * FIRST_REST, 4 * FIRST_REST]
    assert rests[-1] == LONGEST_REST
    assert rests == sorted(rests)


@pytest.mark.parametrize("error", ["connect", "timeout", "server", "lost"])
def test_what_says_something_about_the_sink_opens_it(error: str) -> None:
    assert after(*[Retryable("x", error=error)] * 5).open_until is not None


@pytest.mark.parametrize("outcome", [Rejected("400"), Retryable("401", error="auth")])
def test_what_says_something_about_the_message_or_the_rights_does_not(outcome: Outcome) -> None:
    assert after(*[outcome] * 20).open_until is None


def test_a_refused_message_shows_that_the_sink_answers() -> None:
    assert after(DOWN, DOWN, DOWN, DOWN, Rejected("400"), DOWN).open_until is None


def test_a_sink_that_asks_for_silence_is_not_failing_by_that() -> None:
    state = after(*[Retryable("429", pause_s=1.0)] * 20)
    assert (state.failures, state.open_until) == (0, None)


def test_a_sink_that_failed_for_120_hours_is_given_up_with_the_reason() -> None:
    failing = SinkState(failing_since=NOW - GIVE_UP_AFTER, failed_at=NOW - STILL_FAILING)
    given_up = failing.after(DOWN, NOW)
    assert given_up.disabled_at == NOW
    assert given_up.reason == "failing since 2025-10-04 08:00 UTC: 503"
    assert given_up.allowance(NOW + timedelta(days=99), 8) == 0
    almost = replace(failing, failing_since=NOW - GIVE_UP_AFTER + timedelta(seconds=1))
    assert almost.after(DOWN, NOW).disabled_at is None


def test_two_failures_with_nothing_asked_between_them_are_not_one_long_failure() -> None:
    gap = STILL_FAILING + timedelta(seconds=1)
    failed_once = SinkState(failing_since=NOW - GIVE_UP_AFTER, failed_at=NOW - gap)
    again = failed_once.after(DOWN, NOW)
    assert (again.disabled_at, again.failing_since) == (None, NOW)


def test_a_sink_that_refuses_a_message_is_not_failing_but_one_that_refuses_us_is() -> None:
    failing = after(DOWN)
    assert after(Rejected("400"), state=failing).failing_since is None
    assert after(Rejected("403", error="auth"), state=failing).failing_since == NOW


def test_the_success_of_an_older_call_does_not_end_a_silence_that_was_asked_for() -> None:
    paused = SinkState(paused_until=NOW + timedelta(hours=1), failures=2, failing_since=NOW)
    assert after(Delivered(), state=paused) == SinkState(paused_until=NOW + timedelta(hours=1))


def test_a_sink_that_is_gone_is_given_up_at_once() -> None:
    assert after(Rejected("410", gone=True)).disabled_at == NOW


def test_what_was_given_up_stays_so_until_a_person_says_otherwise() -> None:
    given_up = after(Rejected("410", gone=True))
    assert after(Delivered(), DOWN, state=given_up).disabled_at == NOW


def test_a_pause_holds_everything_back_until_it_ends() -> None:
    paused = SinkState(paused_until=NOW + timedelta(seconds=5))
    assert paused.allowance(NOW, 8) == 0
    assert paused.allowance(NOW + timedelta(seconds=5), 8) == 8


_OUTCOMES = st.sampled_from(
    [Delivered(), DOWN, Rejected("400"), Unsure("cut"), Retryable("429", pause_s=1.0)]
)


@given(st.lists(_OUTCOMES, max_size=40))
def test_a_success_at_the_end_always_leaves_a_clean_slate(outcomes: list[Outcome]) -> None:
    assert after(*outcomes, Delivered()) == SinkState()
