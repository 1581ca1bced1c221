"""An episode begins when a lead becomes CRITICAL and ends below HIGH or with the withdrawal."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.scoring.domain.episodes import EpisodeState, next_episode
from shared.events import Priority

CRITICAL, HIGH, MEDIUM, LOW = Priority.CRITICAL, Priority.HIGH, Priority.MEDIUM, Priority.LOW
DAY_1 = date(2025, 10, 9)
DAY_2 = date(2025, 10, 10)
OPEN = EpisodeState(1, True, DAY_1)
ENDED = EpisodeState(1, False, None)


def test_a_first_score_that_is_critical_begins_the_first_episode() -> None:
    assert next_episode(None, CRITICAL, False, DAY_1) == OPEN


def test_a_first_score_below_critical_begins_none() -> None:
    assert next_episode(None, HIGH, False, DAY_1) == EpisodeState(0, False, None)


def test_an_open_episode_goes_on_while_critical() -> None:
    assert next_episode(OPEN, CRITICAL, False, DAY_2) == OPEN


def test_a_fall_to_high_does_not_end_an_episode_and_the_way_back_begins_none() -> None:
    wavering = next_episode(OPEN, HIGH, False, DAY_2)
    assert wavering == OPEN
    assert next_episode(wavering, CRITICAL, False, DAY_2) == OPEN


def test_a_fall_below_high_ends_it() -> None:
    assert next_episode(OPEN, MEDIUM, False, DAY_2) == ENDED
    assert next_episode(OPEN, LOW, False, DAY_2) == ENDED


def test_a_withdrawal_ends_it_even_at_critical() -> None:
    assert next_episode(OPEN, CRITICAL, True, DAY_2) == ENDED


def test_high_after_the_end_begins_no_new_one() -> None:
    assert next_episode(ENDED, HIGH, False, DAY_2) == ENDED


def test_critical_after_the_end_begins_the_next_one() -> None:
    assert next_episode(ENDED, CRITICAL, False, DAY_2) == EpisodeState(2, True, DAY_2)


def test_a_withdrawn_lead_that_never_was_critical_has_no_episode() -> None:
    assert next_episode(None, CRITICAL, True, DAY_1) == EpisodeState(0, False, None)


@given(st.lists(st.tuples(st.sampled_from([CRITICAL, HIGH, MEDIUM, LOW]), st.booleans())))
def test_episodes_only_count_up_and_by_one(course: list[tuple[Priority, bool]]) -> None:
    state = EpisodeState()
    for day, (priority, withdrawn) in enumerate(course):
        following = next_episode(state, priority, withdrawn, DAY_1 + timedelta(days=day))
        assert following.episode - state.episode in (0, 1)
        assert (following.episode > state.episode) is (following.open and not state.open)
        assert (following.critical_since is not None) is following.open
        state = following
