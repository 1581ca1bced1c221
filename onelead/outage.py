"""Reads an error that a command did not foresee; says which of Kafka and PostgreSQL was not there for it."""

from aiokafka import errors as kafka
from sqlalchemy.exc import DBAPIError

from shared.db.server_words import server_words
from shared.errors import UserError

_KAFKA_IS_AWAY = (
    kafka.BrokerNotAvailableError,
    kafka.GroupCoordinatorNotAvailableError,
    kafka.KafkaConnectionError,
    kafka.KafkaTimeoutError,
    kafka.KafkaUnavailableError,
    kafka.LeaderNotAvailableError,
    kafka.NoBrokersAvailable,
    kafka.NodeNotReadyError,
    kafka.NotLeaderForPartitionError,
    kafka.RequestTimedOutError,
)
# SQLSTATEs: connections that break, a server that ends them, or that begins; a session silent too long.
_DATABASE_IS_AWAY = ("08", "57P01", "57P02", "57P03", "25P03")
_NOTHING_THERE = ("3F000", "42P01")
_LATER = "what the command had done by then stays; run it again when {part} answers ({setting})"


def outage(error: BaseException) -> UserError | None:
    """What to tell when a part went away under a command, or holds no tables; None of other errors."""
    if isinstance(error, _KAFKA_IS_AWAY):
        reason = str(error).removeprefix(f"{type(error).__name__}: ")
        return _away("Kafka", "ONELEAD_KAFKA_BOOTSTRAP", reason)
    if not isinstance(error, DBAPIError):
        return None
    state = str(getattr(error.orig, "sqlstate", None) or "")
    if error.connection_invalidated or state.startswith(_DATABASE_IS_AWAY):
        return _away("PostgreSQL", "ONELEAD_DATABASE_URL", server_words(error))
    if state in _NOTHING_THERE:
        return UserError(
            f"the database is not up to date: {server_words(error)}",
            hint="`onelead migrate` brings it there",
            exit_code=1,
        )
    return None


def _away(part: str, setting: str, reason: str) -> UserError:
    hint = _LATER.format(part=part, setting=setting)
    return UserError(f"{part} stopped answering: {reason}", hint=hint, exit_code=1)
