"""`onelead tenants`: adds a tenant by creating its own topics, and lists those there are."""

from typing import Annotated

import typer

from onelead import broker, lifecycle
from onelead.access import allow_tenant
from onelead.addresses import kafka_address
from onelead.console import err, out
from onelead.settings import EditionSettings
from onelead.whose import checked_tenant
from shared.settings import load_settings
from shared.topics import LEADS, RECORDS

app = typer.Typer(no_args_is_help=True, help="Add and list tenants.")


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="1 to 40 of a-z, 0-9 and '-'")],
    principal: Annotated[
        str | None,
        typer.Option(help="who may write its records and read its leads; User:NAME by default"),
    ] = None,
) -> None:
    """Create a tenant: the topic it writes, the one it reads, and its rights on a guarded broker."""
    checked_tenant(name)
    settings = load_settings(EditionSettings)
    lifecycle.run(_add(kafka_address(settings), name, principal or f"User:{name}"))


async def _add(bootstrap: str, name: str, principal: str) -> None:
    created = await broker.create_missing_topics(bootstrap, [name])
    out.print(f"Tenant {name} {'was added' if created else 'was here already'}")
    out.print(f"  writes {RECORDS.for_tenant(name)}")
    out.print(f"  reads  {LEADS.for_tenant(name)}")
    if await allow_tenant(bootstrap, name, principal):
        err.print(f"{principal} may write the one and read the other, in groups named {name}.…")
    else:
        err.print("The broker has no authorizer: everybody who reaches it may do both")


@app.command("list")
def list_tenants() -> None:
    """Print the tenants, one a line."""
    settings = load_settings(EditionSettings)
    for tenant in lifecycle.run(broker.tenants_on(kafka_address(settings))):
        out.print(tenant)
