"""Reads an error of the database; says it in the server's words, and nothing of what it was told."""

from sqlalchemy.exc import DBAPIError


def server_words(error: BaseException) -> str:
    """The first line of what the server, the driver or the system said; never the statement.

    SQLAlchemy's own text names its classes, and may quote the statement and with it a secret.
    """
    said = cause_of(error) if isinstance(error, DBAPIError) else error
    return next(iter(str(said).splitlines()), "") or type(said).__name__


def cause_of(error: DBAPIError) -> BaseException:
    """What the driver raised, where SQLAlchemy and its asyncpg dialect have each wrapped it once."""
    driver: BaseException | None = getattr(error.orig, "__cause__", None)
    return driver or error.orig or RuntimeError("no reason given")
