"""Single bad messages are put aside; a bad deploy stops the consumer before it puts everything aside."""

from collections.abc import Iterable

from shared.messaging.poison import (
    MAX_BAD_IN_A_ROW,
    MAX_BAD_IN_WINDOW,
    WINDOW,
    Outcome,
    PoisonGuard,
)


def outcomes(goods: Iterable[bool], first: int = 0, partition: int = 0) -> list[Outcome]:
    return [Outcome("t", partition, first + n, good) for n, good in enumerate(goods)]


def why(guard: PoisonGuard) -> str:
    return guard.tripped or "reading on"


def test_fifty_bad_in_a_row_are_borne_the_next_is_not() -> None:
    guard = PoisonGuard()
    guard.observe(outcomes([False] * MAX_BAD_IN_A_ROW))
    assert why(guard) == "reading on"
    guard.observe(outcomes([False], first=MAX_BAD_IN_A_ROW))
    assert "in a row" in why(guard)


def test_a_good_one_between_begins_the_count_anew() -> None:
    guard = PoisonGuard()
    row = [False] * MAX_BAD_IN_A_ROW + [True] + [False] * MAX_BAD_IN_A_ROW
    guard.observe(outcomes(row))
    assert guard.tripped is None


def test_more_than_a_tenth_of_a_full_window_is_too_many() -> None:
    guard = PoisonGuard()
    tenth = [n % 10 != 0 for n in range(WINDOW)]
    guard.observe(outcomes(tenth))
    assert why(guard) == "reading on"
    guard.observe(outcomes([True, False, False], first=WINDOW))
    assert str(MAX_BAD_IN_WINDOW) in why(guard)


def test_before_the_window_is_full_its_share_says_nothing() -> None:
    guard = PoisonGuard()
    guard.observe(outcomes([n % 2 == 0 for n in range(WINDOW - 1)]))
    assert guard.tripped is None


def test_what_lies_behind_the_window_no_longer_counts() -> None:
    guard = PoisonGuard()
    early = [False] * 50 + [True] + [False] * 50
    guard.observe(outcomes(early + [True] * WINDOW))
    guard.observe(outcomes([False] * 50, first=5_000))
    assert guard.tripped is None


def test_a_position_counts_once_however_often_it_is_read() -> None:
    guard = PoisonGuard()
    for _ in range(5):
        guard.observe(outcomes([False] * 30))
    assert why(guard) == "reading on"
    guard.observe(outcomes([False] * 30, partition=1))
    assert guard.tripped


def test_it_is_foreseen_before_anything_is_committed() -> None:
    guard = PoisonGuard()
    assert guard.foresee(outcomes([False] * 40)) is None
    assert guard.foresee(outcomes([False] * 51)) is not None
    assert guard.tripped


def test_foreseeing_alone_counts_nothing() -> None:
    guard = PoisonGuard()
    for _ in range(10):
        assert guard.foresee(outcomes([False] * 50)) is None
    guard.observe(outcomes([False] * 50))
    assert guard.tripped is None


def test_once_tripped_it_stays_so_and_goes_on_saying_why() -> None:
    guard = PoisonGuard()
    reason = guard.foresee(outcomes([False] * 51))
    guard.observe(outcomes([True] * 2_000, first=100))
    assert guard.foresee(outcomes([True], first=9_000)) == reason
