"""What passes by itself is told from what does not, and no wait is longer than 30 seconds."""

import random

import pytest
from aiokafka.errors import KafkaConnectionError
from asyncpg import exceptions as pg
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError, InterfaceError, TimeoutError

from shared.messaging.errors import MAX_DELAY_S, backoff_s, describe, is_transient


class _DriverError(Exception):
    """As SQLAlchemy wraps the driver's errors."""

    def __init__(self, state: str | None = None) -> None:
        super().__init__("it quotes Iris Example")
        self.sqlstate = state


def database_error(state: str | None, *, invalidated: bool = False) -> DBAPIError:
    return DBAPIError("SELECT 1", {}, _DriverError(state), connection_invalidated=invalidated)


def interface_error(cause: Exception) -> InterfaceError:
    wrapped = _DriverError()
    wrapped.__cause__ = cause
    return InterfaceError("SELECT 1", {}, wrapped)


@pytest.mark.parametrize(
    "error",
    [
        *(
            database_error(s)
            for s in ("08006", "25P03", "40001", "40P01", "53100", "55P03", "57P01", "58030")
        ),
        database_error(None, invalidated=True),
        interface_error(pg.InterfaceError("connection is closed")),
        ConnectionRefusedError(),
        OSError(),
        TimeoutError(),
        KafkaConnectionError(),
    ],
    ids=repr,
)
def test_what_passes_is_waited_for(error: BaseException) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [
        *(
            database_error(s)
            for s in ("22003", "22021", "23505", "25001", "42P01", "42501", "", None)
        ),
        ValueError(),
        KeyError(),
        RecursionError(),
    ],
    ids=repr,
)
def test_what_would_fail_again_is_not(error: BaseException) -> None:
    assert not is_transient(error)


@given(attempt=st.integers(1, 10**9), seed=st.integers())
def test_a_wait_is_some_time_and_at_most_half_a_minute(attempt: int, seed: int) -> None:
    assert 0 < backoff_s(attempt, random.Random(seed)) <= MAX_DELAY_S  # noqa: S311


def test_waits_double_until_the_longest() -> None:
    dice = random.Random(1)  # noqa: S311
    means = [sum(backoff_s(n, dice) for _ in range(500)) / 500 for n in range(1, 12)]
    assert means[1] / means[0] == pytest.approx(2, rel=0.1)
    assert means[-1] == pytest.approx(25, rel=0.1)


def test_a_database_error_is_described_without_its_own_words() -> None:
    said = describe(database_error("22P02"))
    assert "22P02" in said
    assert "SELECT 1" in said
    assert "Iris" not in said


def test_our_own_errors_speak_for_themselves() -> None:
    assert describe(ValueError("weights sum to 0.9")) == "weights sum to 0.9"
