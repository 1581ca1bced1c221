"""Which failures pass by themselves, and how long to wait for that."""

import random

from aiokafka.errors import KafkaError
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.db.server_words import cause_of

MAX_DELAY_S = 30.0
_FIRST_DELAY_S = 0.2
_TRANSIENT_SQLSTATE_CLASSES = ("08", "40", "53", "55", "57", "58")
_SILENT_FOR_TOO_LONG = "25P03"


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed later: a lost connection, a deadlock, a full disk."""
    if isinstance(error, DBAPIError):
        state = str(getattr(error.orig, "sqlstate", "") or "")
        lost = error.connection_invalidated or _about_the_connection(error)
        return lost or state[:2] in _TRANSIENT_SQLSTATE_CLASSES or state == _SILENT_FOR_TOO_LONG
    return isinstance(error, OSError | TimeoutError | PoolTimeoutError | KafkaError)


def _about_the_connection(error: DBAPIError) -> bool:
    # An InterfaceError is also what the driver says of a statement that it cannot send at all.
    return isinstance(error, InterfaceError) and "connection" in str(cause_of(error))


def describe(error: BaseException) -> str:
    """What went wrong, for logs and dead letters: a database's own words quote what a tenant sent."""
    if not isinstance(error, DBAPIError):
        return str(error)
    state = getattr(error.orig, "sqlstate", None) or "no SQLSTATE"
    return f"{type(cause_of(error)).__name__} ({state}) in: {error.statement}"


def backoff_s(attempt: int, dice: random.Random) -> float:
    """Seconds to wait before attempt `attempt` (1 is the first repeat): doubling, capped, ±20 %."""
    delay = min(MAX_DELAY_S / 1.2, _FIRST_DELAY_S * 2.0 ** min(attempt - 1, 20))
    return delay * dice.uniform(0.8, 1.2)
