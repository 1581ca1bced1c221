"""`onelead tenants`: adds tenants, shows what they have, and erases one from every place."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from onelead import broker, lifecycle
from onelead.access import allow_tenant
from onelead.addresses import database_address, kafka_address
from onelead.console import err, out
from onelead.reporting import ConsoleReporter
from onelead.settings import EditionSettings
from onelead.tenants import present
from onelead.tenants.erasing import Erasure, is_known
from onelead.tenants.facts import TenantFacts, all_tenants
from onelead.tenants.own_topics import OwnTopics
from onelead.tenants.places import Kind, Place, Proof
from onelead.tenants.rows import TenantRows
from onelead.whose import checked_tenant
from shared.errors import UserError
from shared.settings import load_settings
from shared.topics import LEADS, RECORDS

app = typer.Typer(no_args_is_help=True, help="Add, list, show and erase tenants.")
EXIT_REMAINS, EXIT_EXPIRES = 1, 3
Name = Annotated[str, typer.Argument(help="the tenant's name")]
AsJson = Annotated[bool, typer.Option("--json", help="one JSON value")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="1 to 40 of a-z, 0-9 and '-'")],
    principal: Annotated[
        str | None,
        typer.Option(help="who may write its records and read its leads; User:NAME by default"),
    ] = None,
) -> None:
    """Create a tenant: the topic it writes, the one it reads, and its rights on a guarded broker.

    The name of a tenant that was erased is given out again once nothing of it is left anywhere.
    """
    settings = load_settings(EditionSettings)
    tenant = checked_tenant(name)
    lifecycle.run(_add(settings, tenant, principal or f"User:{tenant}"))


async def _add(settings: EditionSettings, name: str, principal: str) -> None:
    bootstrap = kafka_address(settings)
    await _free_name(settings, bootstrap, name)
    created = await broker.create_missing_topics(bootstrap, [name])
    out.print(f"Tenant {name} {'was added' if created else 'was here already'}")
    out.print(f"  writes {RECORDS.for_tenant(name)}")
    out.print(f"  reads  {LEADS.for_tenant(name)}")
    if await allow_tenant(bootstrap, name, principal):
        err.print(f"{principal} may write the one and read the other, in groups named {name}.…")
    else:
        err.print("The broker has no authorizer: everybody who reaches it may do both")


async def _free_name(settings: EditionSettings, bootstrap: str, name: str) -> None:
    """Gives an erased tenant's name out again. Raises UserError while anything of it is left."""
    try:
        address = database_address(settings)
    except UserError:
        err.print("Without ONELEAD_DATABASE_URL it is not known whether the name was used before")
        return
    async with TenantRows(address, name) as rows:
        await rows.tables()
        if await rows.marked() is None:
            return
        counts = await Erasure(bootstrap, rows, name).look()
        if is_known(counts):
            raise UserError(
                f"tenant {name} was erased, and {present.summary(counts)} of it are not gone yet",
                hint=f"`onelead tenants erase {name}` says until when; take another name",
            )
        await rows.unmark()


@app.command("list")
def list_tenants(as_json: AsJson = False) -> None:
    """Print the tenants: state, what they have, open dead letters, last import."""
    found = lifecycle.run(_all())
    if as_json:
        out.out(present.tenants_json(found), end="", highlight=False)
    elif found:
        out.print(present.tenants_table(found))
    else:
        err.print("No tenants")


@app.command("show")
def show(name: Name, as_json: AsJson = False) -> None:
    """Print one tenant: what it has, its topics, the consumer groups and rights on the broker."""
    facts, access = lifecycle.run(_one(checked_tenant(name)))
    if as_json:
        out.out(present.tenant_json(facts, access), end="", highlight=False)
        return
    for line in present.one_tenant(facts, access):
        out.print(line, markup=False, soft_wrap=True)


async def _all() -> list[TenantFacts]:
    settings = load_settings(EditionSettings)
    return await all_tenants(kafka_address(settings), settings)


async def _one(name: str) -> tuple[TenantFacts, Sequence[Place]]:
    found = {facts.tenant: facts for facts in await _all()}
    if name not in found:
        raise _unknown(name)
    counts = await OwnTopics(kafka_address(load_settings(EditionSettings)), name).count()
    shown = (Kind.GROUP, Kind.RIGHTS)
    return found[name], [place for place in counts if place.kind in shown]


@app.command("erase")
def erase(
    name: Name,
    yes: Annotated[
        str, typer.Option(metavar="NAME", help="the tenant's name once more, instead of asking")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Erase a tenant from every table, topic, consumer group and right, and prove it.

    ONELEAD_DATABASE_URL is the address with which `onelead migrate` works. Services may go on: from
    the first moment they refuse what still comes of the tenant. An erasure that was interrupted is
    finished by the same command.

    Ends with 0 when nothing is left, with 3 when only time can take away what is left on shared
    topics (the table says until when), with 1 when anything else remains.
    """
    proof = lifecycle.run(_erase(checked_tenant(name), yes))
    if as_json:
        out.out(present.proof_json(proof), end="", highlight=False)
    else:
        out.print(present.proof_table(proof))
    _tell(proof)


async def _erase(name: str, yes: str) -> Proof:
    settings = load_settings(EditionSettings)
    reporter = ConsoleReporter(err)
    async with TenantRows(database_address(settings), name) as rows:
        erasure = Erasure(kafka_address(settings), rows, name, reporter.doing)
        try:
            before = await erasure.look()
            reporter.done()
            if not is_known(before) and await rows.marked() is None:
                raise _unknown(name)
            _confirm(name, yes, present.summary(before))
            return await erasure.erase(before)
        finally:
            reporter.done()


def _confirm(name: str, yes: str, found: str) -> None:
    """Raises UserError unless the tenant's name was given a second time."""
    if not yes:
        if not sys.stdin.isatty():
            raise UserError("nothing was erased: nobody confirmed it", hint=f"add --yes {name}")
        err.print(f"Tenant {name}: {found}. This cannot be undone.", markup=False)
        yes = typer.prompt("Type the tenant's name to erase it", err=True)
    if yes != name:
        raise UserError(f"nothing was erased: {yes!r} is not {name!r}")


def _tell(proof: Proof) -> None:
    if proof.remains:
        left = [line.place.name for line in proof.lines if line.remains]
        raise UserError(
            f"of tenant {proof.tenant_id} something remains: {', '.join(left[:5])}",
            hint="a group stays while it has members: end them, then erase once more",
            exit_code=EXIT_REMAINS,
        )
    if proof.expires is not None:
        err.print(
            f"Erased. What Kafka cannot delete singly is gone by {proof.expires:%Y-%m-%d %H:%M} UTC;"
            " no service takes it any more.",
            markup=False,
        )
        raise typer.Exit(EXIT_EXPIRES)
    err.print("Erased: nothing is left.")


def _unknown(name: str) -> UserError:
    return UserError(f"there is no tenant {name}", hint="`onelead tenants list` shows the tenants")
