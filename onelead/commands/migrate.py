"""`onelead migrate`: brings every service's schema up to date, with its roles."""

import asyncpg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from onelead.addresses import database_address
from onelead.console import out
from onelead.settings import EditionSettings
from shared.db.migrate import SERVICES, ensure_database, upgrade
from shared.errors import UserError
from shared.settings import load_settings


def migrate() -> None:
    """Create or upgrade every service's schema and its database roles.

    ONELEAD_DATABASE_URL is the address with the role that owns the tables;
    ONELEAD_DATABASE_PASSWORD, when set, becomes the password of the services' roles.
    """
    settings = load_settings(EditionSettings)
    owner_url = database_address(settings)
    secret = settings.database_password
    _reach(owner_url)
    for service in SERVICES:
        upgrade(owner_url, service, role_password=secret.get_secret_value() if secret else None)
        out.print(f"{service}: up to date")


def _reach(owner_url: str) -> None:
    """Creates the database if need be. Raises UserError when the server does not let us."""
    try:
        ensure_database(owner_url)
    except (OSError, SQLAlchemyError, asyncpg.PostgresError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        shown = make_url(owner_url).render_as_string(hide_password=True)
        raise UserError(
            f"PostgreSQL at {shown} cannot be used: {reason}",
            hint="check ONELEAD_DATABASE_URL; its role must own the database or be able to create it",
            exit_code=1,
        ) from None
