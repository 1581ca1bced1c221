"""`onelead topics`: shows the topic map, creates what the broker lacks, and says who needs which rights."""

from typing import Annotated

import typer

from onelead import broker, lifecycle
from onelead.access import Right, allow, wanted_rights
from onelead.addresses import database_address, kafka_address
from onelead.console import err, out
from onelead.edition.edition import DEFAULT_TENANT
from onelead.settings import EditionSettings
from onelead.tenants.marks import erased_of, was_erased
from onelead.whose import checked_tenant
from shared.errors import UserError
from shared.settings import load_settings
from shared.topics import DAY_MS, TOPICS, Topic

app = typer.Typer(invoke_without_command=True, help="Show and create topics, and rights on them.")
Tenants = Annotated[
    list[str] | None, typer.Option("--tenant", help="of this tenant too; may be repeated")
]


@app.callback()
def topics(
    context: typer.Context,
    create: Annotated[
        bool, typer.Option("--create", help="create what is missing, dead letters included")
    ] = False,
    tenant: Tenants = None,
) -> None:
    """List the topics: events, key, partitions, clean-up, who writes and who reads."""
    if context.invoked_subcommand is not None:
        return
    settings = load_settings(EditionSettings)
    if not create:
        for topic in TOPICS:
            _show(topic)
        return
    created = lifecycle.run(_create(settings, _checked(tenant)))
    for name in created:
        out.print(name)
    err.print(f"{len(created)} topics created" if created else "nothing was missing")


async def _create(settings: EditionSettings, named: list[str]) -> list[str]:
    """The topics created. Raises UserError when a tenant that is named was erased."""
    erased = await _erased_of(settings, named or [DEFAULT_TENANT])
    if named and erased:
        raise was_erased(erased[0])
    tenants = named or [name for name in [DEFAULT_TENANT] if name not in erased]
    return await broker.create_missing_topics(kafka_address(settings), tenants)


async def _erased_of(settings: EditionSettings, tenants: list[str]) -> list[str]:
    """Those of the tenants that were erased, as far as a database is there to know it."""
    try:
        address = database_address(settings)
    except UserError:
        return []
    return await erased_of(address, tenants)


@app.command("acls")
def acls(
    apply: Annotated[
        bool, typer.Option("--apply", help="grant them on the broker; what is there already stays")
    ] = False,
    tenant: Tenants = None,
) -> None:
    """List the rights each service needs on a guarded broker, and no more; `--apply` grants them.

    Without --tenant they are those on the topics of the default tenant, or, with --apply, of every
    tenant on the broker.
    """
    tenants = _checked(tenant)
    if not apply:
        for principal, rights in wanted_rights(tenants or [DEFAULT_TENANT]).items():
            _show_rights(principal, rights)
        return
    granted = lifecycle.run(_apply(kafka_address(load_settings(EditionSettings)), tenants))
    out.print(f"{granted} rights granted")


async def _apply(bootstrap: str, tenants: list[str]) -> int:
    """How many rights were granted. Raises UserError when the broker guards nothing."""
    wanted = wanted_rights(tenants or await broker.tenants_on(bootstrap))
    if not await allow(bootstrap, wanted):
        raise UserError(
            f"Kafka at {bootstrap} has no authorizer: everybody who reaches it may do everything",
            hint="set authorizer.class.name and super.users on the broker",
            exit_code=1,
        )
    return sum(map(len, wanted.values()))


def _checked(tenants: list[str] | None) -> list[str]:
    return [checked_tenant(tenant) for tenant in tenants or []]


def _show_rights(principal: str, rights: tuple[Right, ...]) -> None:
    out.print(principal, style="bold", markup=False)
    for right in rights:
        line = f"    {right.operation.name.lower():<8} {right.kind.name.lower()} {right.name}"
        out.print(line, markup=False)


def _show(topic: Topic) -> None:
    partitions = "1 partition" if topic.partitions == 1 else f"{topic.partitions} partitions"
    readers = ", ".join(topic.consumers) or "nobody yet"
    out.print(topic.for_tenant("<tenant>"), style="bold", markup=False)
    out.print(f"    {topic.producer} → {readers}", markup=False)
    out.print(f"    {', '.join(event.__name__ for event in topic.events)}", markup=False)
    out.print(f"    {partitions}, {_kept(topic)}, key {topic.key}", markup=False)


def _kept(topic: Topic) -> str:
    if topic.cleanup == "compact":
        return "the latest of each key kept"
    return f"{topic.retention_ms // DAY_MS} days kept"
