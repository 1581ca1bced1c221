"""Reads an error that a command did not foresee; says which of Kafka and PostgreSQL went away meanwhile."""

from aiokafka.errors import KafkaError, KafkaTimeoutError
from sqlalchemy.exc import DBAPIError

from shared.db.server_words import server_words
from shared.errors import UserError
from shared.messaging.errors import is_transient

_HINT = "what the command had done by then stays; run it again when {part} answers ({setting})"


def outage(error: BaseException) -> UserError | None:
    """What to tell of a part that went away while a command ran; None of any other error."""
    if isinstance(error, KafkaError) and _went_away(error):
        return _told("Kafka", "ONELEAD_KAFKA_BOOTSTRAP", str(error))
    if isinstance(error, DBAPIError) and is_transient(error):
        return _told("PostgreSQL", "ONELEAD_DATABASE_URL", server_words(error))
    return None


def _went_away(error: KafkaError) -> bool:
    # The base class is what the client says when no broker names the others.
    return error.retriable or type(error) in (KafkaError, KafkaTimeoutError)


def _told(part: str, setting: str, reason: str) -> UserError:
    hint = _HINT.format(part=part, setting=setting)
    return UserError(f"{part} stopped answering: {reason}", hint=hint, exit_code=1)
