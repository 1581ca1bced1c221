import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.attempt import (
    LONGEST_PAUSE_S,
    RETRY_AFTER_S,
    Dead,
    Delivered,
    Rejected,
    Retryable,
    RetryAt,
    Sent,
    Step,
    Unknown,
    Unsure,
    after_crash,
    next_step,
    words,
)

JITTERS = st.floats(-1, 1)


def test_the_waits_are_those_of_the_schedule() -> None:
    assert RETRY_AFTER_S == (5, 30, 120, 600, 1800, 7200, 18000, 36000, 36000)


def test_a_delivered_message_is_sent_and_keeps_its_note() -> None:
    step = next_step(Delivered("account open"), failures=3, repeatable=False, jitter=0)
    assert step == Sent("account open")


def test_a_rejected_message_is_dead_at_once() -> None:
    assert next_step(Rejected("no"), failures=0, repeatable=True, jitter=0) == Dead("no")


@given(failures=st.integers(0, len(RETRY_AFTER_S) - 1), jitter=JITTERS, repeatable=st.booleans())
def test_a_failure_waits_its_turn_within_twenty_percent(
    failures: int, jitter: float, repeatable: bool
) -> None:
    step = next_step(Retryable("down"), failures=failures, repeatable=repeatable, jitter=jitter)
    assert isinstance(step, RetryAt)
    assert step.failures == failures + 1
    assert not step.pauses_sink
    wait_s = RETRY_AFTER_S[failures]
    assert wait_s * 0.8 - 1e-6 <= step.after_s <= wait_s * 1.2 + 1e-6


@given(jitter=JITTERS, repeatable=st.booleans())
def test_the_tenth_failure_is_the_last(jitter: float, repeatable: bool) -> None:
    step = next_step(Retryable("down"), failures=9, repeatable=repeatable, jitter=jitter)
    assert step == Dead("gave up after 10 attempts: down")


@given(failures=st.integers(0, 50), pause_s=st.floats(1, LONGEST_PAUSE_S))
def test_a_sink_that_asks_for_silence_gets_it_and_no_attempt_is_burned(
    failures: int, pause_s: float
) -> None:
    step = next_step(Retryable("429", pause_s), failures=failures, repeatable=False, jitter=0.5)
    assert step == RetryAt(pause_s, failures, "429", pauses_sink=True)


@pytest.mark.parametrize(("asked_s", "given_s"), [(-5.0, 1.0), (0.0, 1.0), (1e9, LONGEST_PAUSE_S)])
def test_an_absurd_wish_for_silence_is_bounded(asked_s: float, given_s: float) -> None:
    step = next_step(Retryable("429", asked_s), failures=0, repeatable=False, jitter=0)
    assert isinstance(step, RetryAt)
    assert step.after_s == given_s


def test_an_unsure_message_to_a_blind_sink_is_never_sent_twice() -> None:
    step = next_step(Unsure("lost"), failures=0, repeatable=False, jitter=0)
    assert step == Unknown("lost")


def test_an_unsure_message_is_repeated_where_that_has_the_effect_of_once() -> None:
    step = next_step(Unsure("lost"), failures=1, repeatable=True, jitter=0)
    assert step == RetryAt(30, 2, "lost", in_doubt=True)


def test_a_crash_while_sending_is_unknown_for_a_blind_sink_and_a_failure_for_another() -> None:
    blind = next_step(after_crash(), failures=0, repeatable=False, jitter=0)
    assert isinstance(blind, Unknown)
    other = next_step(after_crash(), failures=0, repeatable=True, jitter=0)
    assert isinstance(other, RetryAt)
    # A message that brings the process down each time must come to an end.
    assert other.failures == 1


def test_jitter_lengthens_where_it_is_positive_and_shortens_where_negative() -> None:
    def wait_s(jitter: float) -> float:
        step = next_step(Retryable("down"), failures=1, repeatable=False, jitter=jitter)
        assert isinstance(step, RetryAt)
        return step.after_s

    assert [wait_s(jitter) for jitter in (-1, -0.5, 0, 0.5, 1)] == pytest.approx(
        [24, 27, 30, 33, 36]
    )


def test_what_is_known_after_a_crash_says_why() -> None:
    assert after_crash().reason == "the notifier stopped while sending"


def test_a_sink_that_is_gone_is_final_and_says_so() -> None:
    step = next_step(Rejected("410", gone=True), failures=0, repeatable=True, jitter=0)
    assert step == Dead("410", gone=True)


def test_what_the_sink_gave_goes_with_the_success() -> None:
    receipt = {"ts": "1"}
    step = next_step(Delivered(receipt=receipt), failures=0, repeatable=False, jitter=0)
    assert step == Sent(None, receipt)


@pytest.mark.parametrize("scale", [0.01, 2.0])
def test_the_waits_are_scaled_for_trials(scale: float) -> None:
    step = next_step(Retryable("down"), failures=1, repeatable=False, jitter=0, scale=scale)
    assert isinstance(step, RetryAt)
    assert step.after_s == pytest.approx(30 * scale)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (Sent("account open"), "account open"),
        (Sent(), None),
        (RetryAt(5, 1, "down"), "down"),
        (Dead("no"), "no"),
        (Unknown("lost"), "lost"),
    ],
)
def test_a_person_reads_the_reason_or_the_note_of_a_success(step: Step, said: str | None) -> None:
    assert words(step) == said
