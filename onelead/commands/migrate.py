"""`onelead migrate`: brings every service's schema up to date, with its roles."""

from sqlalchemy.engine import make_url

from onelead.addresses import database_address, database_password
from onelead.console import out
from onelead.opened_database import REFUSALS, unusable
from onelead.settings import EditionSettings
from shared.db.migrate import SERVICES, ensure_database, upgrade
from shared.settings import load_settings


def migrate() -> None:
    """Create or upgrade every service's schema and its database roles.

    ONELEAD_DATABASE_URL is the address with the role that owns the tables;
    ONELEAD_DATABASE_PASSWORD, when set, becomes the password of the services' roles.
    """
    settings = load_settings(EditionSettings)
    owner_url = database_address(settings)
    _reach(owner_url)
    for service in SERVICES:
        upgrade(owner_url, service, role_password=database_password(settings))
        out.print(f"{service}: up to date")


def _reach(owner_url: str) -> None:
    """Creates the database if need be. Raises UserError when the server does not let us."""
    try:
        ensure_database(owner_url)
    except REFUSALS as error:
        hint = "check ONELEAD_DATABASE_URL; its role must own the database or be able to create it"
        raise unusable(make_url(owner_url), error, hint) from None
