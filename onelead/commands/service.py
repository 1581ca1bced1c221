"""`onelead service NAME`: becomes one service, in the foreground."""

import os
import sys
from typing import Annotated

import typer

from onelead.addresses import database_address, kafka_address
from onelead.edition.service import SERVICES, our_environment, with_role
from onelead.settings import EditionSettings
from shared.errors import UserError
from shared.settings import load_settings


def service(
    name: Annotated[str, typer.Argument(help=f"one of: {', '.join(SERVICES)}")],
) -> None:
    """Run one service in the foreground, as its container does.

    ONELEAD_KAFKA_BOOTSTRAP and ONELEAD_DATABASE_URL (with the service's own role, for example
    postgresql+asyncpg://onelead_scoring@db/onelead) say where it works; without them it joins the
    edition that runs in the data folder, as a second process of that service.
    """
    if name not in SERVICES:
        raise UserError(f"there is no service {name}", hint=f"one of: {', '.join(SERVICES)}")
    settings = load_settings(EditionSettings)
    own_role = with_role(database_address(settings), f"onelead_{name}")
    env = our_environment(
        ONELEAD_KAFKA_BOOTSTRAP=kafka_address(settings),
        ONELEAD_DATABASE_URL=settings.database_url or own_role,
    )
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, "-m", f"services.{name}"], env)  # noqa: S606
