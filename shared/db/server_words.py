"""Reads an error of the database; says it in the server's words, and nothing of what it was told."""

from sqlalchemy.exc import DBAPIError


def server_words(error: BaseException) -> str:
    """The first line of what the server, the driver or the system said; never the statement.

    SQLAlchemy's own text names its classes, and may quote the statement and with it a secret.
    """
    said: BaseException | None = error
    if isinstance(error, DBAPIError):
        said = getattr(error.orig, "__cause__", None) or error.orig
    return next(iter(str(said or "").splitlines()), "") or type(said).__name__
