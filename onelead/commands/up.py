"""`onelead up`: runs everything on this machine until Ctrl-C."""

import asyncio

from rich.table import Table

from onelead import lifecycle
from onelead.console import err, out
from onelead.edition.edition import Edition, running
from onelead.reporting import ConsoleReporter
from onelead.settings import EditionSettings
from shared.settings import load_settings


def up() -> None:
    """Run everything on this machine, without importing anything, until Ctrl-C.

    Kafka and PostgreSQL are started unless ONELEAD_KAFKA_BOOTSTRAP and ONELEAD_DATABASE_URL say where
    they are. The data folder is ONELEAD_HOME, ./.onelead by default; the next start goes on there.
    """
    lifecycle.run(_up(load_settings(EditionSettings)))


async def _up(settings: EditionSettings) -> None:
    edition = Edition(settings, ConsoleReporter(err))
    async with running(edition):
        out.print(addresses(edition))
        out.print("Hand over workbooks with: onelead import FILE…   Stop with Ctrl-C.")
        await asyncio.Event().wait()


def addresses(edition: Edition) -> Table:
    """Where everything answers."""
    table = Table(title="OneLead is up", title_justify="left", show_header=False, box=None)
    table.add_row("data folder", str(edition.folder.home))
    table.add_row("Kafka", edition.bootstrap)
    table.add_row("PostgreSQL", edition.owner_url)
    for service in edition.services:
        table.add_row(f"{service.name} metrics", f"http://127.0.0.1:{service.port}/metrics")
    return table
