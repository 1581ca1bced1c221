"""`onelead service NAME`: becomes one service, in the foreground."""

import os
import sys
from typing import Annotated

import typer

from onelead.edition.service import SERVICES, our_environment
from shared.errors import UserError


def service(
    name: Annotated[str, typer.Argument(help=f"one of: {', '.join(SERVICES)}")],
) -> None:
    """Run one service in the foreground, as its container does.

    Needs ONELEAD_KAFKA_BOOTSTRAP and ONELEAD_DATABASE_URL with the service's own role, for example
    postgresql+asyncpg://onelead_scoring@db/onelead.
    """
    if name not in SERVICES:
        raise UserError(f"there is no service {name}", hint=f"one of: {', '.join(SERVICES)}")
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, "-m", f"services.{name}"], our_environment())  # noqa: S606
